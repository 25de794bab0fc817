import { names } from "./names_on_demand.ts";
import { equalBytes } from "@noble/ciphers/utils.js";
import { computed, type Signal, signal } from "@preact/signals-core";
import {
  type Contact,
  isConnected,
  nameOf,
  openContact,
  parted,
} from "./contact.ts";
import {
  type ContactSettings,
  decided,
  type Decisions,
  knownIdentity,
  verificationOf,
} from "./contact_settings.ts";
import { LIST_HASH } from "./contents.ts";
import type { Desk } from "./desk.ts";
import type { Entry, Ledger } from "./ledger.ts";
import {
  type Address,
  compareClaim,
  type DeviceListClaim,
} from "./keys/mod.ts";
import { contactsTable, contactTable, SELF } from "./records.ts";
import { DamagedError } from "./storage/mod.ts";
import type { ContactState, ContactView } from "./view.ts";

/** A command about a contact who is no more. */
export class NoSuchContactError extends Error {
  override readonly name = "NoSuchContactError";
  constructor() {
    super("there is no such contact any more");
  }
}

export interface ContactsEvents {
  /** In the commit of a parting: whatever is under way with the contact ends, their queues included. */
  parting(entry: Entry, contact: Contact): Promise<void>;
  /** In the commit that deletes a contact: the conversation goes too. */
  leaving(entry: Entry, contact: Contact): Promise<void>;
  /** Whether the relay does not have what we send to by it. Reads a signal. */
  isGone(address: Address): boolean;
}

/** The people one has met: what was decided about them, and how one parts. */
export class Contacts {
  readonly #desk: Desk;
  readonly #contacts: Map<string, Contact>;
  readonly #events: ContactsEvents;
  /** What screens look at. */
  readonly #shown = new Map<string, Signal<Contact>>();
  /** Of contacts, by account id, told apart in the order in which this device met them. */
  readonly #names: Signal<ReadonlyMap<string, string>> = signal(new Map());
  /** What a step has put and not committed; no contact for one that it deletes. */
  readonly #pending = new WeakMap<Entry, Map<string, Contact | undefined>>();

  /** `contacts`: those of `desk`, which change here and nowhere else, after each commit. */
  constructor(
    desk: Desk,
    contacts: Map<string, Contact>,
    events: ContactsEvents,
  ) {
    this.#desk = desk;
    this.#contacts = contacts;
    this.#events = events;
    this.#tellApart();
  }

