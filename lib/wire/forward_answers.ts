import { ByteReader, ByteWriter } from "./byte_cursor.ts";
import { FORWARD_TAG } from "./forward_seal.ts";
import { SEALED_REPLY_SIZES } from "./sizes.ts";

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

/** A message that waits in a queue. */
export type Waiting = {
  seq: number /* u48 */;
  id: Uint8Array /* 16 */;
  /** Empty for one that is too large to be forwarded. */
  envelope: Uint8Array;
};

/** What each message takes in the body of OK to COLLECT, besides its envelope. */
const WAITING_HEADER = 24;

/** The most that fits an answer: SEALED_REPLY_SIZES less the seal's tag, and type and length. */
export const MOST_COLLECTED =
  SEALED_REPLY_SIZES[SEALED_REPLY_SIZES.length - 1] -
  FORWARD_TAG - 3;

/** Bytes that a message takes in the body of OK to COLLECT; its envelope is left out where it fits none. */
export function waitingSize(envelope: number): number {
  const size = WAITING_HEADER + envelope;
  return size > MOST_COLLECTED ? WAITING_HEADER : size;
}

/** The body of OK to COLLECT: (seq u48 ‖ id 16 ‖ length u16 ‖ envelope) for each. */
export function encodeCollectOk(waiting: readonly Waiting[]): Uint8Array {
  const size = waiting.reduce(
    (sum, { envelope }) => sum + waitingSize(envelope.length),
    0,
  );
  const writer = new ByteWriter(size);
  for (const { seq, id, envelope } of waiting) {
    const fits = waitingSize(envelope.length) > WAITING_HEADER;
    const bytes = fits ? envelope : new Uint8Array();
    writer.u48(seq).fixed(id, 16).u16(bytes.length).raw(bytes);
  }
  return writer.bytes;
}

/** Throws `WireError` "malformed". */
export function parseCollectOk(body: Uint8Array): Waiting[] {
  const reader = new ByteReader(body);
  const waiting: Waiting[] = [];
  while (reader.remaining > 0) {
    waiting.push({
      seq: reader.u48(),
      id: reader.bytes(16),
      envelope: reader.bytes(reader.u16()),
    });
  }
  return waiting;
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
