import { describeSession, parseSession } from "../../signal/mod.ts";
import {
  type Contact,
  isConnected,
  type Recipient,
  recipientOf,
} from "../contact.ts";
import { ANNOUNCEMENT } from "../content/mod.ts";
import type { Desk } from "../desk.ts";
import { type Address, addressOf, parseQueue } from "../keys/mod.ts";
import { equalBytes } from "@noble/ciphers/utils.js";
import { Errand } from "../errand.ts";
import type { Entry } from "../ledger.ts";
import type { Connection } from "../link/mod.ts";
import { type Outbox, sessionName } from "../outbox.ts";
import { makeBundle } from "../prekey_bundle.ts";
import { createQueue } from "../queues.ts";
import {
  announcedTable,
  heardTable,
  queueTable,
  relayTable,
  SELF,
  sessionTable,
} from "../records.ts";
import { type Heard, signAnnouncement } from "./announcement.ts";
import { backupHeard } from "./heard.ts";

/** Beside the records for each contact: the time of the last announcement to anybody. */
const LAST = "last";

/** A contact that answered nothing is told again after this long, ms. */
const AGAIN_MS = 86_400_000;

/**
 * Tells every contact of this device, over the queue of their account: once for each list that the own
 * account has, and again while there is no session. Other own devices are told until there is one. What
 * it names is at the relay before it is sent.
 */
export class Announcer {
  readonly #desk: Desk;
  readonly #outbox: Outbox;
  readonly #errand: Errand;

  constructor(desk: Desk, outbox: Outbox) {
    this.#desk = desk;
    this.#outbox = outbox;
    this.#errand = new Errand(desk, (connection) => this.#tellAll(connection));
  }

  connected(connection: Connection): void {
    this.#errand.connected(connection);
  }

  lost(): void {
    this.#errand.lost();
  }

  /** Something may be to be told now. */
  look(): void {
    this.#errand.run();
  }

  async #tellAll(connection: Connection): Promise<void> {
    await this.#tellSiblings(connection);
    for (const { record } of [...this.#desk.contacts.values()]) {
      const contact = this.#desk.contacts.get(record.accountId);
      if (connection.lost) return;
      const { reader } = this.#desk.ledger;
      if (contact && await this.#due(reader, contact)) {
        await this.#tell(connection, contact);
      }
    }
  }

  async #tellSiblings(connection: Connection): Promise<void> {
    const { self } = this.#desk.own.state;
    for (const { id, address } of self.devices) {
      if (connection.lost) return;
      const { ledger } = this.#desk;
      if (!await this.#siblingDue(ledger.reader, self, id)) continue;
      await this.#makeQueues(connection, self);
      await ledger.run(async (entry) => {
        const now = this.#desk.own.in(entry).self;
        if (!await this.#siblingDue(entry, now, id)) return;
        await this.announce(entry, now, address, { only: id });
        this.#note(entry, sessionName(now.record.accountId, id));
      });
    }
  }

  async #siblingDue(
    entry: Pick<Entry, "get" | "getMany">,
    self: Contact,
    id: number,
  ): Promise<boolean> {
    const missed = await withoutSession(entry, recipientOf(self, id));
    if (missed.length === 0) return false;
    const name = sessionName(self.record.accountId, id);
    const told = await entry.get(announcedTable, name);
    return !told || told.version < self.deviceList.version ||
      this.#desk.clock.now() - told.at >= AGAIN_MS;
  }

