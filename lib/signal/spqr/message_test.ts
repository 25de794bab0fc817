import fc from "fast-check";
import assert from "node:assert/strict";
import { SpqrError, type SpqrErrorCode } from "./error.ts";
import { decodeMessage, encodeMessage, type Message } from "./message.ts";

const refusal = (code: SpqrErrorCode) => ({ name: "SpqrError", code });

/** Objects as literals are: without a prototype they would not be deeply equal. */
const plain = { noNullPrototype: true };
const payloads = fc.oneof(
  fc.record(
    { type: fc.constantFrom("None" as const, "Ct1Ack" as const) },
    plain,
  ),
  fc.record({
    type: fc.constantFrom(
      "Hdr" as const,
      "Ek" as const,
      "EkCt1Ack" as const,
      "Ct1" as const,
      "Ct2" as const,
    ),
    chunk: fc.record({
      index: fc.integer({ min: 0, max: 0xffff }),
      bytes: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }, plain),
  }, plain),
);
const messages: fc.Arbitrary<Message> = fc.record({
  epoch: fc.maxSafeNat().map((epoch) => Math.max(1, epoch)),
  index: fc.integer({ min: 0, max: 0xffffffff }),
  payload: payloads,
}, plain);

Deno.test("the bytes are those of the protocol", () => {
  const none = { epoch: 1, index: 1, payload: { type: "None" } } as const;
  assert.deepEqual(encodeMessage(none), Uint8Array.of(1, 1, 1, 0));
  const ack = { epoch: 300, index: 128, payload: { type: "Ct1Ack" } } as const;
  assert.deepEqual(
    encodeMessage(ack),
    Uint8Array.of(1, 0xac, 0x02, 0x80, 0x01, 4),
  );
  const bytes = new Uint8Array(32).fill(7);
  for (
    const [number, type] of [
      [1, "Hdr"],
      [2, "Ek"],
      [3, "EkCt1Ack"],
      [5, "Ct1"],
      [6, "Ct2"],
    ] as const
  ) {
    const payload = { type, chunk: { index: 130, bytes } };
    assert.deepEqual(
      encodeMessage({ epoch: 2, index: 3, payload }),
      Uint8Array.of(1, 2, 3, number, 0x82, 0x01, ...bytes),
    );
  }
});

Deno.test("what is written is read back, whatever follows it", () => {
  fc.assert(fc.property(messages, fc.uint8Array(), (message, rest) => {
    const bytes = encodeMessage(message);
    assert.deepEqual(decodeMessage(bytes), message);
    assert.deepEqual(decodeMessage(Uint8Array.of(...bytes, ...rest)), message);
  }));
});

Deno.test("a message cut short is malformed", () => {
  fc.assert(fc.property(messages, fc.nat(), (message, cut) => {
    const bytes = encodeMessage(message);
    const length = 1 + cut % (bytes.length - 1);
    assert.throws(
      () => decodeMessage(bytes.subarray(0, length)),
      refusal("malformed"),
    );
  }));
});

Deno.test("a peer without the ratchet is refused, a later version is read as this one", () => {
  assert.throws(() => decodeMessage(new Uint8Array()), refusal("version"));
  assert.throws(
    () => decodeMessage(Uint8Array.of(0, 1, 1, 0)),
    refusal("version"),
  );
  for (const version of [1, 2, 255]) {
    assert.equal(decodeMessage(Uint8Array.of(version, 1, 1, 0)).epoch, 1);
  }
});

Deno.test("numbers out of range are malformed", () => {
  const chunk = new Array(32).fill(0);
  const limits = [
    [1, 0, 1, 0], // epoch 0
    [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10, 1, 0], // epoch above 2^53
    [1, ...new Array(12).fill(0x80), 1, 1, 0], // epoch without end
    [1, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 0], // index 2^32
    [1, 1, 1, 7], // unknown type
    [1, 1, 1, 1, 0x80, 0x80, 0x04, ...chunk], // chunk index 65536
  ];
  for (const bytes of limits) {
    assert.throws(
      () => decodeMessage(Uint8Array.from(bytes)),
      refusal("malformed"),
    );
  }
  const largest = Uint8Array.of(
    1,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0x0f,
    0xff,
    0xff,
    0xff,
    0xff,
    0x0f,
    1,
    0xff,
    0xff,
    3,
    ...chunk,
  );
  const message = decodeMessage(largest);
  assert.equal(message.epoch, Number.MAX_SAFE_INTEGER);
  assert.equal(message.index, 0xffffffff);
});

Deno.test("arbitrary bytes are read or refused, nothing else", () => {
  const start = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(start, (bytes) => {
      try {
        decodeMessage(bytes);
      } catch (error) {
        assert.ok(error instanceof SpqrError);
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a chunk does not share the message's memory", () => {
  const bytes = Buffer.from([1, 1, 1, 1, 0, ...new Array(32).fill(5)]);
  const { payload } = decodeMessage(bytes);
  bytes.fill(0);
  assert.ok("chunk" in payload);
  assert.deepEqual(payload.chunk.bytes, new Uint8Array(32).fill(5));
});
