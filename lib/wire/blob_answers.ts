import { ByteReader, ByteWriter } from "./byte_cursor.ts";
import { chunkCount } from "./sizes.ts";
import { WireError } from "./wire_error.ts";

/** OK to making a blob or a pool, or filling a pool: its version, and when it expires (ms). */
export type PutOk = { version: number /* u32 */; expires: number /* ms */ };

export function encodePutOk({ version, expires }: PutOk): Uint8Array {
  return new ByteWriter(10).u32(version).u48(expires).bytes;
}

/** Throws `WireError` "malformed". */
export function parsePutOk(body: Uint8Array): PutOk {
  const reader = new ByteReader(body);
  const ok = { version: reader.u32(), expires: reader.u48() };
  reader.end();
  return ok;
}

/** OK to a chunk that was put: the version that is current now. It is another than the base when the last chunk came. */
export function encodeChunkOk(version: number): Uint8Array {
  return new ByteWriter(4).u32(version).bytes;
}

/** Throws `WireError` "malformed". */
export function parseChunkOk(body: Uint8Array): { version: number } {
  const reader = new ByteReader(body);
  const version = reader.u32();
  reader.end();
  return { version };
}

/** OK to a chunk that was asked for. Version and bytes are 0 when the blob has no contents. */
export type GetChunkOk = {
  version: number /* u32 */;
  bytes: number /* u32, of all chunks */;
  expires: number /* ms */;
  chunk: Uint8Array /* empty when there is none of this index */;
};

export function encodeGetChunkOk(ok: GetChunkOk): Uint8Array {
  return new ByteWriter(14 + ok.chunk.length).u32(ok.version).u32(ok.bytes)
    .u48(ok.expires).raw(ok.chunk).bytes;
}

/** Throws `WireError` "malformed". */
export function parseGetChunkOk(body: Uint8Array): GetChunkOk {
  const reader = new ByteReader(body);
  return {
    version: reader.u32(),
    bytes: reader.u32(),
    expires: reader.u48(),
    chunk: reader.rest(),
  };
}

/** OK to asking how far a blob is written. */
export type BlobState = {
  epoch: number /* u32 */;
  quota: number /* u32: the most that contents may measure */;
  lifetime: number /* u32 s */;
  expires: number /* ms: of the blob */;
  /** What readers get. Version and bytes are 0 when there is nothing yet. */
  current: {
    version: number /* u32 */;
    draft: Uint8Array /* 16: what it was written as */;
    bytes: number /* u32 */;
    expires: number /* ms */;
  };
  /** What is on its way, if anything. */
  draft: {
    draft: Uint8Array /* 16 */;
    bytes: number /* u32 */;
    /** By index, whether that chunk is there. */
    there: boolean[];
  } | undefined;
};

export function encodeBlobState(state: BlobState): Uint8Array {
  const { current, draft } = state;
  const there = draft?.there ?? [];
  const bits = new Uint8Array(Math.ceil(there.length / 8));
  for (let i = 0; i < there.length; i++) {
    if (there[i]) bits[i >> 3] |= 0x80 >> (i & 7);
  }
  const writer = new ByteWriter(
    48 + (draft === undefined ? 0 : 20) + bits.length,
  );
  writer.u32(state.epoch).u32(state.quota).u32(state.lifetime)
    .u48(state.expires).u32(current.version).fixed(current.draft, 16)
    .u32(current.bytes).u48(current.expires);
  if (draft !== undefined) {
    writer.fixed(draft.draft, 16).u32(draft.bytes).raw(bits);
  }
  return writer.bytes;
}

/** Throws `WireError` "malformed". */
export function parseBlobState(body: Uint8Array): BlobState {
  const reader = new ByteReader(body);
  const state = {
    epoch: reader.u32(),
    quota: reader.u32(),
    lifetime: reader.u32(),
    expires: reader.u48(),
    current: {
      version: reader.u32(),
      draft: reader.bytes(16),
      bytes: reader.u32(),
      expires: reader.u48(),
    },
  };
  if (reader.remaining === 0) return { ...state, draft: undefined };
  const draft = reader.bytes(16);
  const bytes = reader.u32();
  const count = chunkCount(bytes);
  const bits = reader.bytes(Math.ceil(count / 8));
  reader.end();
  const there = Array.from(
    { length: count },
    (_, i) => (bits[i >> 3] & (0x80 >> (i & 7))) !== 0,
  );
  return { ...state, draft: { draft, bytes, there } };
}

/** OK to asking how full a pool is. Bundles are named by the first 16 bytes of their SHA-256. */
export type PoolState = {
  version: number /* u32 */;
  expires: number /* ms */;
  lastResort: Uint8Array /* 16 */;
  /** In the order in which they will be taken. */
  bundles: Uint8Array[] /* 16 each */;
};

export function encodePoolState(state: PoolState): Uint8Array {
  const writer = new ByteWriter(27 + 16 * state.bundles.length);
  writer.u32(state.version).u48(state.expires).fixed(state.lastResort, 16)
    .u8(state.bundles.length);
  for (const name of state.bundles) writer.fixed(name, 16);
  return writer.bytes;
}

/** Throws `WireError` "malformed". */
export function parsePoolState(body: Uint8Array): PoolState {
  const reader = new ByteReader(body);
  const state = {
    version: reader.u32(),
    expires: reader.u48(),
    lastResort: reader.bytes(16),
    bundles: Array.from({ length: reader.u8() }, () => reader.bytes(16)),
  };
  reader.end();
  return state;
}

/** OK to TAKE: whether it is the last resort, which others get too, and the bundle. */
export type TakeOk = { lastResort: boolean; bundle: Uint8Array };

export function encodeTakeOk({ lastResort, bundle }: TakeOk): Uint8Array {
  return new ByteWriter(1 + bundle.length).u8(lastResort ? 1 : 0).raw(bundle)
    .bytes;
}

/** Throws `WireError` "malformed". */
export function parseTakeOk(body: Uint8Array): TakeOk {
  const reader = new ByteReader(body);
  const flag = reader.u8();
  if (flag > 1) {
    throw new WireError("malformed", "a flag is neither 0 nor 1");
  }
  return { lastResort: flag === 1, bundle: reader.rest() };
}
