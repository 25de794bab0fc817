/**
 * What PUT, GET, DROP and TAKE say about blobs and prekey pools. Each is complete in itself: its
 * signature, over all of it and the challenge (`proofMessage`), is the only proof it needs.
 * Byte layouts: docs/protocol.md § Blobs, § Prekey pools.
 */

/** The byte that says what a command is about. */
export const SUBJECTS = { blob: 0, chunk: 1, pool: 2, bundles: 3 } as const;
export type Subject = keyof typeof SUBJECTS;

/** Makes a blob, or gives it another write key, size or lifetime. Signed by its own key. */
export type MakeBlob = {
  about: "blob";
  readKey: Uint8Array /* 32 */;
  ownKey: Uint8Array /* 32 */;
  writeKey: Uint8Array /* 32 */;
  epoch: number /* u32: rises with every new write key */;
  bytes: number /* u32: the most that its contents will measure */;
  lifetime: number /* u32 s: of contents from when they were begun */;
  work: bigint;
};

/** One chunk of new contents, which replace version `base` when the last is there. Signed by the write key. */
export type PutChunk = {
  about: "chunk";
  blob: Uint8Array /* 16 */;
  base: number /* u32, 0: there are no contents yet */;
  draft: Uint8Array /* 16, random: which new contents this is of */;
  bytes: number /* u32: what the new contents measure, in all chunks */;
  index: number /* u16 */;
  chunk: Uint8Array /* MAX_CHUNK, or what is left for the last */;
};

/** Makes a prekey pool with what it holds. Signed by its own key. */
export type MakePool = {
  about: "pool";
  takeKey: Uint8Array /* 32 */;
  ownKey: Uint8Array /* 32 */;
  work: bigint;
  lastResort: Uint8Array;
  bundles: Uint8Array[];
};

/** Adds bundles to version `base` of a pool and renews it. Signed by its own key. */
export type FillPool = {
  about: "bundles";
  pool: Uint8Array /* 16 */;
  base: number /* u32 */;
  /** The one-time bundles that are there go first. */
  discard: boolean;
  /** Empty: the one that is there stays. */
  lastResort: Uint8Array;
  bundles: Uint8Array[];
};

/** One chunk of a version, 0 being whichever is current. Signed by the read key. */
export type GetChunk = {
  about: "chunk";
  blob: Uint8Array /* 16 */;
  version: number /* u32 */;
  index: number /* u16 */;
};

/** How far a blob (signed by its write key) or a pool (by its own key) is filled. */
export type GetState = { about: "blob" | "pool"; id: Uint8Array /* 16 */ };

export type BlobCommand =
  & { signature: Uint8Array /* 64 */ }
  & (
    | ({ type: "PUT" } & (MakeBlob | PutChunk | MakePool | FillPool))
    | ({ type: "GET" } & (GetChunk | GetState))
    /** Deletes a blob or a pool. Signed by its own key. */
    | { type: "DROP"; about: "blob" | "pool"; id: Uint8Array /* 16 */ }
    /** One bundle of a pool; under the same id the same one again. Signed by its take key. */
    | { type: "TAKE"; pool: Uint8Array /* 16 */; id: Uint8Array /* 16 */ }
  );
