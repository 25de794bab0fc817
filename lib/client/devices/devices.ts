import type { Contact } from "../contact.ts";
import type { Desk } from "../desk.ts";
import type { Said } from "../inbox.ts";
import {
  compareClaim,
  compareDeviceLists,
  DeviceListError,
  type DeviceListOrder,
  verifyDeviceList,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import type { Connection } from "../link/mod.ts";
import type { Outbox } from "../outbox.ts";
import {
  backupTable,
  heardTable,
  queueTable,
  SELF,
  standingTable,
} from "../records.ts";
import type { Heard } from "./announcement.ts";
import { Announcer } from "./announcer.ts";
import { Follower, type FollowerEvents } from "./follower.ts";
import { toldBy, withTold } from "./heard.ts";

/** How long an account queue is read after another one took its place, ms: as long as relays keep messages. */
const DRAIN_MS = 21 * 86_400_000;

export interface DevicesEvents
  extends Omit<FollowerEvents, "heard" | "behind" | "tell"> {
  /** The own device list is not the last one, or not the only one. */
  standing(at: "behind" | "forked"): void;
  /** Own queues that nobody needs any more. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
  /** Others know of a version of the backup that this device has not seen. */
  checkBackup(): void;
}

/** What devices tell of themselves, and what follows from what others tell. */
export class Devices {
  readonly #desk: Desk;
  readonly #events: DevicesEvents;
  readonly #announcer: Announcer;
  readonly #follower: Follower;

  constructor(desk: Desk, outbox: Outbox, events: DevicesEvents) {
    this.#desk = desk;
    this.#events = events;
    this.#announcer = new Announcer(desk, outbox);
    this.#follower = new Follower(desk, outbox, {
      ...events,
      heard: async (entry, { heard }) => {
        if (heard) await this.#heard(entry, heard);
      },
      behind: (entry, contact, to) =>
        this.#announcer.announce(entry, contact, to),
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

  /** Something changed that contacts are to hear of. */
  look(): void {
    this.#announcer.look();
  }

  announced(
    entry: Entry,
    contact: Contact,
    announcement: Uint8Array,
  ): Promise<boolean> {
    return this.#follower.announced(entry, contact, announcement);
  }

  /** Notes what every message tells of its author's account, and what a greeting tells of the own one. */
  async said(
    entry: Entry,
    { contact, device, content }: Said,
  ): Promise<Contact> {
    const { accountId } = contact.record;
    const heard = await entry.get(heardTable, accountId);
    const { backupVersion, body, deviceList } = content;
    if (toldBy(heard, device).backupVersion < backupVersion) {
      const told = withTold(heard, device, { backupVersion });
      entry.put(heardTable, accountId, told);
    }
    if (body.kind === "hello" && body.heard) {
      const own = this.#desk.account.deviceList;
      this.#stand(entry, compareClaim(own, body.heard.deviceList));
      await this.#backup(entry, body.heard.backupVersion);
    }
    return this.#events.claimed(entry, contact, deviceList);
  }

  /** Nobody sends to an account queue that was replaced so long ago. */
  async #giveUpRetired(entry: Entry): Promise<void> {
    const now = this.#desk.clock.now();
    for (const { record } of this.#desk.contacts.values()) {
      const contact = this.#desk.contactIn(entry, record.accountId);
      if (!contact || contact.record.queues.length <= 2) continue;
      const earlier = contact.record.queues.slice(2);
      const found = await entry.getMany(queueTable, earlier);
      const over = earlier.filter((_, i) =>
        now - (found[i]?.retired ?? now) > DRAIN_MS
      );
      if (over.length === 0) continue;
      const queues = record.queues.filter((name) => !over.includes(name));
      this.#events.put(entry, {
        ...contact,
        record: { ...contact.record, queues },
      });
      await this.#events.discard(entry, over);
    }
  }

  async #heard(
    entry: Entry,
    { deviceList, backupVersion }: Heard,
  ): Promise<void> {
    const { account } = this.#desk;
    try {
      const list = await verifyDeviceList(deviceList, account);
      this.#stand(entry, compareDeviceLists(account.deviceList, list));
    } catch (error) {
      // What nobody with the account key has signed says nothing.
      if (!(error instanceof DeviceListError)) throw error;
    }
    await this.#backup(entry, backupVersion);
  }

  /** Who comes back from an old backup goes by an old list, and would not know without others. */
  #stand(entry: Entry, order: DeviceListOrder): void {
    if (order !== "newer" && order !== "forked") return;
    const at = order === "newer" ? "behind" : "forked";
    entry.put(standingTable, SELF, { at });
    entry.after(() => this.#events.standing(at));
  }

  /** Whether the relay hides a version that others know of, the backup finds out by reading it. */
  async #backup(entry: Entry, told: number): Promise<void> {
    const record = await entry.get(backupTable, SELF);
    if (!record || told <= Math.max(record.told ?? 0, record.read ?? 0)) return;
    entry.put(backupTable, SELF, { ...record, told });
    entry.after(() => this.#events.checkBackup());
  }
}
