import assert from "node:assert/strict";
import fc from "fast-check";
import { hexToBytes } from "@noble/hashes/utils.js";
import { MalformedError, writeMessage } from "../keys/mod.ts";
import {
  type ContentFields,
  type KnownBody,
  newContent,
  newContentId,
  parseContent,
} from "./content.ts";
import {
  MAX_EMOJI_BYTES,
  MAX_RECEIPT_IDS,
  MAX_TEXT_BYTES,
  TextTooLongError,
} from "./limits.ts";

const THEM = "00000000-0000-8000-8000-000000000002";

const FIELDS: ContentFields = {
  conversation: "11".repeat(16),
  id: "22".repeat(16),
  time: 1_795_000_000_000,
  expiry: 0,
  deviceList: { version: 3, hash: new Uint8Array(8).fill(7) },
  backupVersion: 9,
};

const hexId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
);
const wellFormed = fc.string({ unit: "grapheme" });
const body: fc.Arbitrary<KnownBody> = fc.oneof(
  fc.record({ kind: fc.constant("text" as const), text: wellFormed }),
  fc.record({
    kind: fc.constant("receipt" as const),
    state: fc.constantFrom("delivered" as const, "read" as const),
    ids: fc.array(hexId, { minLength: 1, maxLength: 40 }),
  }),
  fc.constant({ kind: "hello" as const }),
  fc.record({
    kind: fc.constant("edit" as const),
    target: hexId,
    text: wellFormed,
  }),
  fc.record({ kind: fc.constant("deletion" as const), target: hexId }),
  fc.record({
    kind: fc.constant("reaction" as const),
    target: hexId,
    targetAuthor: fc.constant(THEM),
    emoji: fc.constantFrom("", "👍", "❤️", "👨‍👩‍👧‍👦"),
  }),
);
const fields: fc.Arbitrary<ContentFields> = fc.record({
  conversation: hexId,
  id: hexId,
  time: fc.nat({ max: 4_000_000_000_000 }),
  expiry: fc.nat({ max: 0xffff_ffff }),
  deviceList: fc.record({
    version: fc.nat({ max: 0xffff_ffff }),
    hash: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  }, { noNullPrototype: true }),
  backupVersion: fc.nat({ max: 0xffff_ffff }),
});

Deno.test("what one device says, another reads", () => {
  fc.assert(fc.property(fields, body, (fields, body) => {
    const content = newContent(fields, body);
    // fast-check's records have no prototype; a copy has.
    assert.deepEqual(parseContent(content.bytes), {
      ...content,
      body: { ...body },
    });
  }));
});

Deno.test("any other bytes are malformed, and nothing worse", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      parseContent(bytes);
    } catch (error) {
      assert.ok(error instanceof MalformedError, String(error));
    }
  }));
});

Deno.test("a content that is cut off is malformed, one with a flipped byte is read or malformed", () => {
  const { bytes } = newContent(FIELDS, { kind: "text", text: "cut me" });
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => parseContent(bytes.slice(0, length)), MalformedError);
  }
  for (let i = 0; i < bytes.length; i++) {
    for (let bit = 0; bit < 8; bit++) {
      try {
        parseContent(bytes.with(i, bytes[i] ^ 1 << bit));
      } catch (error) {
        assert.ok(error instanceof MalformedError, String(error));
      }
    }
  }
});

Deno.test("text that is not UTF-8 is malformed", () => {
  const content = withBody(12, (writer) => {
    writer.writeTag(1, 2);
    writer.writeBytes(Uint8Array.of(0xc3, 0x28));
  });
  assert.throws(() => parseContent(content), MalformedError);
});

Deno.test("a byte order mark and every kind of line break stay in a text", () => {
  const text = "\ufeffone\ntwo\r\nthree\u2028four \u05d0\u05d1";
  const { body } = parseContent(
    newContent(FIELDS, { kind: "text", text }).bytes,
  );
  assert.deepEqual(body, { kind: "text", text });
});

Deno.test("a lone surrogate is sent as the replacement character", () => {
  const { bytes } = newContent(FIELDS, { kind: "text", text: "a\ud800b" });
  assert.deepEqual(parseContent(bytes).body, {
    kind: "text",
    text: "a\ufffdb",
  });
});

