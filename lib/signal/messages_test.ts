import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { SignalError, type SignalErrorCode } from "./errors.ts";
import {
  encodePreKeyMessage,
  encodeSignalMessage,
  MAC_LENGTH,
  parsePreKeyMessage,
  parseSignalMessage,
  type PreKeyMessage,
  type SignalMessage,
} from "./messages.ts";

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  .map((u) => Uint8Array.of(5, ...u));
const mac = new Uint8Array(MAC_LENGTH).fill(7);

function refused(code: SignalErrorCode) {
  return (error: unknown) =>
    error instanceof SignalError && error.code === code;
}

Deno.test("a SignalMessage is read as it was written", () => {
  fc.assert(fc.property(
    fc.record<SignalMessage>({
      ratchetKey: key,
      counter: u32,
      previousCounter: u32,
      ciphertext: bytes(300),
      pqRatchet: bytes(60),
      addresses: fc.option(fc.uint8Array({ minLength: 36, maxLength: 36 }), {
        nil: undefined,
      }),
    }),
    (message) => {
      const encoded = encodeSignalMessage(message);
      const parsed = parseSignalMessage(concatBytes(encoded, mac));
      assert.deepEqual(parsed, { ...message, authenticated: encoded, mac });
    },
  ));
});

Deno.test("a PreKey message is read as it was written", () => {
  fc.assert(fc.property(
    fc.record<PreKeyMessage>({
      registrationId: u32,
      preKeyId: fc.option(u32, { nil: undefined }),
      signedPreKeyId: u32,
      kyberPreKeyId: u32,
      kyberCiphertext: bytes(1600),
      baseKey: key,
      identityKey: key,
      message: bytes(300),
    }),
    (message) => {
      assert.deepEqual(parsePreKeyMessage(encodePreKeyMessage(message)), {
        ...message,
      });
    },
  ));
});

Deno.test("the bytes of a SignalMessage: version, then every field, zeros included", () => {
  const encoded = encodeSignalMessage({
    ratchetKey: Uint8Array.of(5, ...new Uint8Array(32)),
    counter: 0,
    previousCounter: 0,
    ciphertext: Uint8Array.of(1, 2),
    pqRatchet: Uint8Array.of(3),
  });
  assert.deepEqual(
    encoded,
    hexToBytes(
      `44 0a2105${"00".repeat(32)} 1000 1800 22020102 2a0103`.replaceAll(
        " ",
        "",
      ),
    ),
  );
});

Deno.test("other versions are refused, X3DH among them", () => {
  for (const version of [0x33, 0x34, 0x54, 0x00]) {
    const message = Uint8Array.of(version, ...new Uint8Array(80));
    assert.throws(() => parseSignalMessage(message), refused("version"));
    assert.throws(() => parsePreKeyMessage(message), refused("version"));
  }
});

Deno.test("arbitrary bytes are refused with a code, never with another exception", () => {
  const acceptable = (
    parse: (message: Uint8Array) => unknown,
    message: Uint8Array,
  ) => {
    try {
      parse(message);
    } catch (error) {
      assert(error instanceof SignalError, String(error));
    }
  };
  fc.assert(
    fc.property(bytes(400), fc.boolean(), (noise, versioned) => {
      const message = versioned ? Uint8Array.of(0x44, ...noise) : noise;
      acceptable(parseSignalMessage, message);
      acceptable(parsePreKeyMessage, message);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("what protobuf allows and we do not: missing fields, wrong types, numbers beyond 32 bits", () => {
  const header = `0a2105${"00".repeat(32)}`;
  const cases: [string, SignalErrorCode][] = [
    ["", "malformed"],
    [`${header}1000`, "malformed"], // no ciphertext
    [`${header}220101`, "malformed"], // no counter
    [`${header}120100220101`, "malformed"], // counter as bytes
    [`${header}10808080801022 0101`.replace(" ", ""), "malformed"], // counter 2^32
    [`${header}100022ff01`, "malformed"], // cut off
    [`${header}1000220101 00`.replace(" ", ""), "malformed"], // field number 0
    [`${header}1000220101 33`.replace(" ", ""), "malformed"], // a group
    [`0a2106${"00".repeat(32)}1000220101`, "invalid-key"],
    [`0a2005${"00".repeat(31)}1000220101`, "invalid-key"],
  ];
  for (const [fields, code] of cases) {
    const message = concatBytes(Uint8Array.of(0x44), hexToBytes(fields), mac);
    assert.throws(() => parseSignalMessage(message), refused(code), fields);
  }
});

Deno.test("unknown fields are skipped, and of a repeated one the last counts", () => {
  const header = `0a2105${"00".repeat(32)}`;
  const message = hexToBytes(
    `44${header}10011002220101${"7d01020304"}${"780a"}`,
  );
  const parsed = parseSignalMessage(concatBytes(message, mac));
  assert.equal(parsed.counter, 2);
  assert.equal(parsed.pqRatchet.length, 0);
});
