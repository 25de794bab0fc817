/** A prekey pool at the relay, as the messenger uses it. docs/protocol.md § Prekey pools. */
import {
  type Ed25519Pair,
  parsePutOk,
  parseTakeOk,
  type TakeOk,
} from "../wire/mod.ts";
import type { Connection } from "./link/mod.ts";
import { ask, type Reached } from "./proofs.ts";
import { withWork } from "./queues.ts";

/** Makes a pool with what it holds; one that is there stays as it is. Resolves with its version. */
export async function makePool(
  connection: Connection,
  pool: {
    readonly takeKey: Uint8Array;
    readonly own: Ed25519Pair;
    readonly lastResort: Uint8Array;
    readonly bundles: readonly Uint8Array[];
  },
): Promise<number> {
  const { takeKey, own, lastResort, bundles } = pool;
  const body = await withWork(
    connection,
    "PUT",
    own.publicKey,
    (work) =>
      ask(connection, {
        type: "PUT",
        about: "pool",
        takeKey,
        ownKey: own.publicKey,
        work,
        lastResort,
        bundles: [...bundles],
      }, own),
  );
  return connection.read(() => parsePutOk(body)).version;
}

/**
 * Adds to version `base` of an own pool (16 bytes), `discard`: instead of the bundles there, and renews it.
 * An empty `lastResort` leaves the one there is. Resolves with the new version.
 */
export async function fillPool(
  relay: Reached,
  pool: Uint8Array,
  own: Ed25519Pair,
  fresh: {
    readonly base: number;
    readonly discard: boolean;
    readonly lastResort: Uint8Array;
    readonly bundles: readonly Uint8Array[];
  },
): Promise<number> {
  const body = await ask(relay, {
    type: "PUT",
    about: "bundles",
    pool,
    ...fresh,
    bundles: [...fresh.bundles],
  }, own);
  return relay.read(() => parsePutOk(body)).version;
}

/** Takes the next bundle of a pool (16 bytes), or the same again under the same `id` (16 bytes). */
export async function takeBundle(
  relay: Reached,
  pool: Uint8Array,
  take: Ed25519Pair,
  id: Uint8Array,
): Promise<TakeOk> {
  const body = await ask(relay, { type: "TAKE", pool, id }, take);
  return relay.read(() => parseTakeOk(body));
}
