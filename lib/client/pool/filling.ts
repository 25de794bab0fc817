/** What a pool is to get: chosen and on disk before it goes anywhere, and out of the stock from then on. */
import { equalBytes } from "@noble/ciphers/utils.js";
import { randomBytes } from "@noble/hashes/utils.js";
import {
  describePreKeyStock,
  giveBundle,
  lastResortBundle,
  type LocalDevice,
  type PreKeyBundle,
  type PreKeyStock,
  takeBackPreKeys,
} from "../../signal/mod.ts";
import { newEd25519Pair, poolId } from "../../wire/mod.ts";
import { isConnected } from "../contact.ts";
import type { Desk } from "../desk.ts";
import type { Connection } from "../link/mod.ts";
import { putStock, stockIn } from "../prekey_bundle.ts";
import {
  type PoolFilling,
  type PoolRecord,
  poolTable,
} from "./pool_records.ts";
import { poolTakePair } from "./pool_way.ts";
import { sealBundle } from "./sealed_bundle.ts";

/** What a relay keeps in one pool, its last resort not counted, unless its host chose less. */
const BUNDLES = 4;

/**
 * One-time prekeys that may be out before pools hold a last resort alone: what is left is for cards, links
 * and announcements, which want one each.
 */
const MAX_OUT = 500;

/** Puts on disk what the relay is to have for this contact, and takes it out of the stock. */
export async function prepare(
  desk: Desk,
  connection: Connection,
  accountId: string,
): Promise<void> {
  await desk.ledger.run(async (entry) => {
    const contact = desk.contactIn(entry, accountId);
    if (!contact || !isConnected(contact)) return;
    const stock = await stockIn(entry, desk);
    const before = await entry.get(poolTable, accountId);
    if (before?.filling || !isDue(before, stock, connection)) return;
    const here = before && isAt(connection, before.relayKey)
      ? before
      : await newPool(connection);
    const filled = withFilling(here, stock, desk.account.local);
    entry.put(poolTable, accountId, filled.pool);
    await putStock(entry, filled.stock);
  });
}

/** The pool with what it is to get, and the stock without it. */
function withFilling(
  pool: PoolRecord,
  before: PreKeyStock,
  local: LocalDevice,
): { pool: PoolRecord; stock: PreKeyStock } {
  const { signedPreKeyId: signed } = describePreKeyStock(before);
  const anew = pool.version === 0 || pool.signed !== signed;
  const out = anew ? [] : stillOut(pool, before);
  const bundles: PreKeyBundle[] = [];
  // What was taken and never used is good for one signed prekey more: else the stock would be out in full.
  let stock = anew ? takeBackPreKeys(before, pool.earlier) : before;
  const earlier = anew ? stillOut(pool, before) : pool.earlier;
  while (out.length + bundles.length < BUNDLES) {
    const { given } = describePreKeyStock(stock);
    const next = given < MAX_OUT ? giveBundle(stock, local) : undefined;
    if (!next) break;
    stock = next.stock;
    bundles.push(next.bundle);
  }
  const seal = (bundle: PreKeyBundle) =>
    sealBundle(pool.relayKey, pool, bundle);
  const filling: PoolFilling = {
    base: pool.version,
    discard: anew,
    lastResort: anew ? seal(lastResortBundle(stock, local)) : new Uint8Array(),
    bundles: bundles.map(seal),
  };
  const ids = bundles.flatMap(({ preKey }) => preKey?.id ?? []);
  const filled = { ...pool, signed, out: [...out, ...ids], earlier, filling };
  return { pool: filled, stock };
}

async function newPool({ hello }: Connection): Promise<PoolRecord> {
  const own = await newEd25519Pair();
  const secret = randomBytes(32);
  const take = await poolTakePair(secret);
  return {
    id: poolId(take.publicKey, own.publicKey),
    ownSeed: own.seed,
    secret,
    relayKey: hello.relayKey,
    version: 0,
    out: [],
    earlier: [],
    signed: 0,
  };
}

/** Whether a bundle of it was used, or its bundles are under a signed prekey that was replaced. */
export function isDue(
  pool: PoolRecord | undefined,
  stock: PreKeyStock,
  connection: Connection,
): boolean {
  if (!pool || !isAt(connection, pool.relayKey) || pool.version === 0) {
    return true;
  }
  const { signedPreKeyId, given } = describePreKeyStock(stock);
  return pool.signed !== signedPreKeyId ||
    given < MAX_OUT && stillOut(pool, stock).length < pool.out.length;
}

/** Those of its one-time prekeys that nobody has used. */
function stillOut(pool: PoolRecord, { given }: PreKeyStock): number[] {
  const there = new Set(given.map(({ id }) => id));
  return pool.out.filter((id) => there.has(id));
}

/** Whether this is the connection to the relay of this key. */
export function isAt({ hello }: Connection, relayKey: Uint8Array): boolean {
  return equalBytes(hello.relayKey, relayKey);
}
