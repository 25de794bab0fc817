/** What the backup says of devices that go: which queues are deleted with them, and that they say nothing any more. */
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Account } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import {
  type BackupRecord,
  type CondemnedQueue,
  queueTable,
} from "../records.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import {
  type Cell,
  cellName,
  type Cells,
  DEVICE_KIND,
  merge,
  type Stamp,
} from "./cells.ts";
import { condemnedOf } from "./condemned.ts";
import { readContents } from "./contents.ts";

/**
 * The queues by which contacts reach them. By its own each is told, and deletes it itself. Not those that
 * are this device's, by what is in `store`, or another one's that stays: who goes may have named them.
 */
export async function queuesOfDevices(
  account: Account,
  accountId: string,
  { cells }: BackupRecord,
  ids: readonly number[],
  store: Pick<Entry, "getMany">,
): Promise<CondemnedQueue[]> {
  const { devices } = await readContents(
    parseCells(cells),
    account.accountKey.publicKey,
  );
  const named = (go: boolean) =>
    devices.filter(({ id }) => ids.includes(id) === go)
      .flatMap(({ queues }) => queues);
  const stay = new Set(named(false).map(({ id }) => bytesToHex(id)));
  const going = named(true).filter(({ from, id }) =>
    from !== accountId && !stay.has(bytesToHex(id))
  );
  const own = await store.getMany(
    queueTable,
    going.map(({ id }) => bytesToHex(id)),
  );
  return await condemnedOf(account, going.filter((_, i) => !own[i]));
}

/** That these devices say nothing of themselves any more; `stamp`: who decides that, and when. */
export function emptied(
  cells: Cells,
  ids: readonly number[],
  stamp: Stamp,
): Cell[] {
  return ids.map((id) => {
    const about = { kind: DEVICE_KIND + id, subject: new Uint8Array() };
    const said = cells.get(cellName(about))?.stamp.time ?? 0;
    return {
      ...about,
      stamp: { ...stamp, time: Math.max(stamp.time, said + 1) },
      value: new Uint8Array(),
    };
  });
}

/** The backup, in which these devices say nothing of themselves any more; see `emptied`. */
export function withoutDevices(
  backup: BackupRecord,
  ids: readonly number[],
  stamp: Stamp,
): BackupRecord {
  const cells = parseCells(backup.cells);
  return {
    ...backup,
    cells: encodeCells(merge(cells, emptied(cells, ids, stamp))),
    version: backup.version + 1,
  };
}
