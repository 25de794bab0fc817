/** What a new link takes: a secret, and for everybody who may use it a place of their own. */
import { randomBytes } from "@noble/hashes/utils.js";
import { generateKeyPair } from "../signal/mod.ts";
import {
  blobId,
  type Ed25519Pair,
  newEd25519Pair,
  poolId,
} from "../wire/mod.ts";
import type { Desk } from "./desk.ts";
import { type GivenRecord, strangerTable } from "./invitation_records.ts";
import {
  type Place,
  readPair,
  sealPlace,
  sealWhose,
  takePair,
} from "./invitation/mod.ts";
import { addressOf, publicDevice } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import type { Connection } from "./link/mod.ts";
import { makeBundle } from "./prekey_bundle.ts";
import { makeQueue } from "./queues.ts";

/** What a relay keeps in one pool, unless its host chose less. */
const PLACES_PER_POOL = 4;

/** What a link is to be. */
export interface Terms {
  readonly id: string;
  /** ms. */
  readonly lifetime: number;
  readonly uses: number;
}

interface NewPool {
  readonly id: Uint8Array;
  readonly own: Ed25519Pair;
  readonly sealed: readonly Uint8Array[];
  readonly queues: readonly string[];
}

/** Makes it, with everything that its places name in `entry`; the relay has nothing of it yet. */
export async function newInvitation(
  desk: Desk,
  entry: Entry,
  connection: Connection,
  { id, lifetime, uses }: Terms,
): Promise<GivenRecord> {
  const { account, clock } = desk;
  const { relayKey } = connection.hello;
  const secret = randomBytes(32);
  const [own, write, read] = await Promise.all([
    newEd25519Pair(),
    newEd25519Pair(),
    readPair(secret),
  ]);
  const blob = blobId(read.publicKey, own.publicKey);
  const expiresAt = clock.now() + connection.skew + lifetime;
  const pools: NewPool[] = [];
  for (let left = uses; left > 0; left -= PLACES_PER_POOL) {
    const take = await takePair(secret, pools.length);
    const pool = await newEd25519Pair();
    const at = poolId(take.publicKey, pool.publicKey);
    const queues: string[] = [];
    const sealed: Uint8Array[] = [];
    for (let i = 0; i < Math.min(left, PLACES_PER_POOL); i++) {
      const { queue, place } = await newPlace(desk, entry, connection, id);
      queues.push(queue);
      sealed.push(await sealPlace(relayKey, secret, at, own, place));
    }
    pools.push({ id: at, own: pool, sealed, queues });
  }
  const whose = await sealWhose(relayKey, { blob, secret }, own, {
    displayName: account.name,
    accountKey: account.accountKey,
    successions: account.successions,
    deviceList: account.deviceList,
    expiresAt,
    pools: pools.map(({ id }) => id),
  });
  return {
    secret,
    blob,
    own,
    write,
    pools: pools.map(({ own }) => own),
    uses,
    places: pools.flatMap(({ queues }) => queues),
    madeAt: clock.now(),
    expiresAt,
    skew: connection.skew,
    unpublished: { whose, places: pools.map(({ sealed }) => sealed) },
  };
}

/** One person's: prekeys, queue and box key that nobody else gets. */
async function newPlace(
  desk: Desk,
  entry: Entry,
  { hello }: Connection,
  of: string,
): Promise<{ queue: string; place: Place }> {
  const { account } = desk;
  const bundle = await makeBundle(entry, desk);
  const { name, credentials } = await makeQueue(entry, account);
  const boxKey = await generateKeyPair();
  entry.put(strangerTable, name, {
    kind: "place",
    of,
    preKey: bundle.preKey?.id,
    boxKey,
  });
  return {
    queue: name,
    place: {
      device: publicDevice(account.device),
      address: addressOf(credentials, { url: hello.url, key: hello.relayKey }),
      bundle,
      boxKey: boxKey.publicKey,
    },
  };
}
