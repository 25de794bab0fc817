import { recipientOf } from "../contact.ts";
import { composed } from "../contents.ts";
import type { Desk } from "../desk.ts";
import { MalformedError } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { type Outbox, sessionName } from "../outbox.ts";
import { owedContentTable, owedTable } from "../records.ts";
import { encodeSync, parseSync, type Sync } from "./sync.ts";

/** What waits for a session with another own device; the oldest goes first. */
const MAX_OWED = 1_000;

/** The other devices of the account, in sessions: what this one does they hear of, and it hears of what they do. */
export class Siblings {
  readonly #desk: Desk;
  readonly #outbox: Outbox;

  constructor(desk: Desk, outbox: Outbox) {
    this.#desk = desk;
    this.#outbox = outbox;
  }

  /** Tells all of them, or one; what there is no session for yet waits, in its order. */
  async tell(entry: Entry, sync: Sync, only?: number): Promise<void> {
    const { account, self } = this.#desk.own.in(entry);
    const { bytes } = composed(this.#desk, self, {
      kind: "sync",
      bytes: encodeSync(sync),
    });
    for (const { id } of account.deviceList.devices) {
      if (id === account.device.id || only !== undefined && id !== only) {
        continue;
      }
      await this.#post(entry, id, bytes);
    }
  }

  /** What one of them told; undefined for what a later version tells, or nobody. */
  told(bytes: Uint8Array): Sync | undefined {
    try {
      return parseSync(bytes);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return undefined;
    }
  }

  /** There is a session with one: what waited for it goes out. */
  async began(entry: Entry, device: number): Promise<void> {
    for (const bytes of await this.#takeOwed(entry, device)) {
      await this.#post(entry, device, bytes);
    }
  }

  /** A device is no more: nothing waits for it. */
  async left(entry: Entry, device: number): Promise<void> {
    await this.#takeOwed(entry, device);
  }

  async #takeOwed(entry: Entry, device: number): Promise<Uint8Array[]> {
    const session = this.#session(device);
    const owed = await entry.get(owedTable, session);
    if (!owed) return [];
    entry.delete(owedTable, session);
    const names = Array.from(
      { length: owed.next - owed.first },
      (_, i) => `${session}.${owed.first + i}`,
    );
    const contents = await entry.getMany(owedContentTable, names);
    for (const name of names) entry.delete(owedContentTable, name);
    return contents.filter((bytes) => bytes !== undefined);
  }

  async #post(
    entry: Entry,
    device: number,
    bytes: Uint8Array,
  ): Promise<void> {
    const { self } = this.#desk.own.in(entry);
    const recipient = recipientOf(self, device);
    const missed = await this.#outbox.post(entry, recipient, bytes);
    if (missed.length === 0) return;
    const session = this.#session(device);
    const { first, next } = await entry.get(owedTable, session) ??
      { first: 0, next: 0 };
    entry.put(owedContentTable, `${session}.${next}`, bytes);
    const over = next + 1 - first > MAX_OWED;
    if (over) entry.delete(owedContentTable, `${session}.${first}`);
    entry.put(owedTable, session, {
      first: over ? first + 1 : first,
      next: next + 1,
    });
  }

  #session(device: number): string {
    return sessionName(this.#desk.account.accountId, device);
  }
}
