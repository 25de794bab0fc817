import { ByteReader, ByteWriter } from "./byte_cursor.ts";
import { WireError } from "./wire_error.ts";

/** The body of OK to BIND. */
export function encodeBindOk(handle: number): Uint8Array {
  return new ByteWriter(4).u32(handle).bytes;
}

/** Throws `WireError` "malformed". */
export function parseBindOk(body: Uint8Array): { handle: number } {
  const reader = new ByteReader(body);
  const handle = reader.u32();
  reader.end();
  return { handle };
}

export type OpenOk = {
  handle: number;
  nameplate: number /* 20 bits */;
  expires: number; /* ms */
};

/** The body of OK to OPEN. */
export function encodeOpenOk(ok: OpenOk): Uint8Array {
  return new ByteWriter(14).u32(ok.handle).u32(ok.nameplate).u48(ok.expires)
    .bytes;
}

/** Throws `WireError` "malformed". */
export function parseOpenOk(body: Uint8Array): OpenOk {
  const reader = new ByteReader(body);
  const ok = {
    handle: reader.u32(),
    nameplate: reader.u32(),
    expires: reader.u48(),
  };
  reader.end();
  if (ok.nameplate >= 1 << 20) {
    throw new WireError("malformed", "a nameplate has 20 bits");
  }
  return ok;
}

export type JoinOk = { handle: number; expires: number /* ms */ };

/** The body of OK to JOIN. */
export function encodeJoinOk(ok: JoinOk): Uint8Array {
  return new ByteWriter(10).u32(ok.handle).u48(ok.expires).bytes;
}

/** Throws `WireError` "malformed". */
export function parseJoinOk(body: Uint8Array): JoinOk {
  const reader = new ByteReader(body);
  const ok = { handle: reader.u32(), expires: reader.u48() };
  reader.end();
  return ok;
}

/** The detail of ERR replaced: the generation that holds the queue now, or the epoch of a blob's write key. */
export function encodeReplacedDetail(generation: number): Uint8Array {
  return encodeNumberDetail(generation);
}

/** Throws `WireError` "malformed". */
export function parseReplacedDetail(
  detail: Uint8Array,
): { generation: number } {
  return { generation: parseNumberDetail(detail) };
}

/**
 * The detail that is one number: of conflict the version that a blob or pool has now, of too-large
 * the most that would do.
 */
export function encodeNumberDetail(number: number): Uint8Array {
  return new ByteWriter(4).u32(number).bytes;
}

/** Throws `WireError` "malformed". */
export function parseNumberDetail(detail: Uint8Array): number {
  const reader = new ByteReader(detail);
  const number = reader.u32();
  reader.end();
  return number;
}

/** Of ERR work's detail, the bits that the relay asks for now. Throws `WireError` "malformed". */
export function parseWorkDetail(detail: Uint8Array): { bits: number } {
  const reader = new ByteReader(detail);
  const bits = reader.u8();
  reader.end();
  return { bits };
}

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
