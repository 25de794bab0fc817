import assert from "node:assert/strict";
import fc from "fast-check";
import { Fields, MalformedError, writeMessage } from "./protobuf.ts";

const message = writeMessage((writer) => {
  writer.writeVarintField(1, 300);
  writer.writeBytesField(2, Uint8Array.of(1, 2, 3));
  writer.writeStringField(3, "ünï");
  writer.writeBytesField(4, Uint8Array.of(4));
  writer.writeBytesField(4, Uint8Array.of(5));
});

Deno.test("fields are read by number, kind, range and length", () => {
  const fields = new Fields(message);
  assert.equal(fields.uint(1, 0, 300), 300);
  assert.deepEqual(fields.bytes(2, 3), Uint8Array.of(1, 2, 3));
  assert.equal(fields.text(3), "ünï");
  assert.deepEqual(fields.repeated(4, 2), [
    Uint8Array.of(4),
    Uint8Array.of(5),
  ]);
  assert.deepEqual(fields.repeated(9, 2), []);
  assert.equal(fields.has(2), true);
  assert.equal(fields.has(9), false);
});

Deno.test("what is not of the promised shape is malformed", () => {
  const fields = new Fields(message);
  for (
    const read of [
      () => fields.uint(1, 0, 299),
      () => fields.uint(1, 301, 400),
      () => fields.uint(2, 0, 10),
      () => fields.uint(9, 0, 10),
      () => fields.bytes(1),
      () => fields.bytes(2, 4),
      () => fields.bytes(4),
      () => fields.repeated(4, 1),
      () => fields.text(9),
    ]
  ) assert.throws(read, MalformedError);
});

Deno.test("invalid UTF-8 is not repaired", () => {
  const bytes = writeMessage((writer) => {
    writer.writeBytesField(1, Uint8Array.of(0xff, 0xfe));
  });
  assert.throws(() => new Fields(bytes).text(1), MalformedError);
});

Deno.test("numbers beyond 2^53 are refused, not rounded", () => {
  const bytes = Uint8Array.of(
    0x08,
    ...Array<number>(9).fill(0xff),
    0x01,
  );
  assert.throws(
    () => new Fields(bytes).uint(1, 0, Number.MAX_SAFE_INTEGER),
    MalformedError,
  );
});

Deno.test("a varint that does not end is malformed, as a tag, a value or a length", () => {
  const endless = Array<number>(12).fill(0xff);
  for (const bytes of [endless, [0x08, ...endless], [0x12, ...endless]]) {
    assert.throws(() => new Fields(Uint8Array.from(bytes)), MalformedError);
  }
});

Deno.test("a message cut anywhere inside a field is malformed", () => {
  const boundaries = new Set([0, 3, 8, 15, 18, 21]);
  for (let length = 0; length < message.length; length++) {
    if (boundaries.has(length)) continue;
    assert.throws(
      () => new Fields(message.slice(0, length)),
      MalformedError,
      `cut at ${length}`,
    );
  }
});

Deno.test("whatever bytes come in, only MalformedError comes out", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        const fields = new Fields(bytes);
        fields.uint(1, 0, 10);
        fields.bytes(2, 3);
        fields.text(3);
      } catch (error) {
        assert.ok(error instanceof MalformedError);
      }
    }),
    { numRuns: 2000 },
  );
});