  #note(entry: Entry, name: string): void {
    const { account, clock } = this.#desk;
    const { version } = account.deviceList;
    entry.put(announcedTable, name, { version, at: clock.now() });
  }

  async #makeQueues(
    connection: Connection,
    { record }: Contact,
  ): Promise<void> {
    const { reader } = this.#desk.ledger;
    const records = await reader.getMany(queueTable, record.queues.slice(0, 2));
    for (const record of records) {
      if (!record) continue;
      await createQueue(connection, await parseQueue(record.credentials));
    }
  }

  async #due(
    entry: Pick<Entry, "get" | "getMany">,
    contact: Contact,
  ): Promise<boolean> {
    const { accountId } = contact.record;
    if (!isConnected(contact) || !contact.accountAddress) return false;
    const { version } = this.#desk.account.deviceList;
    const told = await entry.get(announcedTable, accountId);
    // Who was met before there were announcements has the first list from the card.
    if ((told?.version ?? 1) < version) return true;
    if (!told || this.#desk.clock.now() - told.at < AGAIN_MS) return false;
    const missed = await withoutSession(entry, recipientOf(contact));
    return missed.length === contact.deviceList.devices.length;
  }

  async #tell(connection: Connection, contact: Contact): Promise<void> {
    const { ledger } = this.#desk;
    const { accountId } = contact.record;
    await this.#makeQueues(connection, contact);
    await ledger.run(async (entry) => {
      const now = this.#desk.contactIn(entry, accountId);
      if (!now?.accountAddress || !await this.#due(entry, now)) return;
      await this.announce(entry, now, now.accountAddress);
      this.#note(entry, accountId);
    });
  }

  /**
   * Puts what this device says of itself to a contact on its way to one of their queues.
   * `anew`: a device of theirs that is to begin another session, though there is one. `only`: the one
   * that may begin a session, where others can't read this. `nowhere`: who reads it
   * is not told where this device receives.
   */
  async announce(
    entry: Entry,
    contact: Contact,
    to: Address,
    { anew, only, nowhere = false }: {
      anew?: number;
      only?: number;
      nowhere?: boolean;
    } = {},
  ): Promise<void> {
    const { account } = this.#desk.own.in(entry);
    const { record, deviceList } = contact;
    const relay = await entry.get(relayTable, SELF);
    const [own, shared] = await entry.getMany(
      queueTable,
      record.queues.slice(0, 2),
    );
    const isOwn = record.accountId === account.accountId;
    if (!relay || !own || !shared && !isOwn) return;
    const missed = await withoutSession(entry, recipientOf(contact, only));
    const bundles = new Map();
    for (const id of new Set(anew === undefined ? missed : [...missed, anew])) {
      bundles.set(id, await makeBundle(entry, this.#desk));
    }
    const heard: Heard = {
      deviceList: deviceList.bytes,
      backupVersion: backupHeard(await entry.get(heardTable, record.accountId)),
    };
    const bytes = signAnnouncement({
      from: account.accountId,
      to: record.accountId,
      time: await this.#nextTime(entry),
      successions: account.successions,
      deviceList: account.deviceList,
      ...nowhere
        ? {}
        : { address: addressOf(await parseQueue(own.credentials), relay) },
      ...shared
        ? {
          accountAddress: addressOf(
            await parseQueue(shared.credentials),
            relay,
          ),
        }
        : {},
      backupVersion: this.#desk.backupVersion(),
      bundles,
      heard,
    }, account.device);
    await this.#outbox.deliver(
      entry,
      { accountId: record.accountId, address: to },
      { type: ANNOUNCEMENT, bytes },
    );
  }

  /** Later than that of every announcement before, whatever the clock says: what does not rise is a repeat. */
  async #nextTime(entry: Entry): Promise<number> {
    const { at = 0, version = 0 } = await entry.get(announcedTable, LAST) ?? {};
    const time = Math.max(this.#desk.clock.now(), at + 1);
    entry.put(announcedTable, LAST, { version, at: time });
    return time;
  }
}

/** The ids of those devices that nothing can be encrypted for. */
export async function withoutSession(
  entry: Pick<Entry, "getMany">,
  { accountId, devices }: Recipient,
): Promise<number[]> {
  const names = devices.map(({ id }) => sessionName(accountId, id));
  const stored = await entry.getMany(sessionTable, names);
  return devices.flatMap(({ id, identityKey }, i) => {
    const bytes = stored[i];
    if (!bytes) return id;
    const session = describeSession(parseSession(bytes));
    const usable = !session.closed &&
      equalBytes(session.identityKey, identityKey);
    return usable ? [] : id;
  });
}
