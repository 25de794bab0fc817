import type { Contact } from "../contact.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import type { Connection } from "../link/mod.ts";
import type { Outbox } from "../outbox.ts";
import { queueTable } from "../records.ts";
import { Announcer } from "./announcer.ts";
import { Follower, type FollowerEvents } from "./follower.ts";
import { askAnew } from "./repair.ts";

/** How long an account queue is read after another one took its place, ms: as long as relays keep messages. */
const DRAIN_MS = 21 * 86_400_000;

export interface DevicesEvents extends Omit<FollowerEvents, "behind" | "tell"> {
  /** Own queues that nobody needs any more. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
}

/** What devices tell of themselves, and what follows from what others tell. */
export class Devices {
  readonly #desk: Desk;
  readonly #events: DevicesEvents;
  readonly #announcer: Announcer;
  readonly #follower: Follower;

  constructor(desk: Desk, outbox: Outbox, events: DevicesEvents) {
    this.#desk = desk;
    this.#events = events;
    this.#announcer = new Announcer(desk, outbox);
    this.#follower = new Follower(desk, outbox, {
      ...events,
      behind: (entry, contact, to) =>
        this.#announcer.announce(entry, contact, to),
      tell: (entry) => entry.after(() => this.#announcer.look()),
    });
  }

  connected(connection: Connection): void {
    this.#desk.ledger.post((entry) => this.#giveUpRetired(entry));
    this.#announcer.connected(connection);
  }

  lost(): void {
    this.#announcer.lost();
  }

  announced(
    entry: Entry,
    contact: Contact,
    announcement: Uint8Array,
  ): Promise<boolean> {
    return this.#follower.announced(entry, contact, announcement);
  }

  /** A device of a contact sent what its session here does not open. */
  async outOfStep(
    entry: Entry,
    contact: Contact,
    device: number,
  ): Promise<void> {
    const tools = { desk: this.#desk, announcer: this.#announcer };
    if (!await askAnew(tools, entry, contact, device)) return;
    // What went out in the session that came apart may be as unreadable there, and so may the answers be.
    await this.#events.joined(entry, contact, device);
  }

  /** Nobody sends to an account queue that was replaced so long ago. */
  async #giveUpRetired(entry: Entry): Promise<void> {
    const now = this.#desk.clock.now();
    for (const accountId of this.#desk.contacts.keys()) {
      const contact = this.#desk.contactIn(entry, accountId);
      const [, , ...earlier] = contact?.record.queues ?? [];
      if (!contact || earlier.length === 0) continue;
      const found = await entry.getMany(queueTable, earlier);
      const over = earlier.filter((_, i) =>
        now - (found[i]?.retired ?? now) > DRAIN_MS
      );
      if (over.length === 0) continue;
      const { record } = contact;
      const queues = record.queues.filter((name) => !over.includes(name));
      this.#events.put(entry, { ...contact, record: { ...record, queues } });
      await this.#events.discard(entry, over);
    }
  }
}
