import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { x25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { toBase32 } from "./base32.ts";
import { clientFile, newClientKey, parseClientFile } from "./client_key.ts";
import { newOnionKey, onionKeyText, parseOnionKey } from "./onion_key.ts";

/** Tor 0.4.9.11 made these. */
const TORS_KEY =
  "ED25519-V3:KME+DiO6NVWIM0xFNKzFgP63tRqk9yckJ6djuixian4iAUFa1mOAhRnM37qZXV4UCmM0YvWyifC2nQZT42kZjw==";
const TORS_ADDRESS =
  "fcl3ynlmkwzooodwfg2ptpxvw4mfjlpvqbkh4obj74ng6zdtrkzh3ead.onion";

Deno.test("a key of Tor's own has the address that Tor gave it", () => {
  const key = parseOnionKey(TORS_KEY);
  equal(key?.address, TORS_ADDRESS);
  equal(key && onionKeyText(key), TORS_KEY);
});

Deno.test("a new key is another each time, and comes back from its text", () => {
  const [key, other] = [newOnionKey(), newOnionKey()];
  notEqual(key.address, other.address);
  match(key.address, /^[a-z2-7]{55}d\.onion$/);
  deepEqual(parseOnionKey(onionKeyText(key)), key);
});

Deno.test("what is no key is not taken for one", () => {
  for (
    const text of [
      "",
      "ED25519-V3:",
      TORS_KEY.replace("V3", "V2"),
      TORS_KEY.slice(0, -4),
      // Not clamped: no scalar that Tor would take.
      `ED25519-V3:${new Uint8Array(64).fill(0xff).toBase64()}`,
    ]
  ) equal(parseOnionKey(text), undefined, text);
});

Deno.test("base32 is RFC 4648's", () => {
  const encode = (text: string) => toBase32(new TextEncoder().encode(text));
  deepEqual(["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(encode), [
    "",
    "my",
    "mzxq",
    "mzxw6",
    "mzxw6yq",
    "mzxw6ytb",
    "mzxw6ytboi",
  ]);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
    deepEqual(fromBase32(toBase32(bytes)), [...bytes]);
  }));
});

Deno.test("a client's public key belongs to the secret one, and comes back from its file", () => {
  const key = newClientKey();
  const secret = Uint8Array.from(fromBase32(key.secret));
  deepEqual(fromBase32(key.public), [...x25519.getPublicKey(secret)]);
  equal(parseClientFile(clientFile(key.public)), key.public);
  for (const text of ["", "x", clientFile(key.public).slice(1)]) {
    equal(parseClientFile(text), undefined);
  }
});

/** Written apart from the encoder: over bits as text. */
function fromBase32(text: string): number[] {
  const bits = [...text].map((character) =>
    "abcdefghijklmnopqrstuvwxyz234567".indexOf(character).toString(2)
      .padStart(5, "0")
  ).join("");
  return (bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2));
}
