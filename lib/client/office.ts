import { computed, type ReadonlySignal } from "@preact/signals-core";
import { NotLoadedError } from "./adapters.ts";
import { Admission } from "./admission.ts";
import { BackupOnDemand } from "./backup_on_demand.ts";
import type { Clock } from "./clock.ts";
import { addressesOf, type Contact, queuesOf, recipientOf } from "./contact.ts";
import { Contacts, loadContacts } from "./contacts.ts";
import { composed, heardOf } from "./contents.ts";
import { Conversations } from "./conversations.ts";
import type { Desk, Sessions } from "./desk.ts";
import { DevicesOnDemand } from "./devices_on_demand.ts";
import { Forwarding } from "./forwarding.ts";
import { Inbox } from "./inbox.ts";
import { InvitesOnDemand } from "./invites_on_demand.ts";
import { parseAddress } from "./keys/mod.ts";
import { Leaving } from "./leaving.ts";
import { type Entry, Ledger, type LedgerEvents } from "./ledger.ts";
import {
  type Connection,
  Link,
  type Network,
  type Transport,
} from "./link/mod.ts";
import type { OwnAccount } from "./own_account.ts";
import { Outbox, sessionName, targetsOf } from "./outbox.ts";
import { isListed, loadOwn, type OwnDevices } from "./own_devices.ts";
import { OwnQueues } from "./own_queues.ts";
import { PreKeyUpkeep } from "./prekey_upkeep.ts";
import { Presence } from "./presence.ts";
import { PoolUpkeep } from "./pool/pool_upkeep.ts";
import { withPool } from "./pool/told.ts";
import type { Random } from "./random.ts";
import { Receipts } from "./receipts.ts";
import {
  announcedTable,
  countersTable,
  heardTable,
  relayTable,
  repairTable,
  SELF,
  sessionTable,
} from "./records.ts";
import { Settings } from "./settings.ts";
import { DamagedError, type Vault } from "./storage/mod.ts";
import type {
  ConnectionState,
  PasswordOutcome,
  RemovalOutcome,
} from "./view.ts";

/** What an open account works with. */
export interface OfficeOptions {
  readonly vault: Vault;
  /** Where the relay listens: ws: or wss:. */
  readonly relaySocketUrl: string;
  readonly transport: Transport;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** What this device is called, until somebody calls it otherwise. */
  readonly deviceName: string;
}

export interface OfficeEvents extends LedgerEvents {
  /** Another instance of this device took the queues over. */
  replaced(): void;
  /** Another device of the account has removed this one. */
  removed(): void;
}

/** An open account at work: everything that runs from opening the vault until it is closed. */
export class Office {
  readonly settings: Settings;
  readonly conversations: Conversations;
  readonly invites: InvitesOnDemand;
  readonly backup: BackupOnDemand;
  readonly devices: DevicesOnDemand;
  readonly presence: Presence;
  readonly leaving: Leaving;
  readonly ledger: Ledger;
  readonly #options: OfficeOptions;
  readonly #contacts: Contacts;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #receipts: Receipts;
  readonly #queues: OwnQueues;
  readonly #link: Link;
  readonly #admission: Admission;
  readonly #upkeep: PreKeyUpkeep;
  readonly #pools: PoolUpkeep;
  readonly #desk: Desk;
  #isLeft = false;
  readonly own: OwnDevices;
  /** How it stands with the relay. */
  readonly connection: ReadonlySignal<ConnectionState>;

