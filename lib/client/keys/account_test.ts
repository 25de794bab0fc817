import assert from "node:assert/strict";
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
} from "node:crypto";
import { Buffer } from "node:buffer";
import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { parseAccessKey } from "./access_key.ts";
import { deriveAccount, wipeAccount } from "./account.ts";
import { accountIdFromBytes, accountIdToBytes } from "./account_id.ts";

function knownKey() {
  const reading = parseAccessKey("1000-0000-0000-0000-0000-0000-0000-00ZY");
  assert.ok(reading.ok);
  return reading.key;
}

/** What the known key has always derived. */
const GOLDEN = {
  accountId: "4775285b-33c6-89be-881e-7b839d8f536d",
  accountKey:
    "05cb15a5a632332741e3ee365025382bbda2cc00a7fab4c3eeff379ebe70b6bf7f",
  recovery:
    "05345b12916adb104da4b4b4e516fdeee3df39aa9a93cf0ee4e08e74d897c67777",
};

Deno.test("the account of a key is what it was: nobody is locked out by a change here", () => {
  const account = deriveAccount(knownKey());
  assert.deepEqual({
    accountId: account.accountId,
    accountKey: bytesToHex(account.accountKey.publicKey),
    recovery: bytesToHex(account.recovery.publicKey),
  }, GOLDEN);
});

/** X25519 public key of a private one, by node:crypto. */
function nodePublicKey(privateKey: Uint8Array): Uint8Array {
  const key = createPrivateKey({
    key: Buffer.concat([
      Buffer.from("302e020100300506032b656e04220420", "hex"),
      privateKey,
    ]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return Uint8Array.from(spki.subarray(-32));
}

Deno.test("node:crypto derives the same root, keys and id", () => {
  const account = deriveAccount(knownKey());
  const zeros = new Uint8Array(32);
  const root = hkdfSync(
    "sha256",
    knownKey(),
    zeros,
    "whisper account v1",
    32,
  );
  for (
    const [label, pair] of [
      ["whisper account key v1", account.accountKey],
      ["whisper recovery key v1", account.recovery],
    ] as const
  ) {
    // HKDF's expansion to one block is a single HMAC (RFC 5869, section 2.3).
    const expanded = Uint8Array.from(
      createHmac("sha256", new Uint8Array(root))
        .update(label).update(Uint8Array.of(1)).digest(),
    );
    expanded[0] &= 248;
    expanded[31] = (expanded[31] & 127) | 64;
    assert.deepEqual(pair.privateKey, expanded);
    assert.deepEqual(
      pair.publicKey,
      Uint8Array.of(0x05, ...nodePublicKey(expanded)),
    );
  }
  for (
    const [label, secret] of [
      ["whisper backup read v1", account.backup.readSeed],
      ["whisper backup own v1", account.backup.ownSeed],
      ["whisper backup key v1", account.backup.sealKey],
    ] as const
  ) {
    const expanded = createHmac("sha256", new Uint8Array(root))
      .update(label).update(Uint8Array.of(1)).digest();
    assert.deepEqual(secret, Uint8Array.from(expanded));
  }
  const digest = createHash("sha256")
    .update("whisper aci").update(account.accountKey.publicKey).digest();
  digest[6] = (digest[6] & 0x0f) | 0x80;
  digest[8] = (digest[8] & 0x3f) | 0x80;
  assert.equal(
    account.accountId.replaceAll("-", ""),
    digest.subarray(0, 16).toString("hex"),
  );
});

Deno.test("an account id is a UUID of version 8", () => {
  const { accountId } = deriveAccount(knownKey());
  assert.match(
    accountId,
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u,
  );
});

Deno.test("every bit of the key counts", () => {
  const ids = new Set<string>([deriveAccount(knownKey()).accountId]);
  for (const bit of [0, 1, 77, 148, 149]) {
    const key = knownKey();
    key[bit >> 3] ^= 0x80 >> (bit & 7);
    ids.add(deriveAccount(key).accountId);
  }
  assert.equal(ids.size, 6);
});

Deno.test("wiping leaves no private key and no secret of the backup", () => {
  const account = deriveAccount(knownKey());
  wipeAccount(account);
  const { accountKey, recovery, backup } = account;
  const secrets = [
    accountKey.privateKey,
    recovery.privateKey,
    backup.readSeed,
    backup.ownSeed,
    backup.sealKey,
  ];
  assert.ok(secrets.every((secret) => secret.every((byte) => byte === 0)));
});

Deno.test("ids are bytes and text of one form only", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      assert.deepEqual(accountIdToBytes(accountIdFromBytes(bytes)), bytes);
    }),
  );
  for (
    const text of [
      "",
      "00000000000000000000000000000000",
      "00000000-0000-0000-0000-00000000000",
      "00000000-0000-0000-0000-00000000000A",
      "{0000000-0000-0000-0000-000000000000}",
    ]
  ) assert.throws(() => accountIdToBytes(text), RangeError);
  assert.throws(() => accountIdFromBytes(new Uint8Array(15)), RangeError);
});
