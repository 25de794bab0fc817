/** What is on disk of a removal: what is to be done, and what follows once it is. */
import type { Contact } from "../contact.ts";
import type { Desk } from "../desk.ts";
import {
  type Account,
  type Device,
  type DeviceList,
  isListedIn,
  publicDevice,
  signDeviceList,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { makeQueue } from "../queues.ts";
import {
  type BackupKeysRecord,
  backupKeysTable,
  type BackupRecord,
  backupTable,
  type CondemnedQueue,
  type GoingDeviceRecord,
  type RemovalRecord,
  removalTable,
  SELF,
} from "../records.ts";
import { queuesOfDevices } from "./going_device.ts";

export interface RemovalEvents {
  /** The own device list, newer than ours. */
  listed(entry: Entry, list: DeviceList): Promise<void>;
  /** The others get the keys of the epoch. */
  begun(
    entry: Entry,
    keys: BackupKeysRecord["key"] & Pick<BackupKeysRecord, "writeSeed">,
  ): Promise<void>;
  put(entry: Entry, contact: Contact): void;
  /** Own queues that nobody needs any more, and queues of somebody else that are to be deleted. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
  condemn(entry: Entry, queues: readonly CondemnedQueue[]): Promise<void>;
  /** Own queues that this device did not read before. */
  added(entry: Entry, names: readonly string[]): void;
}

/** Its steps, each one commit. */
export class RemovalSteps {
  readonly #desk: Desk;
  readonly #events: RemovalEvents;

  constructor(desk: Desk, events: RemovalEvents) {
    this.#desk = desk;
    this.#events = events;
  }

  /** Puts on disk what is to be done. False when there is nothing to be done any more. */
  plan(
    going: Device,
    account: Account,
    keys: RemovalRecord["keys"],
  ): Promise<boolean> {
    return this.#desk.ledger.run(async (entry) => {
      const { account: own } = this.#desk.own.in(entry);
      const backup = await entry.get(backupTable, SELF);
      const isHere = isListedIn(own.deviceList, publicDevice(own.device));
      if (!backup || !isHere || !isListedIn(own.deviceList, going)) {
        await this.conclude(entry);
        return false;
      }
      entry.put(removalTable, SELF, {
        device: going.identityKey,
        deviceList: signDeviceList({
          accountId: own.accountId,
          accountKey: account.accountKey,
          devices: own.deviceList.devices.filter(({ id }) => id !== going.id),
          before: own.deviceList,
        }).bytes,
        keys,
        others: await this.#others(entry, account, backup),
      });
      return true;
    });
  }

  /** The other devices there are, and such as were there when this was begun. */
  async #others(
    entry: Entry,
    account: Account,
    backup: BackupRecord,
  ): Promise<GoingDeviceRecord[]> {
    const { account: own } = this.#desk.own.in(entry);
    const { others = [] } = await entry.get(removalTable, SELF) ?? {};
    const left = others.filter((other) => !isListedIn(own.deviceList, other));
    const present = own.deviceList.devices.filter(({ id }) =>
      id !== own.device.id
    );
    return [
      ...left,
      ...await Promise.all(present.map(async ({ id, identityKey }) => ({
        identityKey,
        condemned: await queuesOfDevices(
          account,
          own.accountId,
          backup,
          [id],
          entry,
        ),
      }))),
    ];
  }

  /** The backup has this list: what follows from it here. */
  async commit(entry: Entry, list: DeviceList): Promise<void> {
    const removal = await entry.get(removalTable, SELF);
    if (!removal) return;
    const { ownSeed: _, ...keys } = removal.keys;
    await this.#events.listed(entry, list);
    entry.put(backupKeysTable, SELF, keys);
    if (await this.conclude(entry)) await this.#renewAccountQueues(entry);
  }

  /** Nothing more is to be done: all are told how it is now. True when the device is gone. */
  async conclude(entry: Entry): Promise<boolean> {
    const removal = await entry.get(removalTable, SELF);
    const keys = await entry.get(backupKeysTable, SELF);
    if (!removal || !keys) return false;
    entry.delete(removalTable, SELF);
    const { deviceList } = this.#desk.own.in(entry).account;
    const gone = removal.others.filter((other) =>
      !isListedIn(deviceList, other)
    );
    const { key, writeSeed } = keys;
    await this.#events.begun(entry, { ...key, writeSeed });
    await this.#events.condemn(
      entry,
      gone.flatMap(({ condemned }) => condemned),
    );
    return !isListedIn(deviceList, { identityKey: removal.device });
  }

  /** The device knows the queues of the account, so there are others, and nobody reads those any more. */
  async #renewAccountQueues(entry: Entry): Promise<void> {
    const { account, contacts } = this.#desk;
    for (const accountId of contacts.keys()) {
      const contact = this.#desk.contactIn(entry, accountId);
      const [own, ...before] = contact?.record.queues ?? [];
      if (!contact || own === undefined) continue;
      const { name } = await makeQueue(entry, account, accountId);
      const record = { ...contact.record, queues: [own, name] };
      this.#events.put(entry, { ...contact, record });
      await this.#events.discard(entry, before);
      this.#events.added(entry, [name]);
    }
  }
}
