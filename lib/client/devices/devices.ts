import { equalBytes } from "@noble/ciphers/utils.js";
import type { Contact } from "../contact.ts";
import type { ConversationHands } from "../conversations.ts";
import type { Desk } from "../desk.ts";
import {
  type Address,
  compareClaim,
  compareDeviceLists,
  type Device,
  type DeviceList,
  type DeviceListClaim,
  DeviceListError,
  isListedIn,
  parseAddress,
  publicDevice,
  verifyDeviceList,
} from "../keys/mod.ts";
import type { Said } from "../inbox.ts";
import type { Entry } from "../ledger.ts";
import type { Connection } from "../link/mod.ts";
import type { Outbox } from "../outbox.ts";
import { isListed, type OwnChange, type OwnState } from "../own_devices.ts";
import {
  type BackupKeysRecord,
  backupKeysTable,
  backupTable,
  heardTable,
  keyChangedTable,
  queueTable,
  SELF,
} from "../records.ts";
import { PoolTaker } from "../pool/pool_taker.ts";
import { Announcer } from "./announcer.ts";
import { Elsewhere } from "./elsewhere.ts";
import { Follower, type FollowerEvents } from "./follower.ts";
import { mayAnswer, withTold } from "./heard.ts";
import { Missed } from "./missed.ts";
import { happened, RECENT_MS } from "./recent.ts";
import { Renewals } from "./renewal.ts";
import { askAnew } from "./repair.ts";
import { History } from "../history/history.ts";
import type { HistoryRecord } from "../history/records.ts";
import { Siblings } from "./siblings.ts";
import { Sure } from "./sure.ts";
import type { Sync } from "./sync.ts";

/** How long an account queue is read after another one took its place, ms: as long as relays keep messages. */
const DRAIN_MS = 21 * 86_400_000;

/** How often it is looked whether something has waited for too long, ms. */
const GIVE_UP_MS = 3_600_000;

/** One that was removed is in no list that anybody begins a session by, and does not hear where this one receives. */
const REMOVED = { only: 0, nowhere: true };

/** How often it is looked whether the backup of another access key is written, and for how long of a connection, ms. */
const LOOK_MS = 500;
const SAVED_WITHIN_MS = 60_000;

/** Who is told that an epoch has begun has it after this long, ms. */
const ASK_MS = 30_000;

