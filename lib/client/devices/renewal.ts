/**
 * Other queues for a contact one of whose devices was removed: it knew the addresses of those there were,
 * and whoever has it could fill them. So for the other devices of the own account, when one of it was
 * removed, and for all when the access key was changed. What the devices that stay have sent to those of
 * before still arrives; they are deleted once all of these devices write to the new one.
 * docs/protocol.md § Announcements.
 */
import { type Contact, isConnected } from "../contact.ts";
import type { Desk } from "../desk.ts";
import type { Device } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import type { Said } from "../inbox.ts";
import { dropPool } from "../pool/pool_records.ts";
import { isListed } from "../own_devices.ts";
import { makeQueue } from "../queues.ts";
import {
  announcedTable,
  heardTable,
  keyChangedTable,
  queueTable,
  SELF,
} from "../records.ts";
import { withGone } from "./heard.ts";

/** Time for what waits at the relay to arrive, in ms. */
const ARRIVAL_MS = 60_000;

/** Queues of the account that were given up are remembered for so many. */
const MAX_GIVEN_UP = 8;

export interface RenewalEvents {
  put(entry: Entry, contact: Contact): Promise<void> | void;
  /** Own queues that are to be read from now on. */
  added(entry: Entry, names: readonly string[]): void;
  /** Own queues that nobody needs any more. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
  /** The contact is to be told of the queues there are. */
  tell(entry: Entry): void;
}

/** Goes over to other queues, and gives up those there were. */
export class Renewals {
  readonly #desk: Desk;
  readonly #events: RenewalEvents;
  #connected = false;
  #cancelEnd: () => void = () => {};

  constructor(desk: Desk, events: RenewalEvents) {
    this.#desk = desk;
    this.#events = events;
  }

  connected(): void {
    this.#connected = true;
    this.#endSoon();
  }

  lost(): void {
    this.#connected = false;
    this.#cancelEnd();
  }

  /**
   * Devices of the contact were removed. `first`: this device was told of it, and not by another one of
   * the account.
   */
  async gone(
    entry: Entry,
    contact: Contact,
    gone: readonly Device[],
    first: boolean,
  ): Promise<void> {
    const { accountId } = contact.record;
    const heard = await entry.get(heardTable, accountId);
    entry.put(heardTable, accountId, withGone(heard, gone));
    if (!isConnected(contact)) return;
    const record = { ...contact.record, deviceLeft: true as const };
    await this.renew(entry, { ...contact, record }, first);
  }

  /** Devices of the own account were removed: those that stay reach this one elsewhere. */
  async ownGone(entry: Entry): Promise<void> {
    const own = this.#desk.own.in(entry);
    if (isListed(own)) await this.renew(entry, own.self, false);
  }

  /**
   * Whoever has the access key of before, and the backup of then, can read at the queues of the account and
   * delete all: there are others for every contact.
   */
  async afterKeyChange(entry: Entry): Promise<void> {
    if (!await entry.get(keyChangedTable, SELF)) return;
    entry.delete(keyChangedTable, SELF);
    await this.ownGone(entry);
    for (const accountId of this.#desk.contacts.keys()) {
      const contact = this.#desk.contactIn(entry, accountId);
      if (contact && isConnected(contact)) {
        await this.renew(entry, contact, true);
      }
    }
  }

  /** Another queue of this device for the contact, and with `shared` another one of the account. */
  async renew(
    entry: Entry,
    contact: Contact,
    shared: boolean,
  ): Promise<void> {
    const { account, clock } = this.#desk;
    const { record } = contact;
    const { accountId } = record;
    const isOwn = accountId === account.accountId;
    const make = async () => (await makeQueue(entry, account, accountId)).name;
    const [own, ...others] = record.queues;
    const before = record.renewed ?? { own: [], shared: [] };
    const names = [await make(), ...shared ? [await make()] : []];
    const retired = [own, ...shared ? others : []];
    const found = await entry.getMany(queueTable, retired);
    for (const [i, queue] of found.entries()) {
      if (!queue || queue.retired !== undefined) continue;
      entry.put(queueTable, retired[i], { ...queue, retired: clock.now() });
    }
    const renewed = {
      own: [...before.own, own],
      shared: shared ? others : before.shared,
      known: isOwn ? [account.device.id] : [],
    };
    const after = {
      ...contact,
      record: { ...record, queues: [...names, ...others], renewed },
    };
    await this.#events.put(entry, after);
    this.#events.added(entry, names);
    if (isOver(after)) entry.after(() => this.#endSoon());
    // Other own devices read in the backup where this one receives.
    if (isOwn) return;
    // Who knew the queue knew the pool, too.
    await dropPool(entry, accountId);
    entry.put(announcedTable, accountId, { version: 0, at: 0 });
    this.#events.tell(entry);
  }

  /** A device of a contact wrote. Gives the contact as they are then. */
  async said(
    entry: Entry,
    { contact, device, queue }: Said,
  ): Promise<Contact> {
    const { renewed, queues } = contact.record;
    const news = renewed && queue === queues[0] &&
      !renewed.known.includes(device.id);
    if (!news) return contact;
    const known = [...renewed.known, device.id];
    const record = { ...contact.record, renewed: { ...renewed, known } };
    const after = { ...contact, record };
    await this.#events.put(entry, after);
    if (isOver(after)) entry.after(() => this.#endSoon());
    return after;
  }

  /** Queues that nobody writes to any more are given up, once what waited there has arrived. */
  #endSoon(): void {
    if (!this.#connected) return;
    this.#cancelEnd();
    this.#cancelEnd = this.#desk.clock.after(ARRIVAL_MS, () => {
      this.#desk.ledger.post(async (entry) => {
        const { account, contacts } = this.#desk;
        for (const accountId of [account.accountId, ...contacts.keys()]) {
          const contact = this.#desk.contactIn(entry, accountId);
          if (contact && isOver(contact)) await this.#end(entry, contact);
        }
      });
    });
  }

  /** The contact; what a device of theirs was to know of for `ms` is over. */
  async endAfter(
    entry: Entry,
    accountId: string,
    ms: number,
  ): Promise<Contact | undefined> {
    const contact = this.#desk.contactIn(entry, accountId);
    const last = contact?.record.renewed?.own.at(-1);
    if (!contact || last === undefined) return contact;
    const now = this.#desk.clock.now();
    const { retired = now } = await entry.get(queueTable, last) ?? {};
    if (now - retired <= ms) return contact;
    await this.#end(entry, contact);
    return this.#desk.contactIn(entry, accountId);
  }

  /** The queues of before are read no more, and deleted. */
  async #end(entry: Entry, contact: Contact): Promise<void> {
    const { renewed, ...record } = contact.record;
    if (!renewed) return;
    // Another device of the account may have given them up already.
    const isShared = (name: string) => renewed.shared.includes(name);
    const queues = record.queues.filter((name) => !isShared(name));
    const givenUp = [...record.givenUp ?? [], ...renewed.shared]
      .slice(-MAX_GIVEN_UP);
    await this.#events.put(entry, {
      ...contact,
      record: { ...record, queues, givenUp },
    });
    await this.#events.discard(entry, [
      ...renewed.own,
      ...record.queues.filter(isShared),
    ]);
  }
}

/** Whether nobody who is believed writes to the queues of before any more. */
function isOver({ record, deviceList }: Contact): boolean {
  const { renewed } = record;
  return renewed !== undefined &&
    deviceList.devices.every(({ id }) => renewed.known.includes(id));
}
