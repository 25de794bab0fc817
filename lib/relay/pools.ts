import { sha256 } from "@noble/hashes/sha2.js";
import {
  encodePoolState,
  encodePutOk,
  encodeTakeOk,
  type FillPool,
  type MakePool,
  poolId,
} from "../wire/mod.ts";
import {
  decodePool,
  encodePool,
  poolKey,
  type PoolRecord,
  TAKEN_REMEMBERED,
} from "./blob_records.ts";
import { same, textOf } from "./byte_text.ts";
import { Lanes } from "./lanes.ts";
import { expiryAt, type QueueContext } from "./queue_context.ts";
import { hasRoomForBlobs } from "./blob_room.ts";
import {
  BUSY,
  conflictWith,
  largerThan,
  NO_SUCH_BLOB,
  OK,
  type Reply,
} from "./reply.ts";
import { diskBytes, type Mutation } from "./store.ts";
import type { Kept } from "./stored_bytes.ts";

/**
 * All prekey pools. Each is one record, which every TAKE of a one-time bundle writes anew before it
 * is answered: so no bundle is given to two, whatever happens to the relay or the answer.
 */
export class Pools {
  readonly #context: QueueContext;
  readonly #lanes = new Lanes();

  constructor(context: QueueContext) {
    this.#context = context;
  }

  /** The record of a pool, or undefined when there is none or it has expired. */
  async find(id: Uint8Array): Promise<PoolRecord | undefined> {
    const record = await this.#context.store.get(poolKey(id));
    const pool = record && decodePool(record);
    if (pool === undefined || pool.expires <= this.#context.now()) return;
    return pool;
  }

  /** Resolves when what was asked is done. */
  idle(): Promise<void> {
    return this.#lanes.idle();
  }

  /** Makes a pool. One that is there stays as it is: who made it and lost the answer sees its version. */
  make(command: MakePool): Promise<Reply> {
    const { takeKey, ownKey, lastResort, bundles } = command;
    const id = poolId(takeKey, ownKey);
    return this.#inTurn(id, async (before) => {
      if (before !== undefined) return { ok: encodePutOk(before) };
      const refused = this.#refusal(lastResort, bundles);
      if (refused !== undefined) return refused;
      const pool: PoolRecord = {
        takeKey,
        ownKey,
        version: 1,
        expires: this.#expiry(),
        lastResort,
        bundles,
        taken: [],
      };
      return await this.#grow(id, before, pool);
    });
  }

  /** Adds bundles, if the pool is as its owner last saw it but for what was taken, and renews it. */
  fill(command: FillPool): Promise<Reply> {
    const { pool: id, base, discard, lastResort, bundles } = command;
    return this.#inTurn(id, async (before) => {
      if (before === undefined) return NO_SUCH_BLOB;
      if (base !== before.version) return conflictWith(before.version);
      const all = [...discard ? [] : before.bundles, ...bundles];
      const refused = this.#refusal(lastResort, all);
      if (refused !== undefined) return refused;
      const pool: PoolRecord = {
        ...before,
        version: before.version + 1,
        expires: this.#expiry(),
        lastResort: lastResort.length === 0 ? before.lastResort : lastResort,
        bundles: all,
      };
      return await this.#grow(id, before, pool);
    });
  }

  /** Gives out the next bundle, durably before the answer; under an id that had one the same again. */
  take(id: Uint8Array, takeId: Uint8Array): Promise<Reply> {
    return this.#inTurn(id, async (before) => {
      if (before === undefined) return NO_SUCH_BLOB;
      const known = before.taken.find((taken) => same(taken.id, takeId));
      if (known !== undefined) return { ok: takeOk(false, known.bundle) };
      const [bundle, ...bundles] = before.bundles;
      if (bundle === undefined) return { ok: takeOk(true, before.lastResort) };
      const taken = [{ id: takeId, bundle }, ...before.taken]
        .slice(0, TAKEN_REMEMBERED);
      const pool = { ...before, bundles, taken };
      const done = await this.#write(id, pool, replacing(before, pool));
      return done ? { ok: takeOk(false, bundle) } : BUSY;
    });
  }

  /** How full it is, for its owner. */
  state(id: Uint8Array): Promise<Reply> {
    return this.#inTurn(id, (pool) => {
      if (pool === undefined) return Promise.resolve(NO_SUCH_BLOB);
      const { version, expires, lastResort, bundles } = pool;
      const ok = encodePoolState({
        version,
        expires,
        lastResort: nameOf(lastResort),
        bundles: bundles.map(nameOf),
      });
      return Promise.resolve({ ok });
    });
  }

  drop(id: Uint8Array): Promise<Reply> {
    return this.#inTurn(id, async (before) => {
      if (before === undefined) return NO_SUCH_BLOB;
      const gone = await this.#commit({ key: poolKey(id) }, keptOf(before, -1));
      return gone ? OK : BUSY;
    });
  }

  #inTurn(
    id: Uint8Array,
    task: (pool: PoolRecord | undefined) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#lanes.run(
      textOf(id),
      async () => await task(await this.find(id)),
    );
  }

  #expiry(): number {
    return expiryAt(this.#context, this.#context.limits.poolLifetime);
  }

  #refusal(
    lastResort: Uint8Array,
    bundles: readonly Uint8Array[],
  ): Reply | undefined {
    const { bundlesPerPool, bytesPerBundle } = this.#context.limits;
    if (
      [lastResort, ...bundles].some(({ length }) => length > bytesPerBundle)
    ) {
      return largerThan(bytesPerBundle);
    }
    return bundles.length > bundlesPerPool ? { error: "full" } : undefined;
  }

  /** Writes a pool that its owner filled, if there is room. */
  async #grow(
    id: Uint8Array,
    before: PoolRecord | undefined,
    pool: PoolRecord,
  ): Promise<Reply> {
    const kept = replacing(before, pool);
    const place = before === undefined ? "none" : "in-parts";
    if (!hasRoomForBlobs(this.#context, kept, place)) return BUSY;
    return await this.#write(id, pool, kept) ? { ok: encodePutOk(pool) } : BUSY;
  }

  #write(id: Uint8Array, pool: PoolRecord, kept: Kept[]): Promise<boolean> {
    const expireIn = Math.max(pool.expires - this.#context.now(), 1);
    const value = encodePool(pool);
    return this.#commit({ key: poolKey(id), value, expireIn }, kept);
  }

  #commit(mutation: Mutation, kept: Kept[]): Promise<boolean> {
    return new Promise((resolve) =>
      this.#context.flusher.write(
        mutation,
        (error) => resolve(error === undefined),
        kept,
      )
    );
  }
}

function replacing(before: PoolRecord | undefined, pool: PoolRecord): Kept[] {
  return [
    ...keptOf(pool, 1),
    ...before === undefined ? [] : keptOf(before, -1),
  ];
}

function keptOf(pool: PoolRecord, sign: 1 | -1): Kept[] {
  const bytes = sign * diskBytes(encodePool(pool).length);
  return [{ bytes, expires: pool.expires, blob: true }];
}

/** What a bundle is called between relay and owner: the first 16 bytes of its SHA-256. */
function nameOf(bundle: Uint8Array): Uint8Array {
  return sha256(bundle).slice(0, 16);
}

function takeOk(lastResort: boolean, bundle: Uint8Array): Uint8Array {
  return encodeTakeOk({ lastResort, bundle });
}
