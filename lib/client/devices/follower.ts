import { equalBytes } from "@noble/ciphers/utils.js";
import {
  initiateSession,
  parseSession,
  serializeSession,
  SignalError,
} from "../../signal/mod.ts";
import { addressesOf, type Contact, openContact } from "../contact.ts";
import type { Desk } from "../desk.ts";
import {
  type Address,
  compareDeviceLists,
  type DeviceList,
  type DeviceListClaim,
  DeviceListError,
  encodeAddress,
  MalformedError,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { type Outbox, sessionName } from "../outbox.ts";
import {
  announcedTable,
  heardTable,
  repairTable,
  sessionTable,
} from "../records.ts";
import { type Announcement, readAnnouncement } from "./announcement.ts";
import { toldBy, withTold } from "./heard.ts";
import { mayHaveAgain } from "./repair.ts";

export interface FollowerEvents {
  /** The contact, changed. */
  put(entry: Entry, contact: Contact): Promise<void> | void;
  /** A list that contradicts the known one, or comes before it. Gives the contact with that noted. */
  claimed(entry: Entry, contact: Contact, list: DeviceListClaim): Contact;
  /** A device of theirs is gone from the list: nothing waits for it any more. */
  left(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** A device is new to us, or can't read what it was sent: what nobody confirmed is for it too. */
  joined(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** There is a session with it now. */
  began(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** What the contact has heard of the own account. */
  heard(entry: Entry, announcement: Announcement): Promise<void>;
  /** A device that goes by an old list: it is to hear of the newer one, at this address. */
  behind(entry: Entry, contact: Contact, to: Address): Promise<void>;
  /** The contact is to be told of this device again. */
  tell(entry: Entry): void;
}

/** Goes along with contacts whose devices come and go. */
export class Follower {
  readonly #desk: Desk;
  readonly #outbox: Outbox;
  readonly #events: FollowerEvents;

  constructor(desk: Desk, outbox: Outbox, events: FollowerEvents) {
    this.#desk = desk;
    this.#outbox = outbox;
    this.#events = events;
  }

  /** A device of theirs makes itself known. False for what can't be believed. */
  async announced(
    entry: Entry,
    contact: Contact,
    bytes: Uint8Array,
  ): Promise<boolean> {
    const { accountId } = contact.record;
    const own = this.#desk.account.accountId;
    let said: Announcement;
    try {
      said = await readAnnouncement(bytes, contact.record, own);
    } catch (error) {
      const refused = error instanceof MalformedError ||
        error instanceof DeviceListError;
      if (!refused) throw error;
      return false;
    }
    const heard = await entry.get(heardTable, accountId);
    // A relay that gives out again what it gave out before brings nobody back.
    if (toldBy(heard, said.device).announced >= said.time) return true;
    await this.#events.heard(entry, said);
    const order = compareDeviceLists(contact.deviceList, said.deviceList);
    entry.put(
      heardTable,
      accountId,
      withTold(heard, said.device, {
        announced: said.time,
        backupVersion: said.backupVersion,
      }),
    );
    if (order === "older" || order === "forked") {
      const warned = this.#events.claimed(entry, contact, said.deviceList);
      await this.#events.behind(entry, warned, said.address);
      return true;
    }
    await this.#follow(entry, contact, said);
    return true;
  }

  async #follow(
    entry: Entry,
    before: Contact,
    said: Announcement,
  ): Promise<void> {
    const after = await followed(before, said);
    await this.became(entry, before, after);
    const { device } = said;
    const known = before.deviceList.devices.some(({ id, identityKey }) =>
      id === device.id && equalBytes(identityKey, device.identityKey)
    );
    const again = said.bundles.has(this.#desk.account.device.id)
      ? await mayHaveAgain(
        this.#desk,
        entry,
        sessionName(after.record.accountId, device.id),
      )
      : false;
    if (!known || again) await this.#events.joined(entry, after, device.id);
    await this.#begin(entry, after, said);
  }

  /** They go by this list now, which is newer. */
  async listed(
    entry: Entry,
    before: Contact,
    list: DeviceList,
  ): Promise<void> {
    const { record, deviceList } = before;
    const after = await openContact({
      ...record,
      deviceList: list.bytes,
      devices: record.devices.filter(({ id }) => sameIn(deviceList, list, id)),
    });
    await this.became(entry, before, after);
  }

  /** What another device of the account learnt of a contact. */
  async became(entry: Entry, before: Contact, after: Contact): Promise<void> {
    await this.#events.put(entry, after);
    await this.#leave(entry, before, after);
  }

  /** Ends the ways that are no more, and the sessions of devices that are not listed. */
  async #leave(entry: Entry, before: Contact, after: Contact): Promise<void> {
    const kept = addressesOf(after).map(({ send }) => send.publicKey);
    for (const address of addressesOf(before)) {
      const stays = kept.some((key) => equalBytes(key, address.send.publicKey));
      if (!stays) await this.#outbox.close(entry, address);
    }
    for (const { id, identityKey } of before.deviceList.devices) {
      const stays = after.deviceList.devices.some((device) =>
        device.id === id && equalBytes(device.identityKey, identityKey)
      );
      if (stays) continue;
      const name = sessionName(before.record.accountId, id);
      entry.delete(sessionTable, name);
      entry.delete(repairTable, name);
      await this.#events.left(entry, before, id);
    }
  }

  /** Begins a session from the bundle for this device. Without one, and without a session, it asks for one. */
  async #begin(
    entry: Entry,
    contact: Contact,
    { bundles, device }: Announcement,
  ): Promise<void> {
    const { account, clock } = this.#desk;
    const { accountId } = contact.record;
    const name = sessionName(accountId, device.id);
    const stored = await entry.get(sessionTable, name);
    const bundle = bundles.get(account.device.id);
    if (!bundle) {
      if (stored) return;
      entry.put(announcedTable, accountId, { version: 0, at: 0 });
      return this.#events.tell(entry);
    }
    try {
      const session = await initiateSession({
        local: account.local,
        remote: { serviceId: accountId, deviceId: device.id },
        bundle,
        session: stored && parseSession(stored),
        identityKey: device.identityKey,
        now: clock.now(),
      });
      entry.put(sessionTable, name, serializeSession(session));
    } catch (error) {
      // A bundle that its device did not sign: there is no session, and the rest stands.
      if (!(error instanceof SignalError)) throw error;
      return;
    }
    await this.#events.began(entry, contact, device.id);
  }
}

/** Whether a device is the same one in both lists: ids are given again. */
function sameIn(was: DeviceList, is: DeviceList, id: number): boolean {
  const [before, after] = [was, is].map(({ devices }) =>
    devices.find((listed) => listed.id === id)
  );
  return before !== undefined && after !== undefined &&
    equalBytes(before.identityKey, after.identityKey);
}

/** The contact as the announcement has it. */
async function followed(
  { record, deviceList }: Contact,
  said: Announcement,
): Promise<Contact> {
  const { device, accountKey, deviceList: list, accountAddress } = said;
  const others = record.devices.filter(({ id }) =>
    id !== device.id && sameIn(deviceList, list, id)
  );
  return await openContact({
    ...record,
    accountKey,
    deviceList: list.bytes,
    devices: [
      ...others,
      { id: device.id, address: encodeAddress(said.address) },
    ].sort((a, b) => a.id - b.id),
    ...accountAddress ? { accountAddress: encodeAddress(accountAddress) } : {},
  });
}
