import type { Contact } from "../contact.ts";
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
import { backupTable, heardTable, SELF, standingTable } from "../records.ts";
import type { Standing } from "../view.ts";
import type { Heard } from "./announcement.ts";
import { toldBy, withTold } from "./heard.ts";

export interface HearingEvents {
  /** Which list a device of a contact goes by. Gives the contact as they are then. */
  claimed(entry: Entry, contact: Contact, list: DeviceListClaim): Contact;
  /** The own device list is not the last one, or not the only one. */
  standing(at: Standing): void;
  /** Others know of a version of the backup that this device has not seen. */
  checkBackup(): void;
}

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
      const own = this.#desk.account.deviceList;
      this.#stand(entry, compareClaim(own, body.heard.deviceList));
      await this.saved(entry, body.heard.backupVersion);
    }
    return this.#events.claimed(entry, contact, deviceList);
  }

  /** What an announcement tells of the own account. */
  async heard(
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
    // It is for all devices of the account, and may tell one of what it wrote itself.
    const { own = 0 } = await entry.get(backupTable, SELF) ?? {};
    if (backupVersion > own) await this.saved(entry, backupVersion);
  }

  /** A newer list is known now: what was missing is there. */
  async listed(entry: Entry): Promise<void> {
    const standing = await entry.get(standingTable, SELF);
    if (standing?.at !== "behind") return;
    entry.delete(standingTable, SELF);
    entry.after(() => this.#events.standing("current"));
  }

  /** Another own device goes by a list that can't be in one chain with ours. */
  forked(entry: Entry): void {
    this.#stand(entry, "forked");
  }

  /** Who comes back from an old backup goes by an old list, and would not know without others. */
  #stand(entry: Entry, order: DeviceListOrder): void {
    if (order !== "newer" && order !== "forked") return;
    const at = order === "newer" ? "behind" : "forked";
    entry.put(standingTable, SELF, { at });
    entry.after(() => this.#events.standing(at));
  }

  /** Others know of this version. Whether the relay hides it, the backup finds out by reading it. */
  async saved(entry: Entry, told: number): Promise<void> {
    const record = await entry.get(backupTable, SELF);
    if (!record || told <= Math.max(record.told ?? 0, record.read ?? 0)) return;
    entry.put(backupTable, SELF, { ...record, told });
    entry.after(() => this.#events.checkBackup());
  }
}
