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
