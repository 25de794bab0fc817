import { equalBytes } from "@noble/ciphers/utils.js";
import type { Contact } from "../contact.ts";
import type { ConversationHands } from "../conversations.ts";
import type { Desk } from "../desk.ts";
import {
  compareClaim,
  compareDeviceLists,
  type Device,
  type DeviceList,
  DeviceListError,
  parseAddress,
  verifyDeviceList,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import type { Connection } from "../link/mod.ts";
import type { Outbox } from "../outbox.ts";
import type { OwnChange, OwnState } from "../own_devices.ts";
import {
  type BackupKeysRecord,
  backupKeysTable,
  queueTable,
  SELF,
} from "../records.ts";
import { Announcer } from "./announcer.ts";
import { Elsewhere } from "./elsewhere.ts";
import { Follower, type FollowerEvents } from "./follower.ts";
import { recent } from "./recent.ts";
import { askAnew } from "./repair.ts";
import { Siblings } from "./siblings.ts";
import type { Sync } from "./sync.ts";

/** How long an account queue is read after another one took its place, ms: as long as relays keep messages. */
const DRAIN_MS = 21 * 86_400_000;

export interface DevicesEvents extends Omit<FollowerEvents, "behind" | "tell"> {
  /** Own queues that nobody needs any more. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
  readonly hands: ConversationHands;
  /** Another own device has written this version of the backup. */
  saved(entry: Entry, version: number): Promise<void>;
  /** Another own device goes by a list that can't be in one chain with ours. */
  forked(entry: Entry): void;
  /** The own device list is a newer one. */
  newerList(entry: Entry): Promise<void>;
  /** The backup may be to be read or written. */
  checkBackup(): void;
}

/** What the other devices need for the backup of an epoch. */
export type EpochKeys =
  & BackupKeysRecord["key"]
  & Pick<BackupKeysRecord, "writeSeed">;

/** What devices tell of themselves, and what follows from what others tell. */
export class Devices {
  readonly #desk: Desk;
  readonly #events: DevicesEvents;
  readonly #announcer: Announcer;
  readonly #follower: Follower;
  /** Goes along with the devices of the own account. */
  readonly #ownFollower: Follower;
  readonly #siblings: Siblings;
  readonly #elsewhere: Elsewhere;

  constructor(desk: Desk, outbox: Outbox, events: DevicesEvents) {
    this.#desk = desk;
    this.#events = events;
    this.#announcer = new Announcer(desk, outbox);
    this.#follower = new Follower(desk, outbox, {
      ...events,
      behind: (entry, contact, to) =>
        this.#announcer.announce(entry, contact, to),
      tell: (entry) => entry.after(() => this.#announcer.look()),
    });
    this.#siblings = new Siblings(desk, outbox);
    this.#elsewhere = new Elsewhere(desk, events.hands);
    this.#ownFollower = new Follower(desk, outbox, {
      put: async (entry, self) => {
        const before = desk.own.in(entry);
        await desk.own.put(entry, ownChangeOf(before, self));
        const { version } = before.account.deviceList;
        if (self.deviceList.version > version) await events.newerList(entry);
      },
      claimed: (entry, self, list) => {
        if (compareClaim(self.deviceList, list) === "forked") {
          events.forked(entry);
        }
        return self;
      },
      left: (entry, _self, device) => this.#siblings.left(entry, device),
      joined: async (entry, _self, device) => {
        for (const sync of await recent(entry, desk, events.hands.log)) {
          await this.#siblings.tell(entry, sync, device);
        }
      },
      began: events.began,
      heard: (entry, { backupVersion }) => events.saved(entry, backupVersion),
      behind: (entry, self, to) => this.#announcer.announce(entry, self, to),
      tell: (entry) => entry.after(() => this.#announcer.look()),
    });
  }

  connected(connection: Connection): void {
    this.#desk.ledger.post((entry) => this.#giveUpRetired(entry));
    this.#announcer.connected(connection);
  }

  lost(): void {
    this.#announcer.lost();
  }

  /** The own device list, or where other own devices are, is another one. */
  ownChanged(): void {
    this.#announcer.look();
  }

  /** A device of a contact or of the own account makes itself known; own devices that it may not reach hear of it. */
  async announced(
    entry: Entry,
    contact: Contact,
    announcement: Uint8Array,
  ): Promise<boolean> {
    const { accountId: about } = contact.record;
    if (about === this.#desk.account.accountId) {
      return await this.#ownFollower.announced(entry, contact, announcement);
    }
    const believed = await this.#follower.announced(
      entry,
      contact,
      announcement,
    );
    if (believed) {
      await this.#desk.tell(entry, { kind: "announced", about, announcement });
    }
    return believed;
  }

  /** A contact is another one now, by what another own device learnt. */
  became(entry: Entry, before: Contact, after: Contact): Promise<void> {
    return this.#follower.became(entry, before, after);
  }

  /** An own device was removed: it is told so at this address, and the others get the keys of the epoch that began. */
  async removed(
    entry: Entry,
    address: Uint8Array | undefined,
    keys: EpochKeys,
  ): Promise<void> {
    const { account, self } = this.#desk.own.in(entry);
    if (address) {
      const to = await parseAddress(address);
      // It is in no list that anybody begins a session by.
      await this.#announcer.announce(entry, self, to, { only: 0 });
    }
    const deviceList = account.deviceList.bytes;
    await this.tell(entry, { kind: "epoch", deviceList, ...keys });
  }

  /** Tells the other own devices. */
  tell(entry: Entry, sync: Sync): Promise<void> {
    return this.#siblings.tell(entry, sync);
  }

  /** There is a session with another own device. */
  siblingBegan(entry: Entry, device: number): Promise<void> {
    return this.#siblings.began(entry, device);
  }

  /** What another own device told. */
  async told(entry: Entry, from: Device, bytes: Uint8Array): Promise<void> {
    const sync = this.#siblings.told(bytes);
    if (!sync) return;
    switch (sync.kind) {
      case "saved":
        return await this.#events.saved(entry, sync.version);
      case "announced": {
        const contact = this.#desk.contactIn(entry, sync.about);
        if (!contact) return; // the backup will say all that is to be known of them
        await this.#follower.announced(entry, contact, sync.announcement);
        return;
      }
      case "epoch":
        return await this.#epoch(entry, from, sync);
      default:
        return await this.#elsewhere.happened(entry, sync);
    }
  }

  /**
   * Another device has removed one. Who is removed itself may know the list before others do, and gives
   * them no keys.
   */
  async #epoch(
    entry: Entry,
    from: Device,
    { deviceList, epoch, key, box, writeSeed }: Extract<
      Sync,
      { kind: "epoch" }
    >,
  ): Promise<void> {
    const { account } = this.#desk.own.in(entry);
    let list: DeviceList;
    try {
      list = await verifyDeviceList(deviceList, account);
    } catch (error) {
      if (!(error instanceof DeviceListError)) throw error;
      return;
    }
    const order = compareDeviceLists(account.deviceList, list);
    const stays = list.devices.some(({ identityKey }) =>
      equalBytes(identityKey, from.identityKey)
    );
    if (order === "older" || order === "forked" || !stays) return;
    await this.listed(entry, list);
    const keys = await entry.get(backupKeysTable, SELF);
    if (!keys || keys.key.epoch >= epoch) return;
    const { ownSeed: _, ...kept } = keys;
    entry.put(backupKeysTable, SELF, {
      ...kept,
      writeSeed,
      key: { epoch, key, box },
    });
    entry.after(() => this.#events.checkBackup());
  }

  /** The own device list, as a backup or another own device has it; when it is newer. */
  async listed(entry: Entry, list: DeviceList): Promise<void> {
    const { self } = this.#desk.own.in(entry);
    const order = compareDeviceLists(self.deviceList, list);
    if (order === "forked") this.#events.forked(entry);
    if (order !== "newer") return;
    await this.#ownFollower.listed(entry, self, list);
  }

  /** A device of a contact sent what its session here does not open. */
  async outOfStep(
    entry: Entry,
    contact: Contact,
    device: number,
  ): Promise<void> {
    const tools = { desk: this.#desk, announcer: this.#announcer };
    if (!await askAnew(tools, entry, contact, device)) return;
    if (contact.record.accountId === this.#desk.account.accountId) return;
    // What went out in the session that came apart may be as unreadable there, and so may the answers be.
    await this.#events.joined(entry, contact, device);
  }

  /** Nobody sends to an account queue that was replaced so long ago. */
  async #giveUpRetired(entry: Entry): Promise<void> {
    const now = this.#desk.clock.now();
    for (const accountId of this.#desk.contacts.keys()) {
      const contact = this.#desk.contactIn(entry, accountId);
      const [, , ...earlier] = contact?.record.queues ?? [];
      if (!contact || earlier.length === 0) continue;
      const found = await entry.getMany(queueTable, earlier);
      const over = earlier.filter((_, i) =>
        now - (found[i]?.retired ?? now) > DRAIN_MS
      );
      if (over.length === 0) continue;
      const { record } = contact;
      const queues = record.queues.filter((name) => !over.includes(name));
      this.#events.put(entry, { ...contact, record: { ...record, queues } });
      await this.#events.discard(entry, over);
    }
  }
}

/** What changed about the own devices, of the account as a contact is seen. */
function ownChangeOf(
  { devices }: OwnState,
  { record, deviceList }: Contact,
): OwnChange {
  const others = record.devices.map(({ id, address }) => {
    const known = devices.others.find((other) => other.id === id);
    return { name: "", day: 0, ...known, id, address };
  });
  return { deviceList: deviceList.bytes, devices: { others } };
}
