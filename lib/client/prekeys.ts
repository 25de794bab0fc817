import type { PreKeySource } from "../signal/mod.ts";
import type { Entry } from "./ledger.ts";
import { kyberPreKeyTable, preKeyTable, signedPreKeyTable } from "./records.ts";

/** This device's prekeys, as the Signal layer asks for them. */
export function preKeySource(entry: Entry): PreKeySource {
  return {
    preKey: (id) => entry.get(preKeyTable, String(id)),
    signedPreKey: (id) => entry.get(signedPreKeyTable, String(id)),
    kyberPreKey: (id) => entry.get(kyberPreKeyTable, String(id)),
  };
}

/** Removes the one-time prekeys that a session was built from, so that none can be built again. */
export function removeUsed(
  entry: Entry,
  used: { preKeyId?: number; kyberPreKeyId: number },
): void {
  if (used.preKeyId !== undefined) {
    entry.delete(preKeyTable, String(used.preKeyId));
  }
  entry.delete(kyberPreKeyTable, String(used.kyberPreKeyId));
}
