import { equalBytes } from "@noble/ciphers/utils.js";
import {
  initiateSession,
  parseSession,
  serializeSession,
  SignalError,
} from "../../signal/mod.ts";
import { type Contact, openContact, recipientOf } from "../contact.ts";
import { LIST_HASH } from "../contents.ts";
import type { Desk } from "../desk.ts";
import {
  type Address,
  compareDeviceLists,
  type Device,
  type DeviceList,
  type DeviceListClaim,
  DeviceListError,
  encodeAddress,
  isListedIn,
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
import { withoutSession } from "./announcer.ts";
import { isGone, mayAnswer, toldBy, withTold } from "./heard.ts";
import { mayHaveAgain } from "./repair.ts";

/** So many lists that were known before are remembered. */
const MAX_EARLIER = 16;

export interface FollowerEvents {
  /** The contact, changed. */
  put(entry: Entry, contact: Contact): Promise<void> | void;
  /** A list that contradicts the known one, or comes before it. Gives the contact with that noted. */
  claimed(
    entry: Entry,
    contact: Contact,
    list: DeviceListClaim,
  ): Contact | Promise<Contact>;
  /** A device of theirs, as they were `before`, is gone from the list: nothing waits for it any more. */
  left(entry: Entry, before: Contact, device: number): Promise<void>;
  /** A device is new to us, or can't read what it was sent: what nobody confirmed is for it too. */
  joined(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** There is a session with it now. */
  began(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** Devices that are none of theirs any more; `first`: this device was told so by one of theirs. */
  gone(
    entry: Entry,
    contact: Contact,
    devices: readonly Device[],
    first: boolean,
  ): Promise<void>;
  /** It receives elsewhere now: it is to hear that this device knows that. */
  moved(entry: Entry, contact: Contact, device: number): Promise<void>;
  /** What the contact has heard of the own account. */
  heard(entry: Entry, announcement: Announcement): Promise<void>;
  /** `device`, which goes by an old list, is to hear of the newer one, at this address. */
  behind(
    entry: Entry,
    contact: Contact,
    to: Address,
    device: Device,
  ): Promise<void>;
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

  /**
   * A device of theirs makes itself known. `first`: to this device, and not to another one of the account.
   * False for what can't be believed, or comes from a device that was removed.
   */
  async announced(
    entry: Entry,
    contact: Contact,
    bytes: Uint8Array,
    first: boolean,
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
    // Its own words, given out again, are none of another device's.
    const { publicKey } = this.#desk.account.device.identity;
    if (equalBytes(said.device.identityKey, publicKey)) return false;
    const heard = await entry.get(heardTable, accountId);
    // A relay that gives out again what it gave out before brings nobody back.
    if (toldBy(heard, said.device).announced >= said.time) return true;
    // Under a key that follows the known one there is nothing to compare: it was changed beside another change.
    const order = equalBytes(said.accountKey, contact.record.accountKey)
      ? compareDeviceLists(contact.deviceList, said.deviceList)
      : "newer";
    if (order === "older" && isGone(heard, said.device)) return false;
    const removed = order === "older" && accountId === own &&
      !isListedIn(contact.deviceList, said.device);
    // It may have missed what told it so; nothing else that it says counts.
    if (removed) {
      await this.#answer(entry, contact, said);
      return false;
    }
    await this.#events.heard(entry, said);
    entry.put(
      heardTable,
      accountId,
      withTold(heard, said.device, {
        announced: said.time,
        backupVersion: said.backupVersion,
      }),
    );
    if (order === "older" || order === "forked") {
      const warned = await this.#events.claimed(
        entry,
        contact,
        said.deviceList,
      );
      await this.#answer(entry, warned, said);
      return true;
    }
    await this.#follow(entry, contact, said, first);
    return true;
  }

  /** Whoever has no session asks for one in answer to each answer: so there is one for all of them. */
  async #answer(
    entry: Entry,
    contact: Contact,
    { address, device }: Announcement,
  ): Promise<void> {
    const { accountId } = contact.record;
    const heard = await entry.get(heardTable, accountId);
    const now = this.#desk.clock.now();
    if (!address || !mayAnswer(heard, device, now)) return;
    const told = withTold(heard, device, { answered: now });
    entry.put(heardTable, accountId, told);
    await this.#events.behind(entry, contact, address, device);
  }

  async #follow(
    entry: Entry,
    before: Contact,
    said: Announcement,
    first: boolean,
  ): Promise<void> {
    const { device } = said;
    const way = addressIn(before, device.id);
    const known = sameIn(before.deviceList, said.deviceList, device.id);
    const followed = await followedTo(before, said);
    const { accountId } = followed.record;
    await this.became(entry, before, followed, first);
    const after = this.#desk.contactIn(entry, accountId) ?? followed;
    await this.#welcome(entry, before, after);
    const again = known && said.bundles.has(this.#desk.account.device.id) &&
      await mayHaveAgain(this.#desk, entry, sessionName(accountId, device.id));
    if (again) await this.#events.joined(entry, after, device.id);
    const moved = known && way !== undefined && said.address !== undefined &&
      !equalBytes(way.send.publicKey, said.address.send.publicKey);
    await this.#begin(entry, after, said, moved);
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
    await this.#welcome(entry, before, after);
  }

  /** Devices that are new in the list: also such as have yet to announce themselves. */
  async #welcome(
    entry: Entry,
    { deviceList }: Contact,
    after: Contact,
  ): Promise<void> {
    for (const { id } of after.deviceList.devices) {
      if (sameIn(deviceList, after.deviceList, id)) continue;
      await this.#events.joined(entry, after, id);
    }
  }

  /** What another device of the account learnt of a contact. */
  async became(
    entry: Entry,
    before: Contact,
    after: Contact,
    first = false,
  ): Promise<void> {
    const known = withEarlier(before, after);
    await this.#events.put(entry, known);
    const gone = await this.#leave(entry, before, known);
    if (gone.length > 0) await this.#events.gone(entry, known, gone, first);
    await this.found(entry, before, known);
  }

  /**
   * Devices of which it is known only now where they receive: one may have begun a session before that, and
   * what waits for it goes out.
   */
  async found(entry: Entry, before: Contact, after: Contact): Promise<void> {
    for (const { id } of after.devices) {
      const same = sameIn(before.deviceList, after.deviceList, id);
      if (same && addressIn(before, id)) continue;
      const missed = await withoutSession(entry, recipientOf(after, id));
      if (missed.length === 0) await this.#events.began(entry, after, id);
    }
  }

  /** Devices that are found to receive elsewhere now. */
  async relocated(
    entry: Entry,
    before: Contact,
    after: Contact,
  ): Promise<void> {
    const { accountId } = after.record;
    for (const { id, address: was } of before.devices) {
      const is = sameIn(before.deviceList, after.deviceList, id)
        ? addressIn(after, id)
        : undefined;
      if (!is || equalBytes(is.send.publicKey, was.send.publicKey)) continue;
      await this.#outbox.move(entry, was, { accountId, address: is });
      await this.#events.moved(entry, after, id);
    }
  }

  /**
   * Goes over to the ways there are, and ends the sessions of devices that are not listed.
   * @returns those devices
   */
  async #leave(
    entry: Entry,
    before: Contact,
    after: Contact,
  ): Promise<readonly Device[]> {
    const { accountId } = after.record;
    const ways = [
      [before.accountAddress, after.accountAddress],
      ...before.devices.map(({ id, address }) => [
        address,
        sameIn(before.deviceList, after.deviceList, id)
          ? addressIn(after, id)
          : undefined,
      ]),
    ];
    for (const [was, is] of ways) {
      if (!was || is && equalBytes(is.send.publicKey, was.send.publicKey)) {
        continue;
      }
      if (is) await this.#outbox.move(entry, was, { accountId, address: is });
      else await this.#outbox.close(entry, was);
    }
    const gone = before.deviceList.devices.filter(({ id }) =>
      !sameIn(before.deviceList, after.deviceList, id)
    );
    for (const { id } of gone) await this.#end(entry, before, id);
    return gone;
  }

  /** A device, which receives there, is none of theirs any more, by a list that was taken over elsewhere. */
  async left(
    entry: Entry,
    contact: Contact,
    id: number,
    way: Address,
  ): Promise<void> {
    await this.#outbox.close(entry, way);
    await this.#end(entry, contact, id);
  }

  async #end(entry: Entry, contact: Contact, id: number): Promise<void> {
    const name = sessionName(contact.record.accountId, id);
    entry.delete(sessionTable, name);
    entry.delete(repairTable, name);
    await this.#events.left(entry, contact, id);
  }

  /** Begins a session from the bundle for this device. Without one, and without a session, it asks for one. */
  async #begin(
    entry: Entry,
    contact: Contact,
    { bundles, device }: Announcement,
    moved: boolean,
  ): Promise<void> {
    const { account, clock } = this.#desk;
    const { accountId } = contact.record;
    const name = sessionName(accountId, device.id);
    const stored = await entry.get(sessionTable, name);
    const bundle = bundles.get(account.device.id);
    if (!bundle) {
      if (stored && moved) await this.#events.moved(entry, contact, device.id);
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

/** The contact, of whom it is remembered by which list they went before. */
function withEarlier(before: Contact, after: Contact): Contact {
  const { version, hash } = before.deviceList;
  if (after.deviceList.version === version) return after;
  const earlierLists = [
    ...after.record.earlierLists ?? [],
    { version, hash: hash.slice(0, LIST_HASH) },
  ].slice(-MAX_EARLIER);
  return { ...after, record: { ...after.record, earlierLists } };
}

/** Whether a device is the same one in both lists: ids are given again. */
function sameIn(was: DeviceList, is: DeviceList, id: number): boolean {
  const [before, after] = [was, is].map(({ devices }) =>
    devices.find((listed) => listed.id === id)
  );
  return before !== undefined && after !== undefined &&
    equalBytes(before.identityKey, after.identityKey);
}

/** Where a device of theirs receives, as far as that is known. */
function addressIn({ devices }: Contact, id: number): Address | undefined {
  return devices.find((device) => device.id === id)?.address;
}

/** The contact as the announcement has it. */
async function followedTo(
  { record, deviceList }: Contact,
  said: Announcement,
): Promise<Contact> {
  const { device, accountKey, successions, deviceList: list } = said;
  const { accountAddress } = said;
  const others = record.devices.filter(({ id }) =>
    id !== device.id && sameIn(deviceList, list, id)
  );
  return await openContact({
    ...record,
    accountKey,
    ...successions.length > 0 ? { successions } : {},
    deviceList: list.bytes,
    devices: [...others, ...deviceSaid(record, said)]
      .sort((a, b) => a.id - b.id),
    ...accountAddress ? { accountAddress: encodeAddress(accountAddress) } : {},
  });
}

/** The device as it says of itself. Its pool is where it received until now. */
function deviceSaid(
  { devices }: Contact["record"],
  { device: { id }, address }: Announcement,
): Contact["record"]["devices"] {
  const known = devices.filter((device) => device.id === id);
  if (!address) return known;
  const bytes = encodeAddress(address);
  const same = known.filter((device) => equalBytes(device.address, bytes));
  return same.length > 0 ? same : [{ id, address: bytes }];
}
