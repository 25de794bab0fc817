import { ByteReader, ByteWriter, chunkCount } from "../wire/mod.ts";
import { RecordError } from "./records.ts";
import type { StoreKey } from "./store.ts";

/** What of blobs and prekey pools lies in the store, byte for byte; only a relay reads this. */
const VERSION = 1;

export const BLOBS = "b";
export const CHUNKS = "c";
export const POOLS = "t";

export const blobKey = (blob: Uint8Array): StoreKey => [BLOBS, blob];
export const chunkKey = (
  blob: Uint8Array,
  version: number,
  index: number,
): StoreKey => [CHUNKS, blob, version, index];
export const poolKey = (pool: Uint8Array): StoreKey => [POOLS, pool];

/** One version of a blob's contents: complete, on its way, or being deleted. */
export type Contents = {
  /** Also where its chunks lie. */
  version: number;
  /** What its writer called it, 16 bytes. */
  draft: Uint8Array;
  bytes: number;
  /** ms, on a day boundary, the same for all its chunks. */
  expires: number;
  /** A bit for each chunk: whether it is on disk. */
  there: Uint8Array;
};

export type BlobRecord = {
  readKey: Uint8Array /* 32 */;
  ownKey: Uint8Array /* 32 */;
  writeKey: Uint8Array /* 32 */;
  epoch: number;
  /** The most that contents may measure. */
  quota: number;
  /** Seconds that contents live. */
  lifetime: number;
  /** ms, on a day boundary; never before that of its contents. */
  expires: number;
  /** No contents had this version or a higher one. */
  next: number;
  /** For everybody but the deletion of its chunks there is no such blob. */
  dropped: boolean;
  current: Contents | undefined;
  draft: Contents | undefined;
  /** What is being deleted. A crash may come in between. */
  dying: Contents[];
};

export function encodeBlob(blob: BlobRecord): Uint8Array {
  const { current, draft, dying } = blob;
  const contents = [current, draft, ...dying].filter((one) =>
    one !== undefined
  );
  const size = contents.reduce(
    (sum, { there }) => sum + 30 + there.length,
    122,
  );
  const writer = new ByteWriter(size);
  writer.u8(VERSION).raw(blob.readKey).raw(blob.ownKey).raw(blob.writeKey)
    .u32(blob.epoch).u32(blob.quota).u32(blob.lifetime).u48(blob.expires)
    .u32(blob.next).u8(blob.dropped ? 1 : 0).u8(current === undefined ? 0 : 1)
    .u8(draft === undefined ? 0 : 1);
  for (const { version, draft, bytes, expires, there } of contents) {
    writer.u32(version).raw(draft).u32(bytes).u48(expires).raw(there);
  }
  return writer.bytes;
}

export function decodeBlob(record: Uint8Array): BlobRecord {
  const reader = open(record);
  const head = {
    readKey: reader.bytes(32),
    ownKey: reader.bytes(32),
    writeKey: reader.bytes(32),
    epoch: reader.u32(),
    quota: reader.u32(),
    lifetime: reader.u32(),
    expires: reader.u48(),
    next: reader.u32(),
    dropped: reader.u8() === 1,
  };
  const [hasCurrent, hasDraft] = [reader.u8() === 1, reader.u8() === 1];
  const contents = () => readContents(reader);
  const current = hasCurrent ? contents() : undefined;
  const draft = hasDraft ? contents() : undefined;
  const dying: Contents[] = [];
  while (reader.remaining > 0) dying.push(contents());
  return { ...head, current, draft, dying };
}

function readContents(reader: ByteReader): Contents {
  const head = {
    version: reader.u32(),
    draft: reader.bytes(16),
    bytes: reader.u32(),
    expires: reader.u48(),
  };
  return { ...head, there: reader.bytes(bitmapSize(head.bytes)) };
}

/** Bytes of the bits of as many chunks as contents of `bytes` have. */
export function bitmapSize(bytes: number): number {
  return Math.ceil(chunkCount(bytes) / 8);
}

/** How many bundles that were taken are kept for who asks again because the answer was lost. */
export const TAKEN_REMEMBERED = 8;

export type PoolRecord = {
  takeKey: Uint8Array /* 32 */;
  ownKey: Uint8Array /* 32 */;
  version: number;
  /** ms, on a day boundary */
  expires: number;
  lastResort: Uint8Array;
  /** Not taken yet, the next first. */
  bundles: Uint8Array[];
  /** Taken lately: who asks again under the same id gets the same. */
  taken: { id: Uint8Array /* 16 */; bundle: Uint8Array }[];
};

export function encodePool(pool: PoolRecord): Uint8Array {
  const { lastResort, bundles, taken } = pool;
  const size = bundles.reduce((sum, { length }) => sum + 2 + length, 0) +
    taken.reduce((sum, { bundle }) => sum + 18 + bundle.length, 0);
  const writer = new ByteWriter(79 + lastResort.length + size);
  writer.u8(VERSION).raw(pool.takeKey).raw(pool.ownKey).u32(pool.version)
    .u48(pool.expires).u16(lastResort.length).raw(lastResort)
    .u8(bundles.length);
  for (const bundle of bundles) writer.u16(bundle.length).raw(bundle);
  writer.u8(taken.length);
  for (const { id, bundle } of taken) {
    writer.raw(id).u16(bundle.length).raw(bundle);
  }
  return writer.bytes;
}

export function decodePool(record: Uint8Array): PoolRecord {
  const reader = open(record);
  return {
    takeKey: reader.bytes(32),
    ownKey: reader.bytes(32),
    version: reader.u32(),
    expires: reader.u48(),
    lastResort: reader.bytes(reader.u16()),
    bundles: Array.from(
      { length: reader.u8() },
      () => reader.bytes(reader.u16()),
    ),
    taken: Array.from({ length: reader.u8() }, () => ({
      id: reader.bytes(16),
      bundle: reader.bytes(reader.u16()),
    })),
  };
}

function open(record: Uint8Array): ByteReader {
  const reader = new ByteReader(record);
  if (reader.remaining === 0 || reader.u8() !== VERSION) {
    throw new RecordError("a record in the store has an unknown shape");
  }
  return reader;
}
