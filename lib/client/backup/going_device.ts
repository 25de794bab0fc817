/** What the backup says of devices that go: which queues are deleted with them, and that they say nothing any more. */
import type { Account } from "../keys/mod.ts";
import type { BackupRecord, CondemnedQueue } from "../records.ts";
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

/** The queues by which contacts reach them. By its own each is told, and deletes it itself. */
export async function queuesOfDevices(
  account: Account,
  accountId: string,
  { cells }: BackupRecord,
  ids: readonly number[],
): Promise<CondemnedQueue[]> {
  const { devices } = await readContents(
    parseCells(cells),
    account.accountKey.publicKey,
  );
  const queues = devices.filter(({ id }) => ids.includes(id))
    .flatMap(({ queues }) => queues);
  return await condemnedOf(
    account,
    queues.filter(({ from }) => from !== accountId),
  );
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
