import { type Contact, recipientOf } from "./contact.ts";
import type { Content, ConversationLog } from "./content/mod.ts";
import { composed } from "./contents.ts";
import type { Desk } from "./desk.ts";
import type { Entry } from "./ledger.ts";
import { type Outbox, sessionName } from "./outbox.ts";
import { type UnsentRecord, unsentTable } from "./records.ts";

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
   * Puts a message, with what was changed of it, on its way, or, for devices without one, among those
   * that wait for a session.
   * @param content where it is at hand, and was not changed
   * @param device the only one that it is for
   */
  async post(
    entry: Entry,
    contact: Contact,
    id: string,
    { content, device }: { content?: Content; device?: number } = {},
  ): Promise<void> {
    const { accountId, conversation } = contact.record;
    const recipient = recipientOf(contact, device);
    const events = content
      ? [content.bytes]
      : await this.#events(entry, contact, id);
    const missed = new Set<number>();
    for (const event of events) {
      const ref = { conversation, id };
      const without = await this.#outbox.post(entry, recipient, event, ref);
      for (const device of without) missed.add(device);
    }
    for (const device of missed) {
      await this.#owe(entry, sessionName(accountId, device), { ids: [id] });
    }
  }

  /** Puts on its way what changes the message with this id, for every device that was sent it. */
  async postChange(
    entry: Entry,
    contact: Contact,
    id: string,
    change: Content,
  ): Promise<void> {
    const { accountId } = contact.record;
    const recipient = recipientOf(contact);
    // A device without a session hears of the last change when there is one.
    const missed = await this.#outbox.post(entry, recipient, change.bytes);
    for (const device of missed) {
      await this.#owe(entry, sessionName(accountId, device), { changed: [id] });
    }
  }

  /** Sends what waited for a session with a device of a contact. */
  async postWaiting(
    entry: Entry,
    contact: Contact,
    device: number,
  ): Promise<void> {
    const { ids, changed = [] } = await this.#take(
      entry,
      contact.record,
      device,
    );
    for (const id of ids) await this.post(entry, contact, id, { device });
    const recipient = recipientOf(contact, device);
    for (const id of changed) {
      for (const event of await this.#events(entry, contact, id, true)) {
        await this.#outbox.post(entry, recipient, event);
      }
    }
  }

  /** The messages that waited for a session with a device of a contact, and wait no more. */
  async takeWaiting(
    entry: Entry,
    record: Contact["record"],
    device: number,
  ): Promise<readonly string[]> {
    return (await this.#take(entry, record, device)).ids;
  }

  /** A device of a contact is to have what nobody confirmed, and what was changed. Gives the ids of the former. */
  async oweUnconfirmed(
    entry: Entry,
    { accountId, conversation }: Contact["record"],
    device: number,
  ): Promise<readonly string[]> {
    const since = this.#desk.clock.now() - AGAIN.ms;
    const { unconfirmed, changed } = await this.#log.toBeSaidAgain(
      entry,
      conversation,
      { since, most: AGAIN.most },
    );
    if (unconfirmed.length + changed.length > 0) {
      const session = sessionName(accountId, device);
      await this.#owe(entry, session, { ids: unconfirmed, changed });
    }
    return unconfirmed;
  }

  /** What there is to say of an own message: it and its newest edit, or only that; or that it was taken back. */
  async #events(
    entry: Entry,
    contact: Contact,
    id: string,
    changeAlone = false,
  ): Promise<Uint8Array[]> {
    const { conversation } = contact.record;
    const author = this.#desk.account.accountId;
    const found = await this.#log.find(entry, conversation, { author, id });
    if (found?.row.body.kind === "deleted") {
      const deletion = { kind: "deletion", target: id } as const;
      return [composed(this.#desk, contact, deletion).bytes];
    }
    const said = changeAlone ? undefined : found?.content;
    return [said, found?.edit].flatMap((event) => event ? [event.bytes] : []);
  }

  async #take(
    entry: Entry,
    { accountId }: Contact["record"],
    device: number,
  ): Promise<UnsentRecord> {
    const name = sessionName(accountId, device);
    const unsent = await entry.get(unsentTable, name);
    if (unsent) entry.delete(unsentTable, name);
    return unsent ?? { ids: [] };
  }

  async #owe(
    entry: Entry,
    session: string,
    { ids = [], changed = [] }: Partial<UnsentRecord>,
  ): Promise<void> {
    const old = await entry.get(unsentTable, session) ?? { ids: [] };
    const owed = added(old.ids, ids);
    const whole = new Set(owed);
    entry.put(unsentTable, session, {
      ids: owed,
      // With the message goes how it was changed.
      changed: added(old.changed ?? [], changed).filter((id) => !whole.has(id)),
    });
  }
}

/** The old ones and then the new ones, each once, and the oldest no more when they are too many. */
function added(old: readonly string[], ids: readonly string[]): string[] {
  const last = new Set(ids);
  return [...old.filter((id) => !last.has(id)), ...last].slice(-MAX_UNSENT);
}
