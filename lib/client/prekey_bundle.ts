/** The stock of prekeys at work: bundles given out of it, and its upkeep. */
import {
  createPreKeyStock,
  giveBundle,
  keepUpPreKeyStock,
  type KeyPair,
  lastResortBundle,
  parsePreKeyStock,
  type PreKeyBundle,
  PREKEYS_KEPT_MS,
  type PreKeyStock,
  serializePreKeyStock,
  takeBackPreKeys,
} from "../signal/mod.ts";
import type { Desk } from "./desk.ts";
import type { Entry } from "./ledger.ts";
import {
  countersTable,
  kyberPreKeyTable,
  type PreKeysRecord,
  preKeysTable,
  preKeyTable,
  SELF,
  signedPreKeyTable,
} from "./records.ts";

type Keeper = Pick<Desk, "account" | "clock">;

/** The prekeys of a device that begins. `now`: ms since the epoch. */
export async function newPreKeys(
  identity: KeyPair,
  now: number,
): Promise<PreKeysRecord> {
  const stock = await createPreKeyStock(identity, now);
  return { stock: serializePreKeyStock(stock), caughtUp: now, madeAt: now };
}

/**
 * A bundle for one other device, with a one-time prekey of each kind that nobody else gets: that it is
 * given is in `entry`. Good for one session; only with a thousand of them out it is the last resort.
 */
export async function makeBundle(
  entry: Entry,
  desk: Keeper,
): Promise<PreKeyBundle> {
  const { stock, record } = await kept(entry, desk);
  const given = giveBundle(stock, desk.account.local);
  put(entry, record, given?.stock ?? stock);
  return given?.bundle ?? lastResortBundle(stock, desk.account.local);
}

/** Takes back the one-time prekeys of a bundle that nobody will use. */
export async function discardBundle(
  entry: Entry,
  preKeyId: number | undefined,
): Promise<void> {
  const record = await entry.get(preKeysTable, SELF);
  if (!record || preKeyId === undefined) return;
  put(
    entry,
    record,
    takeBackPreKeys(parsePreKeyStock(record.stock), [preKeyId]),
  );
}

/** The stock as it is to be given from: with everything done that is due by now. It is put. */
export async function stockIn(
  entry: Entry,
  desk: Keeper,
): Promise<PreKeyStock> {
  const { stock, record } = await kept(entry, desk);
  put(entry, record, stock);
  return stock;
}

/** Puts the stock of which something was given. */
export async function putStock(
  entry: Entry,
  stock: PreKeyStock,
): Promise<void> {
  const record = await entry.get(preKeysTable, SELF);
  if (record) put(entry, record, stock);
}

/** Does what is due, everything that had arrived having been read now. */
export async function keepPreKeys(entry: Entry, desk: Keeper): Promise<void> {
  const { stock, record } = await kept(entry, desk, desk.clock.now());
  put(entry, record, stock);
  if (record.caughtUp - record.madeAt >= PREKEYS_KEPT_MS) {
    await dropThoseBefore(entry);
  }
}

/** The stock with everything done that is due by now, not put yet. */
async function kept(
  entry: Entry,
  { account, clock }: Keeper,
  caughtUp?: number,
): Promise<{ stock: PreKeyStock; record: PreKeysRecord }> {
  const now = clock.now();
  const { identity } = account.device;
  const before = await entry.get(preKeysTable, SELF) ??
    await newPreKeys(identity, now);
  const record = { ...before, caughtUp: caughtUp ?? before.caughtUp };
  const stock = await keepUpPreKeyStock(
    parsePreKeyStock(before.stock),
    identity,
    { now, caughtUp: record.caughtUp },
  );
  return { stock, record };
}

function put(entry: Entry, record: PreKeysRecord, stock: PreKeyStock): void {
  entry.put(preKeysTable, SELF, {
    ...record,
    stock: serializePreKeyStock(stock),
  });
}

/** Nobody can come with what was given out before there was a stock. */
async function dropThoseBefore(entry: Entry): Promise<void> {
  const counters = await entry.get(countersTable, SELF);
  if (!counters?.nextPreKey) return;
  for (let id = 1; id <= counters.nextPreKey; id++) {
    entry.delete(preKeyTable, String(id));
    entry.delete(kyberPreKeyTable, String(id));
    entry.delete(signedPreKeyTable, String(id));
  }
  const { nextPreKey: _, ...rest } = counters;
  entry.put(countersTable, SELF, rest);
}
