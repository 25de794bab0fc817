/**
 * Removing a device of the account, with the access key: a list without it, another epoch of the backup,
 * and other queues of the account. What is to be done is on disk before anything is. Of several devices
 * that begin an epoch at once the relay takes one, and the list counts once the backup of that epoch has
 * it: so each list follows the one before, and whoever comes second follows the first. All that comes
 * then, for contacts and other devices, is one commit. docs/protocol.md § Own devices.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { writeBlob } from "../blobs.ts";
import type { Desk } from "../desk.ts";
import {
  type Account,
  type Device,
  isListedIn,
  verifyDeviceList,
} from "../keys/mod.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import { backupKeys } from "../new_device.ts";
import { heldGeneration } from "../queues.ts";
import {
  backupKeysTable,
  type BackupRecord,
  backupTable,
  removalTable,
  SELF,
} from "../records.ts";
import type { RemovalOutcome } from "../view.ts";
import {
  beginEpoch,
  type BlobKeys,
  openBlobKeys,
  ReplacedError,
} from "./blob_keys.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import { counted, KINDS, merge } from "./cells.ts";
import { type AtRelay, epochOf, keysOf, listIn } from "./epoch_at_relay.ts";
import { emptied } from "./going_device.ts";
import { type RemovalEvents, RemovalSteps } from "./removal_steps.ts";
import { sealBackup } from "./seal.ts";

/** How long a device that has begun an epoch may take to write its backup, in ms, and how often that is looked for. */
const WRITING_MS = 1_000;
const LOOKS = 10;

/** So many devices may be before this one. */
const ROUNDS = 8;

/** What the backup does for it. */
export interface BackupHands {
  /** The name under which it is sealed. */
  readonly name: string;
  /** What there is here, with what changed since it was looked at last. */
  look(connection: Connection, keys: BlobKeys): Promise<BackupRecord>;
  /** What others may have written. */
  read(connection: Connection, keys: BlobKeys): Promise<AtRelay>;
  /** Takes that over. */
  takeIn(keys: BlobKeys, found: AtRelay): Promise<void>;
}

export class Removal {
  readonly #desk: Desk;
  readonly #backup: BackupHands;
  readonly #steps: RemovalSteps;

  constructor(desk: Desk, backup: BackupHands, events: RemovalEvents) {
    this.#desk = desk;
    this.#backup = backup;
    this.#steps = new RemovalSteps(desk, events);
  }

  /**
   * Removes the device `id` of the account, whose keys are at hand. Rejects as `goOn` does: then what was
   * begun is on disk.
   */
  async remove(
    connection: Connection,
    id: number,
    account: Account,
  ): Promise<RemovalOutcome> {
    const { accountKey, device } = this.#desk.account;
    if (!equalBytes(account.accountKey.publicKey, accountKey)) {
      return { ok: false, reason: "other-account" };
    }
    await this.goOn(connection, account);
    const { devices } = this.#desk.account.deviceList;
    const going = devices.find((listed) => listed.id === id);
    if (!going || id === device.id) {
      return { ok: false, reason: "no-such-device" };
    }
    const before = await this.#keys();
    if (!before || !await this.#desk.ledger.reader.get(backupTable, SELF)) {
      return { ok: false, reason: "no-backup" };
    }
    let epoch = before.record.key.epoch + 1;
    for (let round = 0; round < ROUNDS; round++) {
      const keys = await backupKeys(account, undefined, epoch);
      const { ownSeed } = account.backup;
      const plan = { ...keys, ownSeed: ownSeed.slice() };
      if (!await this.#steps.plan(going, account, plan)) break;
      const held = await this.#settle(connection, going, account);
      if (held === undefined) break;
      await this.#follow(connection, account);
      epoch = Math.max(epoch, held) + 1;
    }
    // Whoever was first may have removed it, too, or this device.
    if (isListedIn(this.#desk.account.deviceList, going)) {
      return { ok: false, reason: "unreachable" };
    }
    await this.#decidedHere(id);
    return { ok: true };
  }

  /** Nobody is asked here whether that was them. */
  async #decidedHere(device: number): Promise<void> {
    const { ledger, own } = this.#desk;
    await ledger.run(async (entry) => {
      const news = own.in(entry).devices.news?.map((told) =>
        told.what === "removed" && told.id === device
          ? { ...told, here: true as const }
          : told
      );
      if (news) await own.put(entry, { devices: { news } });
    });
  }

  /**
   * Ends what was begun before. Rejects as `Connection.request` does, and with ReplacedError while this
   * device, without the access key, has yet to be told what others have begun since.
   */
  async goOn(connection: Connection, account?: Account): Promise<void> {
    const { reader } = this.#desk.ledger;
    if (!await reader.get(removalTable, SELF)) return;
    const held = await this.#settle(connection);
    if (held === undefined) return;
    // What this device wrote may have been followed by what others wrote, or have come too late.
    if (account) await this.#follow(connection, account);
    const keys = await this.#keys();
    const told = keys && keys.record.key.epoch >= held;
    if (!keys || !told && !account) throw new ReplacedError();
    const found = await this.#backup.read(connection, keys);
    await this.#backup.takeIn(keys, found);
    await this.#desk.ledger.run((entry) => this.#steps.conclude(entry));
  }

  async #keys(): Promise<BlobKeys | undefined> {
    const record = await this.#desk.ledger.reader.get(backupKeysTable, SELF);
    return record && await openBlobKeys(record);
  }

