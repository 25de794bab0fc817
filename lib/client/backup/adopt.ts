/**
 * What other devices of the account chose, taken over by this one: from the cells of a merged backup into
 * the records that this device works with.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import {
  type Contact,
  conversationOf,
  openContact,
  parted,
} from "../contact.ts";
import type { ContactSettings } from "../contact_settings.ts";
import type { Desk } from "../desk.ts";
import {
  compareDeviceLists,
  type DeviceList,
  newQueue,
  type QueueCredentials,
  verifyDeviceList,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { queueName, queueRecord } from "../queues.ts";
import {
  type ContactRecord,
  contactTable,
  discardedTable,
  type OtherDeviceRecord,
  ownDevicesTable,
  type QueueRecord,
  queueTable,
  SELF,
  type SettingsRecord,
  settingsTable,
} from "../records.ts";
import type { Stamped } from "../stamped.ts";
import { type Cells, compareStamps } from "./cells.ts";
import { type BackupContents, readContents } from "./contents.ts";
import type { BackedContact, BackedDevice } from "./held.ts";

export interface AdopterEvents {
  /** Another device has begun an epoch of the backup that this one is yet to be told of. */
  replaced(): void;
  /** The own device list; it may be newer than ours. */
  listed(entry: Entry, list: DeviceList): Promise<void>;
  /** Where the other own devices are; `before`: the own account as it was. */
  found(entry: Entry, before: Contact): Promise<void>;
  settings(entry: Entry, settings: SettingsRecord): void;
  /** Somebody new, or met anew, whose records are put. */
  met(entry: Entry, contact: Contact): Promise<void>;
  /** A contact is another one now: what was for ways that are no more ends. */
  became(entry: Entry, before: Contact, after: Contact): Promise<void>;
  /** Whatever is under way with a contact ends, their queues included. */
  parting(entry: Entry, contact: Contact): Promise<void>;
  /** A contact who was removed. */
  removed(entry: Entry, contact: Contact): Promise<void>;
  /** Own queues that nobody needs any more. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
  /** Own queues that this device did not read before. */
  added(entry: Entry, names: readonly string[]): void;
  /** The account receives elsewhere from this contact now. This device may have told them otherwise. */
  elsewhere(entry: Entry, contact: Contact): void;
}

export class Adopter {
  readonly #desk: Desk;
  readonly #events: AdopterEvents;

  constructor(desk: Desk, events: AdopterEvents) {
    this.#desk = desk;
    this.#events = events;
  }

  /**
   * `cells`: those of this device and of the backup that was found, merged; `found`: the device list in that.
   * Throws what `readContents` does.
   */
  async adopt(entry: Entry, cells: Cells, found: Uint8Array): Promise<void> {
    const { account } = this.#desk;
    const contents = await readContents(cells, account.accountKey);
    // Of two lists of one version that contradict each other the cells have one, and it may be ours.
    for (const bytes of [found, contents.account.deviceList.bytes]) {
      await this.#events.listed(entry, await verifyDeviceList(bytes, account));
    }
    await this.#adoptDevices(entry, contents.devices);
    await this.#adoptSettings(entry, contents.account.settings);
    await this.#adoptContacts(entry, contents);
  }

