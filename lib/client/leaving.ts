import { signal } from "@preact/signals-core";
import type { Desk } from "./desk.ts";
import { Errand } from "./errand.ts";
import type { Delivery } from "./intake.ts";
import type { Connection } from "./link/mod.ts";
import {
  backupTable,
  discardedTable,
  formerBackupsTable,
  type LeftRelay,
  SELF,
} from "./records.ts";
import type { LeftServer } from "./view.ts";

/** How often it is looked whether something came by queues elsewhere, in ms. */
const LOOK_MS = 300_000;

export interface LeavingEvents {
  /** Takes in what waited in an own queue, in one commit. */
  collected(
    queue: string,
    messages: readonly Pick<Delivery, "id" | "envelope">[],
  ): Promise<void>;
}

/**
 * What the account has at relays that it moved away from, by way of the own one: account queues are read
 * until nobody sends there, and then deleted; the queues of the devices there were, and the backup, at once.
 * How it is done is fetched when there is something.
 */
export class Leaving {
  readonly #desk: Desk;
  readonly #events: LeavingEvents;
  readonly #errand: Errand;
  readonly #places = signal<readonly LeftRelay[]>([]);
  #cancelLook: () => void = () => {};

  constructor(desk: Desk, events: LeavingEvents) {
    this.#desk = desk;
    this.#events = events;
    this.#errand = new Errand(desk, (connection) => this.#work(connection));
    desk.ledger.watch((tables) => {
      const some = this.#places.peek().length > 0;
      const more = tables.has(discardedTable.name) ||
        tables.has(backupTable.name);
      if (some && more) this.#errand.run();
    });
  }

  /** Reads signals. */
  get left(): readonly LeftServer[] {
    return this.#places.value.map(({ url }) => ({
      host: new URL(url).host,
      reach: this.#desk.forwarding.reachOf(url),
    }));
  }

  connected(connection: Connection): void {
    this.#errand.connected(connection);
  }

  lost(): void {
    this.#cancelLook();
    this.#errand.lost();
  }

  stop(): void {
    this.#cancelLook();
    this.#errand.stop();
  }

  async #work(connection: Connection): Promise<void> {
    this.#cancelLook();
    if (!await this.#some()) {
      this.#places.value = [];
      return;
    }
    const remotes = await this.#desk.forwarding.remotes();
    await remotes.leave(connection, this.#desk, {
      ...this.#events,
      places: (places) => this.#places.value = places,
    });
    if (this.#places.value.length === 0) return;
    const { clock } = this.#desk;
    this.#cancelLook = clock.after(LOOK_MS, () => this.#errand.run());
  }

  /** Whether there may be something: a queue beside the two at the own relay, or what is to be deleted anywhere. */
  async #some(): Promise<boolean> {
    const { ledger: { reader }, contacts } = this.#desk;
    const { queues = [], condemned = [] } =
      await reader.get(discardedTable, SELF) ?? {};
    const { backups = [] } = await reader.get(formerBackupsTable, SELF) ?? {};
    return queues.length + condemned.length + backups.length > 0 ||
      [...contacts.values()].some(({ record }) => record.queues.length > 2);
  }
}
