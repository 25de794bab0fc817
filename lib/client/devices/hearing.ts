import { bytesToHex } from "@noble/hashes/utils.js";
import type { Contact } from "../contact.ts";
import { LIST_HASH } from "../contents.ts";
import type { Desk } from "../desk.ts";
import type { Said } from "../inbox.ts";
import {
  compareClaim,
  compareDeviceLists,
  type DeviceListClaim,
  DeviceListError,
  type DeviceListOrder,
  verifyDeviceList,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import {
  announcedTable,
  backupTable,
  heardTable,
  SELF,
  standingTable,
} from "../records.ts";
import type { Standing } from "../view.ts";
import type { Heard } from "./announcement.ts";
import { toldBy, withTold } from "./heard.ts";

export interface HearingEvents {
  /** Which list a device of a contact goes by. Gives the contact as they are then. */
  claimed(entry: Entry, contact: Contact, list: DeviceListClaim): Contact;
  /** The own device list is not the last one, or not the only one. */
  standing(at: Standing): void;
  /** Somebody is to be told of this device. */
  tell(): void;
  /** Others know of a version of the backup that this device has not seen. */
  checkBackup(): void;
}

/** Who was told of this device is asked no sooner than after this, in ms. */
const AGAIN_MS = 3_600_000;

/** Lists remembered that have raised an alarm: whoever has the access key can sign as many as they like. */
const LISTS = 16;

/** What others tell of their accounts and of the own one: so old lists and backups are noticed. */
export class Hearing {
  readonly #desk: Desk;
  readonly #events: HearingEvents;

  constructor(desk: Desk, events: HearingEvents) {
    this.#desk = desk;
    this.#events = events;
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
      const { account } = this.#desk.own.in(entry);
      const order = compareClaim(account.deviceList, body.heard.deviceList);
      if (isAlarm(order)) await this.#ask(entry, accountId);
      await this.saved(entry, body.heard.backupVersion);
    }
    return this.#events.claimed(entry, contact, deviceList);
  }

  /** What an announcement tells of the own account. */
  async heard(
    entry: Entry,
    { deviceList, backupVersion }: Heard,
  ): Promise<void> {
    // As the step has it: what came just before may be the list that this one speaks of.
    const { account } = this.#desk.own.in(entry);
    try {
      const list = await verifyDeviceList(deviceList, account);
      const order = compareDeviceLists(account.deviceList, list);
      await this.#stand(entry, order, list);
    } catch (error) {
      // What nobody with the account key has signed says nothing.
      if (!(error instanceof DeviceListError)) throw error;
    }
    // It is for all devices of the account, and may tell one of what it wrote itself.
    const { own = 0 } = await entry.get(backupTable, SELF) ?? {};
    if (backupVersion > own) await this.saved(entry, backupVersion);
  }

  /** A newer list is known now: what was missing is there. */
  async listed(entry: Entry): Promise<void> {
    const standing = await entry.get(standingTable, SELF);
    if (standing?.at !== "behind") return;
    entry.put(standingTable, SELF, { ...standing, seen: true });
    entry.after(() => this.#events.standing("current"));
  }

  /** Another own device goes by a list that can't be in one chain with ours. */
  async forked(entry: Entry, list: Pick<DeviceListClaim, "hash">) {
    await this.#stand(entry, "forked", list);
  }

  /**
   * Who comes back from an old backup goes by an old list, and would not know without others. What the
   * person has seen of a list is not said of it again.
   */
  async #stand(
    entry: Entry,
    order: DeviceListOrder,
    { hash }: Pick<DeviceListClaim, "hash">,
  ): Promise<void> {
    if (!isAlarm(order)) return;
    const at = order === "newer" ? "behind" : "forked";
    const list = bytesToHex(hash.subarray(0, LIST_HASH));
    const { lists = [], seen } = await entry.get(standingTable, SELF) ?? {};
    if (seen && lists.includes(list)) return;
    const others = lists.filter((other) => other !== list);
    entry.put(standingTable, SELF, {
      at,
      lists: [...others, list].slice(-LISTS),
    });
    entry.after(() => this.#events.standing(at));
  }

  /** Anybody can say that there is another list. Who has one, and hears of ours, shows it as it was signed. */
  async #ask(entry: Entry, accountId: string): Promise<void> {
    const { at = 0 } = await entry.get(announcedTable, accountId) ?? {};
    if (this.#desk.clock.now() - at < AGAIN_MS) return;
    entry.put(announcedTable, accountId, { version: 0, at });
    entry.after(() => this.#events.tell());
  }

  /** Others know of this version. Whether the relay hides it, the backup finds out by reading it. */
  async saved(entry: Entry, told: number): Promise<void> {
    const record = await entry.get(backupTable, SELF);
    if (!record || told <= Math.max(record.told ?? 0, record.read ?? 0)) return;
    entry.put(backupTable, SELF, { ...record, told });
    entry.after(() => this.#events.checkBackup());
  }
}

/** Whether a list that others know is one that this device should know. */
function isAlarm(order: DeviceListOrder): order is "newer" | "forked" {
  return order === "newer" || order === "forked";
}