  /** What the other devices of the list say of themselves. */
  async #adoptDevices(
    entry: Entry,
    backed: readonly BackedDevice[],
  ): Promise<void> {
    const { account, devices, self } = this.#desk.own.in(entry);
    const others = account.deviceList.devices
      .filter(({ id }) => id !== account.device.id)
      .flatMap(({ id }): OtherDeviceRecord | [] => {
        const said = backed.find((device) => device.id === id);
        if (!said) return devices.others.find((other) => other.id === id) ?? [];
        const known = devices.others.find((other) => other.id === id);
        // What it has not signed itself, or signed before, leads nowhere else than is known.
        const { address, since } = known && said.since < (known.since ?? 1)
          ? known
          : said;
        return { id, address, since, name: said.name, day: said.day };
      });
    const { encode } = ownDevicesTable.codec;
    const now = { ...devices, others };
    if (equalBytes(encode(devices), encode(now))) return;
    await this.#desk.own.put(entry, { devices: { others } });
    await this.#events.found(entry, self);
  }

  async #adoptSettings(
    entry: Entry,
    { deliveryReceipts, readReceipts }: SettingsRecord,
  ): Promise<void> {
    const now = await entry.get(settingsTable, SELF);
    const same = now?.deliveryReceipts === deliveryReceipts &&
      now.readReceipts === readReceipts;
    if (same) return;
    this.#events.settings(entry, { deliveryReceipts, readReceipts });
  }

  async #adoptContacts(
    entry: Entry,
    { contacts }: BackupContents,
  ): Promise<void> {
    const kept = new Set(contacts.map(({ record }) => record.accountId));
    for (const accountId of [...this.#desk.contacts.keys()]) {
      const contact = this.#desk.contactIn(entry, accountId);
      if (contact && !kept.has(accountId)) {
        await this.#events.removed(entry, contact);
      }
    }
    for (const backed of contacts) {
      const { accountId, metAt } = backed.record;
      const known = this.#desk.contactIn(entry, accountId);
      if (!known) await this.#meet(entry, backed);
      else if (known.record.metAt !== metAt) {
        // They were met anew: other queues, other sessions.
        await this.#events.parting(entry, known);
        await this.#meet(entry, backed, known);
      } else await this.#update(entry, backed, known);
    }
  }

  /** Somebody whom another device met: this one makes its queue for them. */
  async #meet(
    entry: Entry,
    backed: BackedContact,
    known?: Contact,
  ): Promise<void> {
    const { account } = this.#desk;
    const { record } = backed;
    const queues: string[] = [];
    if (record.accountAddress) {
      queues.push(await this.#keepQueue(entry, record, await newQueue()));
      queues.push(...await this.#keepAccountQueues(entry, backed, []));
    }
    const contact = await openContact({
      ...record,
      queues,
      conversation: conversationOf(account.accountId, record.accountId),
      settings: known
        ? laterOf(known.record.settings, record.settings)
        : record.settings,
    });
    await this.#events.met(entry, contact);
    this.#events.added(entry, queues);
  }

  /** Those of the account that `names` does not have are kept, too. Gives the names of all of them. */
  async #keepAccountQueues(
    entry: Entry,
    { record, accountQueues }: BackedContact,
    names: readonly string[],
  ): Promise<string[]> {
    const kept: string[] = [];
    for (const [i, { remove, left, ...queue }] of accountQueues.entries()) {
      const name = queueName(queue.send.publicKey);
      if (names.includes(name)) kept.push(name);
      // Without a remove key it was written before there were several devices, and is so no more soon.
      else if (remove) {
        const now = this.#desk.clock.now();
        await this.#keepQueue(entry, record, { ...queue, remove }, {
          ...i > 0 ? { retired: now } : {},
          ...left ? { left: { ...left, since: now } } : {},
        });
        kept.push(name);
      }
    }
    return kept;
  }

  async #keepQueue(
    entry: Entry,
    { accountId }: Pick<ContactRecord, "accountId">,
    queue: QueueCredentials,
    rest: Pick<QueueRecord, "retired" | "left"> = {},
  ): Promise<string> {
    const { recoveryKey } = this.#desk.account;
    const { name, record } = await queueRecord(queue, recoveryKey, accountId);
    entry.put(queueTable, name, { ...record, ...rest });
    // It may be one that this device has just given up.
    const discarded = await entry.get(discardedTable, SELF);
    if (discarded?.queues.includes(name)) {
      const queues = discarded.queues.filter((other) => other !== name);
      entry.put(discardedTable, SELF, { ...discarded, queues });
    }
    return name;
  }

  /** Somebody who is known: what another device decided about them, and learnt of them. */
  async #update(
    entry: Entry,
    backed: BackedContact,
    known: Contact,
  ): Promise<void> {
    const { record } = backed;
    const settings = laterOf(known.record.settings, record.settings);
    if (!record.accountAddress) {
      const connected = known.record.queues.length > 0;
      if (connected) await this.#events.parting(entry, known);
      const after = { ...parted(known.record), settings };
      return await this.#became(entry, known, after);
    }
    const [own, ...names] = known.record.queues;
    if (own === undefined) return await this.#meet(entry, backed, known);
    const accountQueues = isOutdated(backed, known)
      ? names
      : await this.#keepAccountQueues(entry, backed, names);
    const gone = names.filter((name) => !accountQueues.includes(name));
    const fresh = accountQueues.filter((name) => !names.includes(name));
    await this.#became(entry, known, {
      ...known.record,
      ...await this.#ways(record, known),
      name: record.name,
      queues: [own, ...accountQueues],
      settings,
    });
    if (gone.length > 0) await this.#events.discard(entry, gone);
    if (fresh.length > 0) this.#events.added(entry, fresh);
    const [present] = accountQueues;
    if (present !== names[0]) this.#events.elsewhere(entry, known);
  }

  /** Who and where a contact and their devices are: by the newer device list, and what is known of each device in it. */
  async #ways(
    record: BackedContact["record"],
    known: Contact,
  ): Promise<
    Pick<
      ContactRecord,
      | "accountKey"
      | "successions"
      | "deviceList"
      | "devices"
      | "accountAddress"
    >
  > {
    // The other device has followed them to this key, if it is another one.
    const list = await verifyDeviceList(record.deviceList, record);
    const order = compareDeviceLists(known.deviceList, list);
    const [after, before] = [record, known.record].map(({ successions }) =>
      successions?.length ?? 0
    );
    const follows = after === before
      ? order === "newer" || order === "same"
      : after > before;
    const { accountKey, successions, deviceList, devices, accountAddress } =
      follows ? record : known.record;
    return { accountKey, successions, deviceList, devices, accountAddress };
  }

  async #became(
    entry: Entry,
    before: Contact,
    record: ContactRecord,
  ): Promise<void> {
    const { encode } = contactTable.codec;
    if (equalBytes(encode(before.record), encode(record))) return;
    await this.#events.became(entry, before, await openContact(record));
  }
}

/**
 * Whether another device, which does not know it yet, receives by a queue of the account that this one
 * replaced because somebody who is none of the contact's any more knew it. Then this one's word is the last.
 */
function isOutdated(
  { accountQueues }: BackedContact,
  { record: { renewed, givenUp = [] } }: Contact,
): boolean {
  if (accountQueues.length === 0) return false;
  const present = queueName(accountQueues[0].send.publicKey);
  return givenUp.includes(present) ||
    renewed !== undefined && renewed.shared.includes(present);
}

/** Of each decision the later one. */
function laterOf(
  one: ContactSettings,
  other: ContactSettings,
): ContactSettings {
  const later = <T>(a: Stamped<T>, b: Stamped<T>) =>
    compareStamps(a, b) >= 0 ? a : b;
  return {
    name: later(one.name, other.name),
    muted: later(one.muted, other.muted),
    archived: later(one.archived, other.archived),
    blocked: later(one.blocked, other.blocked),
    identity: later(one.identity, other.identity),
  };
}
