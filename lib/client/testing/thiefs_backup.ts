/** What somebody who has a device of an account can write into its backup. */
import assert from "node:assert/strict";
import { blobId } from "../../wire/mod.ts";
import { encodeCells, parseCells } from "../backup/cell_codec.ts";
import { type Cell, cellName, type Cells } from "../backup/cells.ts";
import { openBackup, sealBackup } from "../backup/seal.ts";
import { readBlob, writeBlob } from "../blobs.ts";
import { accountIdOf, ed25519PairOf } from "../keys/mod.ts";
import { accountTable, backupKeysTable, SELF } from "../records.ts";
import { Vault } from "../storage/mod.ts";
import { onConnection } from "./backup_at_relay.ts";
import type { Person, World } from "./world.ts";

/**
 * Writes over the backup at the relay with the keys that lie on the disk of `device`: with the cells that
 * `change` makes of those that are there, or has beside them, as version `version` or the next one.
 */
export async function writeAsThief(
  world: World,
  device: Person,
  change: (cells: Cells) => readonly Cell[] | Promise<readonly Cell[]>,
  version?: number,
): Promise<void> {
  const thief = world.person();
  thief.disk.copy(device.disk);
  const vault = await Vault.open(thief.disk.platform());
  assert.ok(vault instanceof Vault);
  const keys = await vault.get(backupKeysTable, SELF);
  const account = await vault.get(accountTable, SELF);
  await vault.close();
  assert.ok(keys && account);
  const name = accountIdOf(account.accountKey);
  const [read, write] = await Promise.all(
    [keys.readSeed, keys.writeSeed].map(ed25519PairOf),
  );
  const id = blobId(read.publicKey, keys.ownKey);
  await onConnection(world, async (connection) => {
    const there = await readBlob(connection, id, read);
    const said = openBackup(name, keys.key, there.contents);
    const cells = new Map(parseCells(said.contents));
    for (const cell of await change(cells)) cells.set(cellName(cell), cell);
    const next = version ?? said.version + 1;
    const backup = sealBackup(name, keys.key, next, encodeCells(cells));
    await writeBlob(connection, id, write, there.version, backup);
  });
}
