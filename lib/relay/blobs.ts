import {
  blobId,
  chunkCount,
  encodeBlobState,
  encodeChunkOk,
  encodeGetChunkOk,
  encodePutOk,
  encodeReplacedDetail,
  type GetChunk,
  type MakeBlob,
  type PutChunk,
} from "../wire/mod.ts";
import {
  blobKey,
  type BlobRecord,
  chunkKey,
  type Contents,
  decodeBlob,
  encodeBlob,
} from "./blob_records.ts";
import {
  blobSurcharge,
  blobWeight,
  hasRoomForBlobs,
  type Place,
} from "./blob_room.ts";
import { same, textOf } from "./byte_text.ts";
import {
  chunkDiskBytes,
  deletion,
  emptyContents,
  isComplete,
  isThere,
  withChunk,
} from "./contents.ts";
import { Lanes } from "./lanes.ts";
import { expiryAt, type QueueContext } from "./queue_context.ts";
import {
  BUSY,
  conflictWith,
  largerThan,
  NO_SUCH_BLOB,
  OK,
  type Reply,
  UNAUTHORISED,
} from "./reply.ts";
import { diskBytes, type Mutation } from "./store.ts";
import type { Kept } from "./stored_bytes.ts";

/** Chunks deleted in one commit: each is a mutation, and so is the record. */
const DELETED_TOGETHER = 400;

/** How often a reader is overtaken by writers before it is told to come back. */
const OVERTAKEN = 3;

const NO_DRAFT = new Uint8Array(16);

/**
 * All blobs. Nothing of them is in memory but what is under way: what a blob is, its record on disk
 * says, and what concerns one blob happens one after another.
 */
export class Blobs {
  readonly #context: QueueContext;
  readonly #lanes = new Lanes();
  /** Bytes of chunks that wait for their turn. */
  #waiting = 0;

  constructor(context: QueueContext) {
    this.#context = context;
  }

  /** The record of a blob, or undefined when there is none or it has expired. */
  async find(id: Uint8Array): Promise<BlobRecord | undefined> {
    const record = await this.#context.store.get(blobKey(id));
    const blob = record && decodeBlob(record);
    if (blob === undefined || blob.dropped || this.#expired(blob)) return;
    return blob;
  }

  /** Bits of work that making a blob or pool of so many bytes costs on top of the price. */
  surcharge(bytes: number): number {
    return blobSurcharge(this.#context, bytes);
  }

  /** How many anonymous commands making it counts as. */
  weight(bytes: number): number {
    return blobWeight(this.#context, bytes);
  }

  /** Resolves when what was asked is done. */
  idle(): Promise<void> {
    return this.#lanes.idle();
  }

  /** Makes a blob, or changes its write key, quota and lifetime, and renews it. */
  make(command: MakeBlob): Promise<Reply> {
    const { readKey, ownKey, writeKey, epoch, bytes } = command;
    const { limits } = this.#context;
    if (bytes > limits.bytesPerBlob) {
      return Promise.resolve(largerThan(limits.bytesPerBlob));
    }
    const id = blobId(readKey, ownKey);
    return this.#inTurn(id, async (before) => {
      if (
        before !== undefined && (epoch < before.epoch ||
          epoch === before.epoch && !same(writeKey, before.writeKey))
      ) {
        const detail = encodeReplacedDetail(before.epoch);
        return { error: "replaced", detail };
      }
      const lifetime = Math.min(command.lifetime, limits.blobLifetime);
      const known = before?.epoch === epoch;
      const blob: BlobRecord = {
        readKey,
        ownKey,
        writeKey,
        epoch,
        quota: bytes,
        lifetime,
        expires: Math.max(
          expiryAt(this.#context, lifetime),
          before?.current?.expires ?? 0,
        ),
        next: before?.next ?? 1,
        dropped: false,
        current: before?.current,
        // Who has the older key may know what was on its way.
        draft: known ? before.draft : undefined,
        dying: known ? [] : list(before?.draft),
      };
      if (!await this.#write(id, before, blob)) return BUSY;
      const { current, expires } = blob;
      return { ok: encodePutOk({ version: current?.version ?? 0, expires }) };
    });
  }

  /** Takes a chunk from the holder of `writeKey`. With the last one the draft becomes what readers get. */
  async put(command: PutChunk, writeKey: Uint8Array): Promise<Reply> {
    const { flusher, limits } = this.#context;
    const size = command.chunk.length;
    if (
      flusher.unwrittenBytes + this.#waiting + size > limits.unwrittenBytes
    ) return BUSY;
    this.#waiting += size;
    try {
      return await this.#inTurn(
        command.blob,
        (blob) => this.#put(command, writeKey, blob),
      );
    } finally {
      this.#waiting -= size;
    }
  }

  /** A chunk of what is current, read while others may write. */
  async get({ blob: id, version, index }: GetChunk): Promise<Reply> {
    for (let tries = 0; tries < OVERTAKEN; tries++) {
      const blob = await this.find(id);
      if (blob === undefined) return NO_SUCH_BLOB;
      const current = this.#expired(blob.current) ? undefined : blob.current;
      if (version !== 0 && version !== current?.version) {
        return conflictWith(current?.version ?? 0);
      }
      if (current === undefined || index >= chunkCount(current.bytes)) {
        return { ok: chunkOk(current, new Uint8Array()) };
      }
      const key = chunkKey(id, current.version, index);
      const chunk = await this.#context.store.get(key);
      if (chunk !== undefined) return { ok: chunkOk(current, chunk) };
    }
    return BUSY;
  }

  /** How far it is written, for the holder of `writeKey`. */
  state(id: Uint8Array, writeKey: Uint8Array): Promise<Reply> {
    return this.#inTurn(id, (blob) => {
      if (blob === undefined) return Promise.resolve(NO_SUCH_BLOB);
      if (!same(blob.writeKey, writeKey)) return Promise.resolve(UNAUTHORISED);
      return Promise.resolve({ ok: stateOk(blob) });
    });
  }