Deno.test("a text of the largest length is a message, a longer one says by how much", () => {
  const longest = "é".repeat(MAX_TEXT_BYTES / 2);
  assert.deepEqual(
    parseContent(newContent(FIELDS, { kind: "text", text: longest }).bytes)
      .body,
    { kind: "text", text: longest },
  );
  for (
    const body of [
      { kind: "text", text: `${longest}x` },
      { kind: "edit", target: FIELDS.id, text: `${longest}x` },
    ] as const
  ) {
    assert.throws(
      () => newContent(FIELDS, body),
      (error) =>
        error instanceof TextTooLongError && error.bytes === MAX_TEXT_BYTES + 1,
    );
  }
});

Deno.test("receipts and reactions beyond their limits are neither written nor read", () => {
  const ids = Array.from({ length: MAX_RECEIPT_IDS + 1 }, newContentId);
  for (const wrong of [[], ids]) {
    assert.throws(
      () => newContent(FIELDS, { kind: "receipt", state: "read", ids: wrong }),
      RangeError,
    );
    const content = withBody(13, (writer) => {
      writer.writeTag(1, 0);
      writer.writeVarint(1);
      writer.writeTag(2, 2);
      writer.writeBytes(hexToBytes(wrong.join("")));
    });
    assert.throws(() => parseContent(content), MalformedError);
  }
  const reaction = {
    kind: "reaction",
    target: FIELDS.id,
    targetAuthor: THEM,
    emoji: "x".repeat(MAX_EMOJI_BYTES + 1),
  } as const;
  assert.throws(() => newContent(FIELDS, reaction), RangeError);
});

Deno.test("a receipt with an unknown state or half an id is malformed", () => {
  for (const [state, length] of [[0, 16], [3, 16], [1, 17], [1, 8]]) {
    const content = withBody(13, (writer) => {
      writer.writeTag(1, 0);
      writer.writeVarint(state);
      writer.writeTag(2, 2);
      writer.writeBytes(new Uint8Array(length));
    });
    assert.throws(() => parseContent(content), MalformedError);
  }
});

Deno.test("a body of a later version is unknown: up to 31 it has a place in the conversation, from 32 on none", () => {
  for (
    const [number, shown] of [[18, true], [31, true], [32, false], [
      63,
      false,
    ]] as const
  ) {
    const bytes = withBody(
      number,
      (writer) => writer.writeTag(1, 0),
      Uint8Array.of(8, 1),
    );
    const content = parseContent(bytes);
    assert.deepEqual(content.body, { kind: "unknown", shown });
    assert.deepEqual(content.bytes, bytes, "kept as it came");
  }
});

Deno.test("a higher version means that even a known body may say something else", () => {
  const { bytes } = newContent(FIELDS, { kind: "text", text: "hm" });
  assert.deepEqual([...bytes.slice(0, 2)], [8, 1]);
  assert.deepEqual(parseContent(bytes.with(1, 2)).body, {
    kind: "unknown",
    shown: true,
  });
});

Deno.test("no body, or two, is malformed; a field beyond the bodies is for a later version", () => {
  const { bytes } = newContent(FIELDS, { kind: "text", text: "x" });
  const [hello, attribute] = [[14 << 3 | 2, 0], [0xb2, 0x04, 0]]; // field 70
  assert.throws(
    () => parseContent(Uint8Array.of(...bytes, ...hello)),
    MalformedError,
  );
  assert.throws(
    () => parseContent(Uint8Array.of(...bytes, ...bytes)),
    MalformedError,
  );
  assert.equal(
    parseContent(Uint8Array.of(...bytes, ...attribute)).body.kind,
    "text",
  );
  const bodyless = bytes.slice(0, -(2 + 1 + 2)); // tag, length, text field of one byte
  assert.throws(() => parseContent(bodyless), MalformedError);
});

/** A content with the usual fields and one body, written by hand. */
function withBody(
  number: number,
  fill: Parameters<typeof writeMessage>[0],
  encoded = writeMessage(fill),
): Uint8Array {
  const { bytes } = newContent(FIELDS, { kind: "hello" });
  const body = writeMessage((writer) => {
    writer.writeTag(number, 2);
    writer.writeBytes(encoded);
  });
  return Uint8Array.of(...bytes.slice(0, -2), ...body); // without the hello
}