  private constructor(
    options: OfficeOptions,
    opened: {
      own: OwnDevices;
      settings: Settings;
      contacts: Map<string, Contact>;
      generation: number;
      relayKey: Uint8Array | undefined;
      sessions: Promise<Sessions>;
    },
    ledger: Ledger,
    events: OfficeEvents,
  ) {
    const { clock, random } = options;
    const { own, contacts, settings } = opened;
    this.#options = options;
    this.own = own;
    this.settings = settings;
    this.ledger = ledger;
    const desk: Desk = {
      own,
      get account() {
        return own.state.account;
      },
      ledger,
      clock,
      random,
      sessions: opened.sessions,
      forwarding: new Forwarding({ ledger, random }, opened.relayKey),
      contacts,
      contactIn: (entry, id) =>
        id === own.state.account.accountId
          ? own.in(entry).self
          : this.#contacts.in(entry, id),
      tell: (entry, sync) => this.devices.tell(entry, sync),
      backupVersion: () => this.backup.version,
      connection: () => this.#connection(),
      reconnect: () => this.#link.reconnect(),
      broken: (error) => events.broken(error),
    };
    this.#desk = desk;
    const added = (entry: Entry, names: readonly string[]) =>
      entry.after(() => {
        this.#queues.added(names);
        // Whoever is to write elsewhere is given another pool.
        this.#pools.look();
      });
    this.backup = new BackupOnDemand(desk, {
      listed: (entry, list) => this.devices.listed(entry, list),
      found: (entry, before) => this.devices.found(entry, before),
      settings: (entry, record) => settings.take(entry, record),
      met: async (entry, contact) => {
        await this.#contacts.met(entry, contact);
        await this.conversations.start(entry, contact);
        entry.after(() => this.devices.ownChanged());
      },
      became: (entry, before, after) =>
        this.devices.became(entry, before, after),
      replaced: () => this.devices.askForKeys(),
      parting: (entry, contact) => this.#part(entry, contact),
      removed: (entry, contact) => this.#contacts.remove(entry, contact),
      discard: (entry, names) => this.#queues.discard(entry, names),
      condemn: (entry, queues) => this.#queues.condemn(entry, queues),
      put: (entry, contact) => this.#contacts.put(entry, contact),
      begun: (entry, keys) => this.devices.begun(entry, keys),
      added,
      elsewhere: (entry, { record }) => {
        entry.put(announcedTable, record.accountId, { version: 0, at: 0 });
        entry.after(() => this.devices.ownChanged());
      },
    });
    this.#outbox = new Outbox(desk, {
      settled: (entry, messages, outcome) =>
        this.conversations.settled(entry, messages, outcome),
      sure: (connection) => this.devices.sure(connection),
    });
    this.#receipts = new Receipts(desk, this.#outbox, settings);
    this.#contacts = new Contacts(desk, contacts, {
      parting: (entry, contact) => this.#part(entry, contact),
      leaving: (entry, contact) => this.conversations.leave(entry, contact),
      isGone: (address) => this.#outbox.isGone(address),
    });
    this.conversations = new Conversations(
      desk,
      this.#outbox,
      this.#receipts,
      this.#contacts,
    );
    this.devices = new DevicesOnDemand(desk, this.#outbox, {
      put: (entry, contact) => this.#contacts.put(entry, contact),
      claimed: (entry, contact, list) =>
        this.#contacts.claimed(entry, contact, list),
      left: (entry, { record }, device) =>
        this.conversations.left(entry, record, device),
      joined: (entry, contact, device) =>
        this.conversations.joined(entry, contact, device),
      began: (entry, contact, device) => this.#began(entry, contact, device),
      moved: (entry, contact, device) => this.#greet(entry, contact, device),
      discard: (entry, names) => this.#queues.discard(entry, names),
      added,
      checkBackup: () => this.backup.look(),
      hands: this.conversations.hands,
    });
    own.watch(() => {
      if (isListed(own.state)) this.devices.ownChanged();
      else this.#leave(events);
    });
    this.#inbox = new Inbox(desk, {
      said: async (entry, said) => {
        if (said.contact.record.accountId === this.account.accountId) {
          return await this.devices.told(entry, said);
        }
        const before = await this.devices.said(entry, said);
        const contact = await withPool(before, said);
        if (contact !== before) this.#contacts.put(entry, contact);
        await this.conversations.said(entry, contact, said.content);
      },
      began: (entry, contact, device) => this.#began(entry, contact, device),
      announced: (entry, contact, bytes) =>
        this.devices.announced(entry, contact, bytes),
      outOfStep: (entry, contact, device) =>
        this.devices.outOfStep(entry, contact, device),
      stranger: (entry, name, queue, envelope) =>
        this.invites.heard(entry, name, queue, envelope),
    });
    this.leaving = new Leaving(desk, {
      collected: (queue, messages) => this.#inbox.collected(queue, messages),
    });
    this.#queues = new OwnQueues(desk, opened.generation, {
      message: (connection, queue, message) =>
        this.#inbox.receive(connection, queue, message),
      replaced: () => events.replaced(),
      missing: () => this.backup.doubt(),
      lost: () => this.devices.askMissed(),
    });
    this.invites = new InvitesOnDemand(desk, this.#queues, {
      again: (entry, accountId) => this.#contacts.again(entry, accountId),
      met: (entry, contact, began) => this.#met(entry, contact, began),
    });
    this.#admission = new Admission(desk);
    this.presence = new Presence(desk);
    this.#upkeep = new PreKeyUpkeep(desk);
    this.#pools = new PoolUpkeep(desk, {
      made: async (entry, contact) => {
        for (const { id } of contact.devices) {
          await this.#greet(entry, contact, id);
        }
      },
    });
    this.#link = new Link({
      ...options,
      url: options.relaySocketUrl,
      relayKey: opened.relayKey,
      connected: (connection) => this.#connected(connection),
      lost: () => this.#lost(),
    });
    this.connection = computed(() => this.#connection());
  }

  /** Opens the account that a vault holds, and begins to work. Throws what reading the vault does. */
  static async open(
    options: OfficeOptions,
    events: OfficeEvents,
  ): Promise<Office> {
    const sessions = import("./sessions.ts").catch((cause) => {
      throw new NotLoadedError({ cause });
    });
    sessions.catch(() => {}); // told below, when there is something to break
    const ledger = new Ledger(options.vault, events);
    const { reader } = ledger;
    const own = await loadOwn(ledger, {
      name: options.deviceName,
      now: options.clock.now(),
    });
    const settings = new Settings();
    await settings.load(ledger);
    const office = new Office(
      options,
      {
        own,
        settings,
        contacts: await loadContacts(ledger),
        generation: await nextGeneration(ledger),
        relayKey: (await reader.get(relayTable, SELF))?.key,
        sessions,
      },
      ledger,
      events,
    );
    await office.conversations.load();
    const contacts = [...office.#desk.contacts.values()];
    const { former = [] } = own.state.devices;
    const { accountId } = own.state.self.record;
    await office.#outbox.load([
      ...[own.state.self, ...contacts].flatMap(targetsOf),
      ...await Promise.all(former.map(async (address) => ({
        accountId,
        address: await parseAddress(address),
      }))),
    ]);
    await office.devices.load();
    await office.presence.load();
    await office.#receipts.load();
    await office.invites.load();
    await office.backup.load();
    if (isListed(own.state)) office.#link.start();
    else events.removed();
    sessions.catch((error) => events.broken(error));
    return office;
  }

  get account(): OwnAccount {
    return this.own.state.account;
  }

  reconnect(): void {
    this.#link.reconnect();
  }

  /** See view.ts. */
  async usePassword(password: string): Promise<PasswordOutcome> {
    const outcome = await this.#admission.use(password);
    if (outcome === "accepted") this.#link.reconnect();
    return outcome;
  }

  /** See export.ts, which is fetched for it. */
  async *exportData(): AsyncGenerator<string> {
    const { exportData } = await import("./export.ts");
    yield* exportData(this.#desk);
  }

  /** See `DevicesView.remove`. */
  removeDevice(id: number, accessKey: string): Promise<RemovalOutcome> {
    return this.backup.removeDevice(id, accessKey);
  }

  /** See `DevicesView.rename`. The others read it in the backup. */
  renameDevice(name: string): Promise<void> {
    return this.ledger.run(async (entry) => {
      await this.own.put(entry, { devices: { name } });
    });
  }

  /** The person has seen which devices came and went. */
  dismissNews(): Promise<void> {
    return this.ledger.run(async (entry) => {
      await this.own.put(entry, { devices: { news: [] } });
    });
  }

  /** This device is none of the account's any more: nobody is to write to it. */
  #leave(events: Pick<OfficeEvents, "removed">): void {
    // Each of those that stay says so.
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.backup.stop();
    const { own: { state: { self } }, contacts } = this.#desk;
    // Who removed it had the relay delete these, but one that was away may have made them anew since.
    const names = [self, ...contacts.values()].flatMap(({ record }) => [
      ...record.queues.slice(0, 1),
      ...record.renewed?.own ?? [],
    ]);
    this.ledger.run((entry) => this.#queues.discard(entry, names))
      .then(() => this.#queues.tidied())
      .then(() => events.removed(), (error) => this.#desk.broken(error));
  }

  /** Ends all work. What was begun is written first, unless the disk takes nothing. */
  async stop(canWrite: boolean): Promise<void> {
    this.#link.stop();
    this.#upkeep.lost();
    this.#pools.lost();
    this.invites.stop();
    this.backup.stop();
    this.leaving.stop();
    this.#receipts.stop();
    if (canWrite) await this.ledger.idle();
    this.ledger.close();
    this.conversations.stop();
  }

  #connection(): ConnectionState {
    const link = this.#link.state.value;
    const standing = this.#admission.standing.value;
    if (link.at !== "online" || standing === "admitted") return link;
    return standing === "proving"
      ? { at: "connecting" }
      : { at: "password", changed: standing === "wrong" };
  }

  #connected(connection: Connection): void {
    this.#pin(connection);
    this.#desk.forwarding.connected(connection);
    this.#upkeep.connected();
    // Only then: what makes something there is refused before the proof. The rest works without one.
    this.#admission.connected(connection, () => {
      this.presence.connected(connection);
      this.#queues.connected(connection);
      this.devices.connected(connection);
      this.#outbox.connected(connection);
      this.invites.connected(connection);
      this.backup.connected(connection);
      this.leaving.connected(connection);
      this.#pools.connected(connection);
    });
  }

  #lost(): void {
    this.#admission.lost();
    this.#upkeep.lost();
    this.#pools.lost();
    this.#queues.lost();
    this.devices.lost();
    this.#outbox.lost();
    this.invites.lost();
    this.backup.lost();
    this.leaving.lost();
  }

  /** The relay that is met first stays the one. */
  #pin({ hello }: Connection): void {
    this.ledger.post(async (entry) => {
      if (await entry.get(relayTable, SELF)) return;
      entry.put(relayTable, SELF, { url: hello.url, key: hello.relayKey });
    });
  }

  async #met(entry: Entry, contact: Contact, began: boolean): Promise<void> {
    await this.#contacts.met(entry, contact);
    await this.conversations.start(entry, contact);
    const { accountId } = contact.record;
    const { version } = this.account.deviceList;
    // The card has told them.
    entry.put(announcedTable, accountId, { version, at: 0 });
    // Who began the session says so at once: the other side can't write before it hears of it.
    if (began) {
      for (const { id } of contact.devices) {
        await this.#greet(entry, contact, id);
      }
    }
    entry.after(() => this.#queues.added(contact.record.queues));
  }

  /** Ends whatever is under way with a contact. */
  async #part(entry: Entry, contact: Contact): Promise<void> {
    const { accountId } = contact.record;
    for (const address of addressesOf(contact)) {
      await this.#outbox.close(entry, address);
    }
    for (const { id } of contact.deviceList.devices) {
      const name = sessionName(accountId, id);
      entry.delete(sessionTable, name);
      entry.delete(repairTable, name);
    }
    entry.delete(announcedTable, accountId);
    entry.delete(heardTable, accountId);
    await this.#pools.part(entry, accountId);
    this.#desk.forwarding.part(entry, accountId);
    await this.conversations.part(entry, contact);
    this.#receipts.part(entry, contact);
    await this.#queues.discard(entry, queuesOf(contact.record));
  }

  /** There is a session: an answer ends its PreKey messages, and what waited for it goes out. */
  async #began(entry: Entry, contact: Contact, device: number): Promise<void> {
    await this.#greet(entry, contact, device);
    // It may have taken a bundle of a pool.
    entry.after(() => this.#pools.look());
    if (contact.record.accountId === this.account.accountId) {
      return await this.devices.siblingBegan(entry, device);
    }
    await this.conversations.sendWaiting(entry, contact, device);
  }

  async #greet(entry: Entry, contact: Contact, device: number): Promise<void> {
    const hello = composed(this.#desk, contact, {
      kind: "hello",
      heard: await heardOf(entry, contact, device),
      pool: await this.#pools.wayFor(entry, contact.record.accountId),
    });
    const recipient = recipientOf(contact, device);
    await this.#outbox.post(entry, recipient, hello.bytes);
  }
}

/** Every opening of the account reads its queues under a higher generation than the one before. */
function nextGeneration(ledger: Ledger): Promise<number> {
  return ledger.run(async (entry) => {
    const counters = await entry.get(countersTable, SELF);
    if (!counters) throw new DamagedError("the counters are missing");
    const generation = counters.generation + 1;
    entry.put(countersTable, SELF, { ...counters, generation });
    return generation;
  });
}