export interface DevicesEvents
  extends Omit<FollowerEvents, "behind" | "tell" | "gone"> {
  /** Own queues that nobody needs any more. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
  /** Own queues that are to be read from now on. */
  added(entry: Entry, names: readonly string[]): void;
  readonly hands: ConversationHands;
  /** Another own device has written this version of the backup. */
  saved(entry: Entry, version: number): Promise<void>;
  /** Another own device goes by a list that can't be in one chain with ours. */
  forked(entry: Entry, list: Pick<DeviceListClaim, "hash">): Promise<void>;
  /** The own device list is a newer one. */
  newerList(entry: Entry): Promise<void>;
  /** The backup may be to be read or written. */
  checkBackup(): void;
  /** How far the past has gone from one own device to another. */
  history(record: HistoryRecord): void;
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
  readonly #renewals: Renewals;
  /** The past, from one own device to another. */
  readonly history: History;
  readonly #missed: Missed;
  readonly #taker: PoolTaker;
  readonly #sure: Sure;
  #connection: Connection | undefined;
  /** On which the others were asked for the keys of the backup. */
  #asked: Connection | undefined;

  constructor(desk: Desk, outbox: Outbox, events: DevicesEvents) {
    this.#desk = desk;
    this.#events = events;
    this.#announcer = new Announcer(desk, outbox);
    this.#sure = new Sure(desk);
    this.#taker = new PoolTaker(desk, this.#announcer, events);
    const tell = (entry: Entry) => entry.after(() => this.#announcer.look());
    this.#renewals = new Renewals(desk, {
      ...events,
      put: async (entry, contact) => {
        const { accountId, queues: [queue], renewed } = contact.record;
        if (accountId !== desk.account.accountId) {
          return await events.put(entry, contact);
        }
        const { own, known } = renewed ?? {};
        await desk.own.put(entry, {
          devices: { queue, renewed: own && known && { own, known } },
        });
      },
      tell,
    });
    this.#follower = new Follower(desk, outbox, {
      ...events,
      behind: (entry, contact, to) =>
        this.#announcer.announce(entry, contact, to),
      gone: (entry, contact, gone, first) =>
        this.#renewals.gone(entry, contact, gone, first),
      tell,
    });
    this.#siblings = new Siblings(desk, outbox);
    this.#elsewhere = new Elsewhere(desk, events.hands);
    this.history = new History(
      desk,
      this.#siblings,
      events.hands,
      (record) => events.history(record),
    );
    this.#missed = new Missed(desk, this.#siblings, events.hands.log);
    this.#ownFollower = new Follower(desk, outbox, {
      put: async (entry, self) => {
        const before = desk.own.in(entry);
        const change = ownChangeOf(before, self);
        // Who has another access key than this device knows goes on alone.
        if (change.successor && isIn(self.deviceList, before)) return;
        await desk.own.put(entry, change);
        const { version } = before.account.deviceList;
        if (self.deviceList.version > version) await events.newerList(entry);
      },
      claimed: async (entry, self, list) => {
        if (compareClaim(self.deviceList, list) === "forked") {
          await events.forked(entry, list);
        }
        return self;
      },
      left: async (entry, before, device) => {
        await this.#siblings.left(entry, device);
        await this.history.left(entry, device);
        const going = before.devices.find(({ id }) => id === device);
        if (going) await this.#tellRemoved(entry, going.address);
      },
      gone: (entry) => this.#renewals.ownGone(entry),
      moved: events.moved,
      joined: async (entry, _self, device) => {
        const since = desk.clock.now() - RECENT_MS;
        const period = { since, came: since };
        const { log } = events.hands;
        for (const sync of await happened(entry, desk, log, period)) {
          await this.#siblings.tell(entry, sync, device);
        }
      },
      began: events.began,
      heard: async (entry, { backupVersion }) => {
        const { own = 0 } = await entry.get(backupTable, SELF) ?? {};
        // Who wrote nothing since tells of what it read, which may be this device's.
        if (backupVersion > own) await events.saved(entry, backupVersion);
      },
      behind: (entry, self, to, device) =>
        this.#announcer.announce(
          entry,
          self,
          to,
          isListedIn(self.deviceList, device) ? {} : REMOVED,
        ),
      tell,
    });
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#giveUp(connection);
    this.#renewals.connected();
    this.#desk.ledger.post((entry) => this.#leaveBehind(entry));
    this.#tell(connection, this.#desk.clock.now());
  }

  /**
   * Contacts hear of this device; of another access key only once there is a backup that it opens: who loses
   * this browser before comes back by the key before, and has to be who contacts know. One that can't be
   * written is not waited for. `since`: when that connection was made, ms since the epoch.
   */
  #tell(connection: Connection, since: number): void {
    const { clock, ledger } = this.#desk;
    ledger.post(async (entry) => {
      if (connection.lost) return;
      const changed = await entry.get(keyChangedTable, SELF);
      const waits = changed && clock.now() - since < SAVED_WITHIN_MS &&
        !await isSaved(entry);
      if (waits) {
        clock.after(LOOK_MS, () => this.#tell(connection, since));
        return;
      }
      await this.#renewals.afterKeyChange(entry);
      // What is announced is what there is then.
      entry.after(() => {
        this.#announcer.connected(connection);
        this.#taker.connected(connection);
      });
    });
  }

  /** Resolves when the other own devices may be written to; rejects with RelayError "unreachable" when not yet. */
  sure(connection: Connection): Promise<void> {
    return this.#sure.wait(connection);
  }

  lost(): void {
    this.#connection = undefined;
    this.#announcer.lost();
    this.#taker.lost();
    this.#renewals.lost();
  }

  /** The own device list, or where other own devices are, is another one. */
  ownChanged(): void {
    this.#announcer.look();
    this.#taker.look();
  }

  /** A device of a contact or of the own account makes itself known; own devices that it may not reach hear of it. */
  async announced(
    entry: Entry,
    contact: Contact,
    announcement: Uint8Array,
  ): Promise<boolean> {
    const { accountId: about } = contact.record;
    if (about === this.#desk.account.accountId) {
      return await this.#ownFollower.announced(
        entry,
        contact,
        announcement,
        true,
      );
    }
    const believed = await this.#follower.announced(
      entry,
      contact,
      announcement,
      true,
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

  /** This device has begun an epoch of the backup: the others get the keys. */
  async begun(entry: Entry, keys: EpochKeys): Promise<void> {
    const deviceList = this.#desk.own.in(entry).account.deviceList.bytes;
    await this.tell(entry, { kind: "epoch", deviceList, ...keys });
  }

  /** Each device that stays tells one that goes: whoever removed it may be lost before it could. */
  async #tellRemoved(entry: Entry, to: Address): Promise<void> {
    const own = this.#desk.own.in(entry);
    if (!isListed(own)) return;
    await this.#announcer.announce(entry, own.self, to, REMOVED);
  }

  /** The devices that there were before the access key was changed: they are told, and nothing waits for them. */
  async #leaveBehind(entry: Entry): Promise<void> {
    const changed = await entry.get(keyChangedTable, SELF);
    const { self } = this.#desk.own.in(entry);
    for (const { id, address } of changed?.removed ?? []) {
      const way = await parseAddress(address);
      await this.#ownFollower.left(entry, self, id, way);
      await this.#tellRemoved(entry, way);
    }
  }

  /** Tells the other own devices. */
  tell(entry: Entry, sync: Sync): Promise<void> {
    return this.#siblings.tell(entry, sync);
  }

  /** There is a session with another own device. */
  async siblingBegan(entry: Entry, device: number): Promise<void> {
    await this.#siblings.began(entry, device);
    await this.history.began(entry, device);
    await this.#missed.began(entry, device);
  }

  /** What the others told this device may be lost. */
  askMissed(): void {
    this.#desk.ledger.post((entry) => this.#missed.askAll(entry));
  }

  /** What another own device told, at this time by its clock. */
  async told(
    entry: Entry,
    from: Device,
    bytes: Uint8Array,
    time: number,
  ): Promise<void> {
    await this.#missed.heard(entry, from.id, time);
    const sync = this.#siblings.told(bytes);
    if (!sync) return;
    switch (sync.kind) {
      case "saved":
        return await this.#events.saved(entry, sync.version);
      case "announced": {
        const contact = this.#desk.contactIn(entry, sync.about);
        if (!contact) return; // the backup will say all that is to be known of them
        await this.#follower.announced(
          entry,
          contact,
          sync.announcement,
          false,
        );
        return;
      }
      case "epoch":
        return await this.#epoch(entry, from, sync);
      case "history":
        return await this.history.told(entry, from, sync.bytes);
      case "missed":
        return await this.#missed.asked(entry, from.id, sync.time);
      case "told":
        return await this.#missed.answered(entry, from.id, sync.time);
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
    // One that came after the removal may have been heard of before it.
    const { devices } = order === "older" ? account.deviceList : list;
    if (order === "forked" || !isListedIn({ devices }, from)) return;
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

  /**
   * An own device goes by a list before ours: it may have been away for longer than the relay kept what told
   * it of the last one, and with that the keys of the backup.
   */
  async siblingBehind(entry: Entry, device: Device): Promise<void> {
    const { account } = this.#desk.own.in(entry);
    const { accountId } = account;
    const keys = await entry.get(backupKeysTable, SELF);
    if (!keys || !isListedIn(account.deviceList, device)) return;
    const heard = await entry.get(heardTable, accountId);
    const now = this.#desk.clock.now();
    if (!mayAnswer(heard, device, now)) return;
    entry.put(
      heardTable,
      accountId,
      withTold(heard, device, { answered: now }),
    );
    const deviceList = account.deviceList.bytes;
    const { key, writeSeed } = keys;
    await this.#siblings.tell(
      entry,
      { kind: "epoch", deviceList, ...key, writeSeed },
      device.id,
    );
  }

  /** An epoch of the backup has begun, and nobody may be about to say so: the others hear by which list this one goes. */
  askForKeys(): void {
    const connection = this.#connection;
    if (!connection || this.#asked === connection) return;
    this.#asked = connection;
    const { clock, ledger, own } = this.#desk;
    const { version } = own.state.account.deviceList;
    clock.after(ASK_MS, () => {
      if (connection.lost) return;
      ledger.post(async (entry) => {
        const now = own.in(entry);
        if (now.account.deviceList.version !== version) return;
        for (const { id } of now.self.devices) {
          await this.#events.moved(entry, now.self, id);
        }
      });
    });
  }

  /** The own device list, as a backup or another own device has it; when it is newer. */
  async listed(entry: Entry, list: DeviceList): Promise<void> {
    const { self } = this.#desk.own.in(entry);
    const order = compareDeviceLists(self.deviceList, list);
    if (order === "forked") await this.#events.forked(entry, list);
    if (order !== "newer") return;
    await this.#ownFollower.listed(entry, self, list);
  }

  /** Where other own devices are, as the backup has it: `before`, the own account as it was. */
  async found(entry: Entry, before: Contact): Promise<void> {
    const { self } = this.#desk.own.in(entry);
    await this.#ownFollower.relocated(entry, before, self);
    await this.#ownFollower.found(entry, before, self);
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

  /** A device of a contact for whom there are other queues wrote. Gives the contact as they are then. */
  said(entry: Entry, said: Said): Promise<Contact> {
    return this.#renewals.said(entry, said);
  }

  /** Ends what has waited for too long: now, and as long as there is this connection. */
  #giveUp(connection: Connection): void {
    const { clock, ledger } = this.#desk;
    ledger.post((entry) => this.#giveUpRetired(entry));
    ledger.post((entry) => this.history.giveUp(entry));
    clock.after(GIVE_UP_MS, () => {
      if (!connection.lost) this.#giveUp(connection);
    });
  }

  /** Nobody sends to an account queue that was replaced so long ago. */
  async #giveUpRetired(entry: Entry): Promise<void> {
    const now = this.#desk.clock.now();
    for (const accountId of this.#desk.contacts.keys()) {
      const contact = await this.#renewals.endAfter(
        entry,
        accountId,
        DRAIN_MS,
      );
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
  { devices, account }: OwnState,
  { record, deviceList }: Contact,
): OwnChange {
  const { accountKey, successions } = record;
  const same = equalBytes(accountKey, account.accountKey);
  const others = record.devices.map(({ id, address }) => {
    const known = devices.others.find((other) => other.id === id);
    return { name: "", day: 0, ...known, id, address };
  });
  return {
    deviceList: deviceList.bytes,
    ...same ? {} : { successor: { accountKey, successions } },
    devices: { others },
  };
}

/** Whether the relay has a backup of the key and the epoch that there are. */
async function isSaved(entry: Entry): Promise<boolean> {
  const keys = await entry.get(backupKeysTable, SELF);
  const backup = await entry.get(backupTable, SELF);
  if (!keys || !backup) return true;
  return !keys.ownSeed && backup.base > 0;
}

function isIn(list: DeviceList, { account }: OwnState): boolean {
  return isListedIn(list, publicDevice(account.device));
}
