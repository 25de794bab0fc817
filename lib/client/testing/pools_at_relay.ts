/** What a relay has of prekey pools, and one that gives out something else. */
import {
  decodePool,
  encodePool,
  type PoolRecord,
} from "../../relay/blob_records.ts";
import type { World } from "./world.ts";

/** The keys of pools begin so. */
export const POOLS = ["t"];

/** All pools, when the relay has been stopped and started again. */
export async function poolsAtRelay(world: World): Promise<PoolRecord[]> {
  const pools: PoolRecord[] = [];
  await changePools(world, (pool) => {
    pools.push(pool);
    return pool;
  });
  return pools;
}

/** The relay gives out what `change` makes of its pools. */
export async function changePools(
  world: World,
  change: (pool: PoolRecord) => PoolRecord,
): Promise<void> {
  // Stopping brings what is in its journal to where it belongs.
  await world.stopRelay();
  for await (
    const { key, value } of world.kv.list<Uint8Array>({ prefix: POOLS })
  ) {
    await world.kv.set(key, encodePool(change(decodePool(value))));
  }
  await world.startRelay();
}
