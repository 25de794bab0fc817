/** Alarms that the person has seen and put away. Fetched when that is done: few ever see one. */
import type { BackupOnDemand } from "./backup_on_demand.ts";
import type { DevicesOnDemand } from "./devices_on_demand.ts";
import type { Ledger } from "./ledger.ts";
import { backupTable, SELF, standingTable } from "./records.ts";
import type { Alarm } from "./view.ts";

/** Whose alarms they are. */
interface Alarmed {
  readonly ledger: Ledger;
  readonly devices: DevicesOnDemand;
  readonly backup: BackupOnDemand;
}

/** It is not said any more, also by the next opening; what else comes is said as if there had been none. */
export async function putAway(
  { ledger, devices, backup }: Alarmed,
  alarm: Alarm,
): Promise<void> {
  await ledger.run(async (entry) => {
    if (alarm === "standing") {
      const standing = await entry.get(standingTable, SELF);
      if (!standing) return;
      entry.put(standingTable, SELF, { ...standing, seen: true });
      entry.after(() => devices.standing.value = "current");
    } else {
      const record = await entry.get(backupTable, SELF);
      if (!record) return;
      entry.put(backupTable, SELF, { ...record, wentBack: false });
      entry.after(() => backup.wentBackSeen());
    }
  });
}