  /** The contact as a screen sees it, and what can be done about them. */
  view(contact: Contact): ContactView {
    const { accountId } = contact.record;
    const shown = this.#shown.get(accountId) ?? signal(contact);
    this.#shown.set(accountId, shown);
    const name = computed(() =>
      this.#names.value.get(accountId) ?? nameOf(shown.value)
    );
    const decide = (decisions: Decisions) =>
      this.#run(accountId, (entry, now) => this.decide(entry, now, decisions));
    const verify = (verified: boolean) =>
      this.#run(accountId, (entry, now) => this.#know(entry, now, verified));
    return {
      state: computed(() =>
        stateOf(
          shown.value,
          name.value,
          (address) => this.#events.isGone(address),
        )
      ),
      route: computed(() => this.#desk.forwarding.route(shown.value)),
      newCircuit: () => this.#desk.forwarding.newCircuit(accountId),
      rename: async (wanted) => {
        // As they are shown, perhaps with a number, which is nobody's choice.
        if (wanted === name.peek()) return;
        const { ownName } = await names();
        await decide({ name: ownName(wanted, shown.peek().record.name) });
      },
      setMuted: (muted) => decide({ muted }),
      setArchived: (archived) => decide({ archived }),
      block: () =>
        this.#run(accountId, (entry, now) => this.#block(entry, now)),
      unblock: () => decide({ blocked: false }),
      remove: () =>
        this.#run(accountId, (entry, now) => this.remove(entry, now)),
      safetyNumber: async () =>
        (await safety()).shownNumber(this.#desk.account, shown.peek()),
      compare: async (scanned) => {
        const compared = shown.peek();
        const { compareScanned, sameKeys } = await safety();
        const { account } = this.#desk;
        const outcome = await compareScanned(account, compared, scanned);
        if (outcome === "same") {
          await this.#run(accountId, (entry, now) => {
            // The mark is for the keys that were compared, should they have changed meanwhile.
            if (sameKeys(now, compared)) this.#know(entry, now, true);
          });
        }
        return outcome;
      },
      setVerified: verify,
      acknowledge: () => verify(false),
      sawDevices: () =>
        this.#run(accountId, (entry, now) => {
          const { deviceLeft: _, ...record } = now.record;
          this.put(entry, { ...now, record });
        }),
    };
  }

  /** A contact as a step has them. */
  in(entry: Entry, accountId: string): Contact | undefined {
    const pending = this.#pending.get(entry);
    return pending?.has(accountId)
      ? pending.get(accountId)
      : this.#contacts.get(accountId);
  }

  #note(entry: Entry, accountId: string, contact: Contact | undefined): void {
    const pending = this.#pending.get(entry) ?? new Map();
    this.#pending.set(entry, pending.set(accountId, contact));
  }

  /** Keeps a contact, new or changed, and shows it after the commit. */
  put(entry: Entry, contact: Contact): void {
    const { record } = contact;
    this.#note(entry, record.accountId, contact);
    entry.put(contactTable, record.accountId, record);
    entry.after(() => {
      const before = this.#contacts.get(record.accountId);
      this.#contacts.set(record.accountId, contact);
      const shown = this.#shown.get(record.accountId);
      if (shown) shown.value = contact;
      if (!before || nameOf(before) !== nameOf(contact)) this.#tellApart();
    });
  }

  /** Keeps someone just met, who may have been known before. */
  async met(entry: Entry, contact: Contact): Promise<void> {
    const { accountId } = contact.record;
    const { ids } = await entry.get(contactsTable, SELF) ?? { ids: [] };
    if (!ids.includes(accountId)) {
      entry.put(contactsTable, SELF, { ids: [...ids, accountId] });
    }
    this.put(entry, contact);
  }

  /**
   * Before someone is met: were they known, one parts from who they were, for the meeting brings
   * other queues and sessions.
   * @returns what was decided about them, which stays; they are taken out of the archive
   */
  async again(
    entry: Entry,
    accountId: string,
  ): Promise<ContactSettings | undefined> {
    const known = this.#contacts.get(accountId);
    if (!known) return undefined;
    await this.#events.parting(entry, known);
    return decided(known.record.settings, { archived: false }, this.#stamp());
  }

  /** Keeps decisions about a contact. */
  decide(entry: Entry, contact: Contact, decisions: Decisions): void {
    const { record } = contact;
    const settings = decided(record.settings, decisions, this.#stamp());
    this.put(entry, { ...contact, record: { ...record, settings } });
  }

  /** Runs a command on the contact as they are when its turn comes. Rejects when they are gone. */
  #run<T>(
    accountId: string,
    command: (entry: Entry, contact: Contact) => Promise<T> | T,
  ): Promise<T> {
    return this.#desk.ledger.run((entry) => {
      const contact = this.in(entry, accountId);
      if (!contact) throw new NoSuchContactError();
      return command(entry, contact);
    });
  }

  async #block(entry: Entry, contact: Contact): Promise<void> {
    await this.#events.parting(entry, contact);
    const record = parted(contact.record);
    this.decide(entry, await openContact(record), { blocked: true });
  }

  /** Parts from them, and forgets them and what was said. */
  async remove(entry: Entry, contact: Contact): Promise<void> {
    const { accountId } = contact.record;
    await this.#events.parting(entry, contact);
    await this.#events.leaving(entry, contact);
    const { ids } = await entry.get(contactsTable, SELF) ?? { ids: [] };
    entry.put(contactsTable, SELF, {
      ids: ids.filter((id) => id !== accountId),
    });
    this.#note(entry, accountId, undefined);
    entry.delete(contactTable, accountId);
    entry.after(() => {
      this.#contacts.delete(accountId);
      this.#shown.delete(accountId);
      this.#tellApart();
    });
  }

  #tellApart(): void {
    if (this.#contacts.size < 2 && this.#names.peek().size === 0) return;
    names().then(({ toldApart }) => {
      this.#names.value = toldApart(
        [...this.#contacts].map(([id, contact]) => [id, nameOf(contact)]),
      );
    }, () => {}); // it can't be fetched now: with the next change it is tried again
  }

  /**
   * A device of the contact said which device list it goes by. One that contradicts the known list, or one
   * that was known before, withdraws the verification and warns, once for each such list. Who was away while
   * another device came or went goes by an earlier one for a while, and that is nothing.
   * @returns the contact as they are then
   */
  claimed(entry: Entry, contact: Contact, claim: DeviceListClaim): Contact {
    const { record, deviceList } = contact;
    const order = compareClaim(deviceList, claim);
    if (order === "same" || order === "newer") return contact;
    const { version } = claim;
    const contradicts = order === "forked" ||
      record.earlierLists?.some((known) =>
        known.version === version && !isSameClaim(known, claim)
      );
    if (!contradicts) return contact;
    // A message has the beginning of it, an announcement all: it is the same list.
    const hash = claim.hash.slice(0, LIST_HASH);
    const before = record.listClaim;
    if (before && isSameClaim(before, claim)) return contact;
    const listClaim = { version, hash, seen: false };
    const warned = { ...contact, record: { ...record, listClaim } };
    this.put(entry, warned);
    return warned;
  }

  /** The person knows the keys as they are now. */
  #know(entry: Entry, contact: Contact, verified: boolean): void {
    const { record, deviceList } = contact;
    const identity = knownIdentity({ ...record, deviceList }, verified);
    const listClaim = record.listClaim && { ...record.listClaim, seen: true };
    this.decide(
      entry,
      listClaim ? { ...contact, record: { ...record, listClaim } } : contact,
      { identity },
    );
  }

  #stamp(): { now: number; device: number } {
    const { clock, account } = this.#desk;
    return { now: clock.now(), device: account.device.id };
  }
}

