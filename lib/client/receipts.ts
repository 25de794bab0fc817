import { type Contact, recipientOf } from "./contact.ts";
import { composed } from "./contents.ts";
import type { Desk } from "./desk.ts";
import type { Entry } from "./ledger.ts";
import type { Outbox } from "./outbox.ts";
import { type DueRecord, dueTable } from "./records.ts";
import type { Settings } from "./settings.ts";

/**
 * How long a receipt waits, in ms, at random: an answer at once would show who watches the relay
 * that two queues belong together.
 */
export const RECEIPT_DELAY_MS = { least: 500, most: 3_000 };

/** Messages that one receipt names: as many as keep it in the smallest frame, like a short text. */
export const RECEIPT_IDS = 14;

const NOTHING_DUE: DueRecord = { delivered: [], read: [] };

/** Tells contacts that their messages arrived and were read: together, a little later, if the person wants it. */
export class Receipts {
  readonly #desk: Desk;
  readonly #outbox: Outbox;
  readonly #settings: Settings;
  readonly #timers = new Map<string, () => void>();

  constructor(desk: Desk, outbox: Outbox, settings: Settings) {
    this.#desk = desk;
    this.#outbox = outbox;
    this.#settings = settings;
  }

  /** Takes up what was due when the account was last open. */
  async load(): Promise<void> {
    const ids = [...this.#desk.contacts.keys()];
    const records = await this.#desk.ledger.reader.getMany(dueTable, ids);
    for (const [i, id] of ids.entries()) {
      if (records[i]) this.#schedule(id);
    }
  }

  /** Notes, in the commit that stores or reads messages, that a contact is to hear of it. */
  async note(
    entry: Entry,
    contact: Contact,
    what: "delivered" | "read",
    messages: readonly string[],
  ): Promise<void> {
    const { deliveryReceipts, readReceipts } = this.#settings.record.value;
    const wanted = what === "read" ? readReceipts : deliveryReceipts;
    if (!wanted || messages.length === 0) return;
    const { accountId } = contact.record;
    const due = await entry.get(dueTable, accountId) ?? NOTHING_DUE;
    entry.put(
      dueTable,
      accountId,
      what === "delivered"
        ? {
          ...due,
          delivered: [
            ...due.delivered,
            ...messages.filter((id) =>
              !due.delivered.includes(id) && !due.read.includes(id)
            ),
          ],
        }
        : {
          // Read says delivered, too.
          delivered: due.delivered.filter((id) => !messages.includes(id)),
          read: [...due.read, ...messages],
        },
    );
    entry.after(() => this.#schedule(accountId));
  }

  /** In the commit of a parting: the contact hears of nothing any more. */
  part(entry: Entry, { record }: Contact): void {
    entry.delete(dueTable, record.accountId);
  }

  /** Sends no more; what is due stays due. */
  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #schedule(accountId: string): void {
    if (this.#timers.has(accountId)) return;
    const { clock, random, ledger } = this.#desk;
    const { least, most } = RECEIPT_DELAY_MS;
    const delay = least + random.fraction() * (most - least);
    this.#timers.set(
      accountId,
      clock.after(delay, () => {
        this.#timers.delete(accountId);
        ledger.post((entry) => this.#send(entry, accountId));
      }),
    );
  }

  async #send(entry: Entry, accountId: string): Promise<void> {
    const contact = this.#desk.contacts.get(accountId);
    const due = await entry.get(dueTable, accountId);
    if (!contact || !due) return;
    const { deliveryReceipts, readReceipts } = this.#settings.record.value;
    // Switched off while it waited: then it is not sent.
    if (deliveryReceipts) {
      await this.#post(entry, contact, "delivered", due.delivered);
    }
    if (readReceipts) await this.#post(entry, contact, "read", due.read);
    entry.delete(dueTable, accountId);
  }

  async #post(
    entry: Entry,
    contact: Contact,
    state: "delivered" | "read",
    messages: readonly string[],
  ): Promise<void> {
    for (let at = 0; at < messages.length; at += RECEIPT_IDS) {
      const ids = messages.slice(at, at + RECEIPT_IDS);
      const receipt = composed(this.#desk, contact, {
        kind: "receipt",
        state,
        ids,
      });
      // What arrived came in a session, so there is one to answer in.
      await this.#outbox.post(entry, recipientOf(contact), receipt.bytes);
    }
  }
}
