import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import {
  ciphertextMac,
  headerMac,
  startAuthenticator,
  updateAuthenticator,
} from "./authenticator.ts";

const secret = new Uint8Array(32).fill(3);
const another = new Uint8Array(32).fill(4);
const update = "Signal_PQCKA_V1_MLKEM768:Authenticator Update";

function step(root: Uint8Array, secret: Uint8Array, epoch: string) {
  const info = Buffer.concat([Buffer.from(update), Buffer.from(epoch, "hex")]);
  const key = Buffer.concat([root, secret]);
  const bytes = new Uint8Array(
    hkdfSync("sha256", key, Buffer.alloc(32), info, 64),
  );
  return { root: bytes.slice(0, 32), mac: bytes.slice(32) };
}

const first = step(new Uint8Array(32), secret, "0000000000000001");
const second = step(first.root, another, "0000000500000002");

Deno.test("starts from the handshake's secret and takes in each epoch's", () => {
  const authenticator = startAuthenticator(secret);
  assert.deepEqual(authenticator, first);
  assert.deepEqual(
    updateAuthenticator(authenticator, 5 * 2 ** 32 + 2, another),
    second,
  );
});

Deno.test("a header's MAC names its epoch", () => {
  const header = new Uint8Array(64).fill(9);
  const expected = createHmac("sha256", first.mac)
    .update("Signal_PQCKA_V1_MLKEM768:ekheader")
    .update(Buffer.from("0000000000000001", "hex")).update(header).digest();
  assert.deepEqual(headerMac(first, 1, header), new Uint8Array(expected));
  assert.notDeepEqual(headerMac(first, 2, header), new Uint8Array(expected));
});

Deno.test("a ciphertext's MAC covers both halves", () => {
  const ct1 = new Uint8Array(960).fill(5);
  const ct2 = new Uint8Array(128).fill(6);
  const expected = createHmac("sha256", second.mac)
    .update("Signal_PQCKA_V1_MLKEM768:ciphertext")
    .update(Buffer.from("0000000000000007", "hex")).update(ct1).update(ct2)
    .digest();
  assert.deepEqual(
    ciphertextMac(second, 7, ct1, ct2),
    new Uint8Array(expected),
  );
});