function isSameClaim(one: DeviceListClaim, other: DeviceListClaim): boolean {
  return one.version === other.version &&
    equalBytes(one.hash.slice(0, LIST_HASH), other.hash.slice(0, LIST_HASH));
}

/** What it takes to compare numbers: fetched when somebody does. */
const safety = () => import("./safety_code.ts");

/** The contacts on disk, by account id. Throws what reading the vault does, and DamagedError. */
export async function loadContacts(
  ledger: Ledger,
): Promise<Map<string, Contact>> {
  const { reader } = ledger;
  const { ids } = await reader.get(contactsTable, SELF) ?? { ids: [] };
  const records = await reader.getMany(contactTable, ids);
  const contacts = await Promise.all(records.map((record) => {
    if (!record) throw new DamagedError("a contact is missing");
    return openContact(record);
  }));
  return new Map(
    contacts.map((contact) => [contact.record.accountId, contact]),
  );
}

/** `name`: what they are shown by. */
function stateOf(
  contact: Contact,
  name: string,
  isGone: (address: Address) => boolean,
): ContactState {
  const { record, deviceList, devices } = contact;
  const { muted, archived, blocked } = record.settings;
  return {
    name,
    chosenName: record.name,
    muted: muted.value,
    archived: archived.value,
    blocked: blocked.value,
    connected: isConnected(contact),
    lost: devices.length > 0 && devices.every(({ address }) => isGone(address)),
    deviceLeft: record.deviceLeft ?? false,
    verification: verificationOf(record.settings, {
      ...record,
      deviceList,
    }),
  };
}