  /** Deletes a blob with all that it holds. When this is OK nobody reads it any more. */
  drop(id: Uint8Array): Promise<Reply> {
    return this.#inTurn(id, async (before) => {
      if (before === undefined) return NO_SUCH_BLOB;
      const dying = [...list(before.current), ...list(before.draft)];
      const blob = {
        ...before,
        dropped: true,
        current: undefined,
        draft: undefined,
        dying,
      };
      return await this.#write(id, before, blob) ? OK : BUSY;
    });
  }

  async #put(
    command: PutChunk,
    writeKey: Uint8Array,
    before: BlobRecord | undefined,
  ): Promise<Reply> {
    if (before === undefined) return NO_SUCH_BLOB;
    if (!same(before.writeKey, writeKey)) return UNAUTHORISED;
    const { base, bytes, index, chunk } = command;
    const { current } = before;
    if (bytes > before.quota) return largerThan(before.quota);
    const version = current?.version ?? 0;
    if (current !== undefined && isOf(current, command)) {
      return { ok: encodeChunkOk(version) }; // its last chunk came, and the answer was lost
    }
    const draft = this.#draftFor(command, before);
    if (base !== version || draft === undefined) return conflictWith(version);
    if (isThere(draft, index)) return { ok: encodeChunkOk(version) };
    const written = withChunk(draft, index, true);
    const complete = isComplete(written);
    const begun = before.draft?.version !== draft.version;
    const blob: BlobRecord = {
      ...before,
      expires: Math.max(before.expires, draft.expires),
      next: Math.max(before.next, draft.version + 1),
      current: complete ? written : current,
      draft: complete ? undefined : written,
      dying: [
        ...begun ? list(before.draft) : [],
        ...complete ? list(current) : [],
      ],
    };
    const key = chunkKey(command.blob, draft.version, index);
    const expireIn = Math.max(draft.expires - this.#context.now(), 1);
    const kept: Kept = {
      bytes: chunkDiskBytes(draft, index),
      expires: draft.expires,
      blob: true,
    };
    const place: Place = current === undefined || bytes > current.bytes
      ? "none"
      : complete
      ? "at-once"
      : "in-parts";
    const also = { mutation: { key, value: chunk, expireIn }, kept, place };
    if (!await this.#write(command.blob, before, blob, also)) return BUSY;
    return { ok: encodeChunkOk(blob.current?.version ?? 0) };
  }

  /** What a chunk belongs to: the draft that is there, or a new one that its first chunk begins. */
  #draftFor(command: PutChunk, blob: BlobRecord): Contents | undefined {
    if (blob.draft !== undefined && isOf(blob.draft, command)) {
      return blob.draft;
    }
    if (command.index !== 0) return undefined;
    return emptyContents({
      version: blob.next,
      draft: command.draft,
      bytes: command.bytes,
      expires: expiryAt(this.#context, blob.lifetime),
    });
  }

  /** Runs `task` on the record as it is then, after all that was asked before and what a crash left undone. */
  #inTurn(
    id: Uint8Array,
    task: (blob: BlobRecord | undefined) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#lanes.run(textOf(id), async () => {
      if (!await this.#bury(id)) return BUSY;
      return await task(await this.find(id));
    });
  }

  /** Writes a record in place of the one before, with a chunk; what it lets die is deleted afterwards. */
  async #write(
    id: Uint8Array,
    before: BlobRecord | undefined,
    blob: BlobRecord,
    also?: { mutation: Mutation; kept: Kept; place: Place },
  ): Promise<boolean> {
    const kept = [...this.#recordKept(before, blob), ...list(also?.kept)];
    // Deletions are accepted whatever is full.
    const fits = () => hasRoomForBlobs(this.#context, kept, also?.place);
    if (!blob.dropped && !fits()) return false;
    const mutations = [...list(also?.mutation), this.#mutation(id, blob)];
    const done = await this.#commit(mutations, kept);
    if (done && (blob.dying.length > 0 || blob.dropped)) {
      // Asked for now, so before anything that comes later; nobody waits for it.
      this.#lanes.run(textOf(id), () => this.#bury(id))
        .catch(this.#context.failed);
    }
    return done;
  }

  /** Deletes chunks that are dying or have expired, some in each commit, and in the end a dropped record. False: the disk refused. */
  async #bury(id: Uint8Array): Promise<boolean> {
    for (;;) {
      const record = await this.#context.store.get(blobKey(id));
      const before = record && decodeBlob(record);
      if (before === undefined) return true;
      const blob = this.#withoutExpired(before);
      const [first, ...others] = blob.dying;
      if (first === undefined) {
        if (!before.dropped) return true;
        const kept = this.#recordKept(before, undefined);
        return await this.#commit([{ key: blobKey(id) }], kept);
      }
      const { mutations, kept, left } = deletion(id, first, DELETED_TOGETHER);
      blob.dying = [...list(left), ...others];
      mutations.push(this.#mutation(id, blob));
      kept.push(...this.#recordKept(before, blob));
      if (!await this.#commit(mutations, kept)) return false;
    }
  }

  /** Contents that have expired die, though the store would forget them by itself. */
  #withoutExpired(blob: BlobRecord): BlobRecord {
    const { current, draft, dying } = blob;
    const [currentOver, draftOver] = [
      this.#expired(current),
      this.#expired(draft),
    ];
    return {
      ...blob,
      current: currentOver ? undefined : current,
      draft: draftOver ? undefined : draft,
      dying: [
        ...dying,
        ...currentOver ? list(current) : [],
        ...draftOver ? list(draft) : [],
      ],
    };
  }

  #expired(one: { expires: number } | undefined): boolean {
    return one !== undefined && one.expires <= this.#context.now();
  }

  #mutation(id: Uint8Array, blob: BlobRecord): Mutation {
    const expireIn = Math.max(blob.expires - this.#context.now(), 1);
    return { key: blobKey(id), value: encodeBlob(blob), expireIn };
  }

  #recordKept(
    before: BlobRecord | undefined,
    after: BlobRecord | undefined,
  ): Kept[] {
    const kept: Kept[] = [];
    if (after !== undefined) {
      const bytes = diskBytes(encodeBlob(after).length);
      kept.push({ bytes, expires: after.expires, blob: true });
    }
    if (before !== undefined) {
      const bytes = -diskBytes(encodeBlob(before).length);
      kept.push({ bytes, expires: before.expires, blob: true });
    }
    return kept;
  }

  #commit(mutations: Mutation[], kept: Kept[]): Promise<boolean> {
    return new Promise((resolve) =>
      this.#context.flusher.writeTogether(
        mutations,
        (error) => resolve(error === undefined),
        kept,
      )
    );
  }
}

function list<Item>(item: Item | undefined): Item[] {
  return item === undefined ? [] : [item];
}

function isOf(contents: Contents, { draft, bytes }: PutChunk): boolean {
  return contents.bytes === bytes && same(contents.draft, draft);
}

function chunkOk(
  current: Contents | undefined,
  chunk: Uint8Array,
): Uint8Array {
  const { version = 0, bytes = 0, expires = 0 } = current ?? {};
  return encodeGetChunkOk({ version, bytes, expires, chunk });
}

function stateOk(
  { epoch, quota, lifetime, expires, current, draft }: BlobRecord,
): Uint8Array {
  return encodeBlobState({
    epoch,
    quota,
    lifetime,
    expires,
    current: current ?? { version: 0, draft: NO_DRAFT, bytes: 0, expires: 0 },
    draft: draft && {
      draft: draft.draft,
      bytes: draft.bytes,
      there: Array.from(
        { length: chunkCount(draft.bytes) },
        (_, index) => isThere(draft, index),
      ),
    },
  });
}
