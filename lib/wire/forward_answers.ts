import { ByteReader, ByteWriter } from "./byte_cursor.ts";

/** What the other side of a rendezvous left, under its index. */
export type Left = { index: number /* u8 */; bytes: Uint8Array };

/** The body of OK to MEET that looks: (index u8 ‖ length u16 ‖ bytes) for each. */
export function encodeMeetOk(left: readonly Left[]): Uint8Array {
  const size = left.reduce((sum, { bytes }) => sum + 3 + bytes.length, 0);
  const writer = new ByteWriter(size);
  for (const { index, bytes } of left) {
    writer.u8(index).u16(bytes.length).raw(bytes);
  }
  return writer.bytes;
}

/** Throws `WireError` "malformed". */
export function parseMeetOk(body: Uint8Array): Left[] {
  const reader = new ByteReader(body);
  const left: Left[] = [];
  while (reader.remaining > 0) {
    left.push({ index: reader.u8(), bytes: reader.bytes(reader.u16()) });
  }
  return left;
}

/** The body of OK to FWD that greets: a handle, and what the other relay said first (parseHello). */
export function encodeGreetOk(handle: number, hello: Uint8Array): Uint8Array {
  return new ByteWriter(4 + hello.length).u32(handle).raw(hello).bytes;
}

/** Throws `WireError` "malformed". */
export function parseGreetOk(
  body: Uint8Array,
): { handle: number; hello: Uint8Array } {
  const reader = new ByteReader(body);
  return { handle: reader.u32(), hello: reader.rest() };
}
