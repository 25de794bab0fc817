import type { Entry } from "./ledger.ts";
import {
  type FormerBackupsRecord,
  formerBackupsTable,
  SELF,
} from "./records.ts";

type FormerBackup = FormerBackupsRecord["backups"][number];

/** Of the backups that are still to be deleted, only these are. */
export async function keepFormerBackups(
  entry: Entry,
  holds: (backup: FormerBackup) => boolean,
): Promise<void> {
  const { backups = [] } = await entry.get(formerBackupsTable, SELF) ?? {};
  const kept = backups.filter(holds);
  if (kept.length === backups.length) return;
  if (kept.length === 0) entry.delete(formerBackupsTable, SELF);
  else entry.put(formerBackupsTable, SELF, { backups: kept });
}
