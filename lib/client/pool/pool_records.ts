import type { Entry } from "../ledger.ts";
import { SELF } from "../records.ts";
import { plain } from "../record_codec.ts";
import { table } from "../storage/mod.ts";

/** What is on its way to a pool: a repeat is the same bytes on top of the same version. */
export interface PoolFilling {
  /** Of the pool; 0: it is made. */
  readonly base: number;
  /** What lies there goes first. */
  readonly discard: boolean;
  /** Sealed; empty: the one that is there stays. */
  readonly lastResort: Uint8Array;
  readonly bundles: readonly Uint8Array[];
}

/** This device's pool for a contact; the id is the account id. */
export interface PoolRecord {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** Of the key that fills and deletes it, 32 bytes. */
  readonly ownSeed: Uint8Array;
  /** See pool_way.ts. */
  readonly secret: Uint8Array;
  /** Of the relay where it is. */
  readonly relayKey: Uint8Array;
  /** As it was last filled; 0: the relay has not said that it has it. */
  readonly version: number;
  /** Ids of the one-time prekeys of the bundles that lie there, or were taken and not used. */
  readonly out: readonly number[];
  /** Those of the signed prekey before, which nobody has used by now. */
  readonly earlier: readonly number[];
  /** The id of the signed prekey that they are under. */
  readonly signed: number;
  readonly filling?: PoolFilling;
}

/** Pools that nobody needs any more and the relay still has. */
export interface DroppedPoolsRecord {
  readonly pools: readonly Pick<PoolRecord, "id" | "ownSeed" | "relayKey">[];
}

export const poolTable = table("pool", plain<PoolRecord>());
export const droppedPoolsTable = table(
  "dropped pools",
  plain<DroppedPoolsRecord>(),
);

/** Nobody is to take from the pool of a contact any more: it goes from the relay, too. */
export async function dropPool(
  entry: Entry,
  accountId: string,
): Promise<void> {
  const pool = await entry.get(poolTable, accountId);
  if (!pool) return;
  entry.delete(poolTable, accountId);
  const { pools } = await entry.get(droppedPoolsTable, SELF) ?? { pools: [] };
  const { id, ownSeed, relayKey } = pool;
  entry.put(droppedPoolsTable, SELF, {
    pools: [...pools, { id, ownSeed, relayKey }],
  });
}