  /** Does what is on disk. Gives the epoch that the relay has if another device has begun that. */
  async #settle(
    connection: Connection,
    going?: Device,
    account?: Account,
  ): Promise<number | undefined> {
    while (true) {
      const removal = await this.#desk.ledger.reader.get(removalTable, SELF);
      const before = await this.#keys();
      if (!removal || !before) return undefined;
      const { key } = removal.keys;
      const keys = await openBlobKeys(removal.keys);
      try {
        await beginEpoch(connection, keys, removal.keys.ownSeed);
      } catch (error) {
        const held = heldGeneration(connection, error);
        if (held === undefined) throw error;
        return held;
      }
      const found = await this.#backup.read(connection, keys);
      const list = await listIn(found, removal.keys, {
        name: this.#backup.name,
        accountKey: this.#desk.account.accountKey,
      });
      if (list) {
        await this.#desk.ledger.run((entry) => this.#steps.commit(entry, list));
        return undefined;
      }
      // Another epoch was begun before this one, and something written in it after all.
      const epoch = epochOf(found);
      if (epoch > key.epoch) return epoch;
      if (epoch > before.record.key.epoch) {
        if (!account) throw new ReplacedError();
        await this.#follow(connection, account);
        continue;
      }
      await this.#backup.takeIn(before, found);
      if (going && account) {
        await this.#steps.plan(going, account, removal.keys);
      }
      await this.#write(connection, before, keys);
    }
  }

  /**
   * Writes what there is, with the list without the device, as the first backup of the epoch. Without the
   * access key no list can be signed after one that came meanwhile: then the epoch begins, and nobody goes.
   */
  async #write(
    connection: Connection,
    before: BlobKeys,
    { blob, write, record }: BlobKeys,
  ): Promise<void> {
    const { version, base, cells } = await this.#backup.look(
      connection,
      before,
    );
    const removal = await this.#desk.ledger.reader.get(removalTable, SELF);
    if (!removal) return;
    const { account } = this.#desk;
    const list = await verifyDeviceList(removal.deviceList, account);
    const follows = list.previous !== undefined &&
      equalBytes(list.previous, account.deviceList.hash);
    const said = parseCells(cells);
    const ids = account.deviceList.devices.flatMap((device) =>
      equalBytes(device.identityKey, removal.device) ? device.id : []
    );
    const { device: { id } } = account;
    const stamp = { time: this.#desk.clock.now(), device: id };
    const { key, writeSeed } = record;
    const news = [
      counted(KINDS.writeKey, key.epoch, writeSeed),
      ...follows
        ? [
          counted(KINDS.deviceList, list.version, list.bytes),
          ...emptied(said, ids, stamp),
        ]
        : [],
    ];
    const backup = sealBackup(
      this.#backup.name,
      key,
      version + 1,
      encodeCells(merge(said, news)),
    );
    try {
      await writeBlob(connection, blob, write, base, backup);
    } catch (error) {
      // Another epoch has begun, or what was on its way when the connection was lost has come after all.
      const other = error instanceof RelayError &&
        (error.code === "conflict" || error.code === "unauthorised");
      if (!other) throw error;
    }
  }

  /**
   * Takes over what another device has written in the epoch that it has begun, by the access key. One that
   * writes nothing may have died: then an epoch after that may begin.
   */
  async #follow(connection: Connection, account: Account): Promise<void> {
    for (let looks = 0; looks < LOOKS; looks++) {
      const keys = await this.#keys();
      if (!keys) return;
      const found = await this.#backup.read(connection, keys);
      const theirs = await keysOf(found, account, this.#desk.clock.now());
      if (theirs && theirs.key.epoch > keys.record.key.epoch) {
        const record = { ...keys.record, ...theirs };
        await this.#desk.ledger.run(async (entry) => {
          entry.put(backupKeysTable, SELF, record);
          // Read it in any case, also after a death between this commit and the next.
          const backup = await entry.get(backupTable, SELF);
          if (!backup) return;
          const { told = 0, read = 0 } = backup;
          const more = { told: Math.max(told, read + 1) };
          entry.put(backupTable, SELF, { ...backup, ...more });
        });
        return await this.#backup.takeIn(await openBlobKeys(record), found);
      }
      await new Promise<void>((resolve) =>
        this.#desk.clock.after(WRITING_MS, resolve)
      );
    }
  }
}
