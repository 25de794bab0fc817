import type { PreKeySource, UsedPreKeys } from "../signal/mod.ts";
import type { Desk } from "./desk.ts";
import type { Entry } from "./ledger.ts";
import {
  kyberPreKeyTable,
  preKeysTable,
  preKeyTable,
  SELF,
  signedPreKeyTable,
} from "./records.ts";

/** This device's prekeys, as the Signal layer asks for them: those of the stock, and those made before there was one. */
export function preKeySource(
  entry: Entry,
  { sessions }: Pick<Desk, "sessions">,
): PreKeySource {
  let stock: Promise<PreKeySource | undefined> | undefined;
  const stocked = () => stock ??= sourceOf(entry, sessions);
  return {
    preKey: async (id) =>
      await (await stocked())?.preKey(id) ??
        await entry.get(preKeyTable, String(id)),
    signedPreKey: async (id) =>
      await (await stocked())?.signedPreKey(id) ??
        await entry.get(signedPreKeyTable, String(id)),
    kyberPreKey: async (id) =>
      await (await stocked())?.kyberPreKey(id) ??
        await entry.get(kyberPreKeyTable, String(id)),
  };
}

async function sourceOf(
  entry: Entry,
  sessions: Desk["sessions"],
): Promise<PreKeySource | undefined> {
  const record = await entry.get(preKeysTable, SELF);
  if (!record) return undefined;
  const { parsePreKeyStock, preKeySourceOf } = await sessions;
  return preKeySourceOf(parsePreKeyStock(record.stock));
}

/**
 * Enters that a session was begun with these, so that none can be begun with them again.
 * @throws {SignalError} `duplicate`, `unknown-prekey`: then that session must not be kept
 */
export async function usedUp(
  entry: Entry,
  { sessions }: Pick<Desk, "sessions">,
  used: UsedPreKeys,
): Promise<void> {
  const { preKeyId, signedPreKeyId, kyberPreKeyId } = used;
  if (await entry.get(signedPreKeyTable, String(signedPreKeyId))) {
    if (preKeyId !== undefined) entry.delete(preKeyTable, String(preKeyId));
    entry.delete(kyberPreKeyTable, String(kyberPreKeyId));
    return;
  }
  const record = await entry.get(preKeysTable, SELF);
  if (!record) throw new Error("a session was begun with prekeys of nowhere");
  const { parsePreKeyStock, serializePreKeyStock, usePreKeys } = await sessions;
  const stock = usePreKeys(parsePreKeyStock(record.stock), used);
  entry.put(preKeysTable, SELF, {
    ...record,
    stock: serializePreKeyStock(stock),
  });
}
