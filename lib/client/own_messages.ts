import { type Contact, type Recipient, recipientOf } from "./contact.ts";
import type { ConversationLog } from "./content/mod.ts";
import type { Desk } from "./desk.ts";
import type { Entry } from "./ledger.ts";
import { type Outbox, sessionName } from "./outbox.ts";
import { unsentTable } from "./records.ts";

/** What a device that is new to us, or that lost its session, has again: as many own messages, as young, as nobody confirmed. */
const AGAIN = { most: 500, ms: 14 * 86_400_000 };

/** Messages that wait for a session with one device; the oldest go first. */
const MAX_UNSENT = 1_000;

/** Own messages on their way to the devices of contacts, and those that wait for a session with one. */
export class OwnMessages {
  readonly #desk: Desk;
  readonly #outbox: Outbox;
  readonly #log: ConversationLog;

  constructor(desk: Desk, outbox: Outbox, log: ConversationLog) {
    this.#desk = desk;
    this.#outbox = outbox;
    this.#log = log;
  }

  /**
   * Puts a message on its way, or, for devices without one, among those that wait for a session.
   * @param bytes the content, where it is at hand
   */
  async post(
    entry: Entry,
    recipient: Recipient,
    conversation: string,
    id: string,
    bytes?: Uint8Array,
  ): Promise<void> {
    const author = this.#desk.account.accountId;
    const plaintext = bytes ??
      (await this.#log.find(entry, conversation, { author, id }))?.content
        ?.bytes;
    if (!plaintext) return;
    const ref = { conversation, id };
    const missed = await this.#outbox.post(entry, recipient, plaintext, ref);
    for (const device of missed) {
      await this.#owe(entry, sessionName(recipient.accountId, device), id);
    }
  }

  /** Sends what waited for a session with a device of a contact. */
  async postWaiting(
    entry: Entry,
    contact: Contact,
    device: number,
  ): Promise<void> {
    const ids = await this.takeWaiting(entry, contact.record, device);
    const recipient = recipientOf(contact, device);
    for (const id of ids) {
      await this.post(entry, recipient, contact.record.conversation, id);
    }
  }

  /** What waited for a session with a device of a contact, and waits no more. */
  async takeWaiting(
    entry: Entry,
    { accountId }: Contact["record"],
    device: number,
  ): Promise<readonly string[]> {
    const name = sessionName(accountId, device);
    const unsent = await entry.get(unsentTable, name);
    if (unsent) entry.delete(unsentTable, name);
    return unsent?.ids ?? [];
  }

  /** A device of a contact is to have what nobody confirmed. Gives the ids of that. */
  async oweUnconfirmed(
    entry: Entry,
    { accountId, conversation }: Contact["record"],
    device: number,
  ): Promise<readonly string[]> {
    const since = this.#desk.clock.now() - AGAIN.ms;
    const ids = await this.#log.unconfirmed(entry, conversation, {
      since,
      most: AGAIN.most,
    });
    for (const id of ids) {
      await this.#owe(entry, sessionName(accountId, device), id);
    }
    return ids;
  }

  async #owe(entry: Entry, session: string, id: string): Promise<void> {
    const { ids } = await entry.get(unsentTable, session) ?? { ids: [] };
    const others = ids.filter((other) => other !== id);
    entry.put(unsentTable, session, {
      ids: [...others, id].slice(-MAX_UNSENT),
    });
  }
}
