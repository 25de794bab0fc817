import { hexToBytes } from "@noble/hashes/utils.js";
import type { Desk } from "./desk.ts";
import { parseQueue, type QueueCredentials } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import {
  type Connection,
  ConnectionLostError,
  type Push,
  RelayError,
} from "./link/mod.ts";
import {
  bindQueues,
  createQueue,
  deleteQueue,
  heldGeneration,
} from "./queues.ts";
import { discardedTable, queueTable, SELF } from "./records.ts";

export interface OwnQueuesEvents {
  message(
    connection: Connection,
    queue: string,
    message: Extract<Push, { type: "MSG" }>,
  ): void;
  /** Another instance of this device reads our queues now. */
  replaced(): void;
}

/** How often one queue is asked for in one go, when the answer says how to ask better. */
const TRIES = 3;

/** The queues that this device reads: subscribed to on every connection, deleted when nobody needs them. */
export class OwnQueues {
  readonly #desk: Desk;
  readonly #events: OwnQueuesEvents;
  #generation: number;
  #connection: Connection | undefined;

  /** `generation`: higher than in any earlier opening of the account here. */
  constructor(desk: Desk, generation: number, events: OwnQueuesEvents) {
    this.#desk = desk;
    this.#generation = generation;
    this.#events = events;
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    const contacts = [...this.#desk.contacts.values()];
    // The devices' queues first: should the relay's limit be reached, these are what messages come by.
    const names = [0, 1].flatMap((which) =>
      contacts.flatMap(({ record }) => record.queues[which] ?? [])
    );
    this.#inBackground(this.#subscribe(connection, names, TRIES));
    this.#inBackground(this.#deleteDiscarded(connection));
  }

  lost(): void {
    this.#connection = undefined;
  }

  /** Queues of someone just met: reads them from now on. */
  added(names: readonly string[]): void {
    if (this.#connection) {
      this.#inBackground(this.#subscribe(this.#connection, names, TRIES));
    }
  }

  /** Nobody will need these: the relay is told as soon as it can be. */
  async discard(entry: Entry, names: readonly string[]): Promise<void> {
    const { queues } = await entry.get(discardedTable, SELF) ?? { queues: [] };
    entry.put(discardedTable, SELF, { queues: [...queues, ...names] });
    entry.after(() => {
      if (this.#connection) {
        this.#inBackground(this.#deleteDiscarded(this.#connection));
      }
    });
  }

  async #subscribe(
    connection: Connection,
    names: readonly string[],
    tries: number,
  ): Promise<void> {
    const queues = await this.#credentials(names);
    const generation = this.#generation;
    const results = await bindQueues(
      connection,
      queues.map(({ name, credentials }) => ({
        role: "receive",
        pair: credentials.receive,
        queue: hexToBytes(name),
        generation,
      })),
    );
    const again: string[] = [];
    for (const [i, result] of results.entries()) {
      const { name, credentials } = queues[i];
      if (result.status === "fulfilled") {
        this.#listen(connection, name, result.value);
      } else if (await this.#mend(connection, credentials, result.reason)) {
        again.push(name);
      }
    }
    if (again.length > 0 && tries > 1) {
      await this.#subscribe(connection, again, tries - 1);
    }
  }

  #listen(connection: Connection, name: string, handle: number): void {
    connection.listen(handle, (push) => {
      if (push.type === "MSG") this.#events.message(connection, name, push);
      if (push.type === "REPLACED") this.#events.replaced();
    });
  }

  /** Whether asking again may help. */
  async #mend(
    connection: Connection,
    credentials: QueueCredentials,
    reason: unknown,
  ): Promise<boolean> {
    const held = heldGeneration(reason);
    if (held !== undefined) {
      this.#generation = Math.max(this.#generation, held + 1);
      return true;
    }
    if (!(reason instanceof RelayError)) throw reason;
    if (reason.code === "no-such-queue") {
      // The relay forgot it, with everything that waited. What comes next shall arrive.
      await createQueue(connection, credentials);
      return true;
    }
    return false;
  }

  async #deleteDiscarded(connection: Connection): Promise<void> {
    const { queues } = await this.#desk.ledger.reader.get(
      discardedTable,
      SELF,
    ) ?? { queues: [] };
    for (const { name, credentials } of await this.#credentials(queues)) {
      await deleteQueue(connection, credentials);
      await this.#desk.ledger.run(async (entry) => {
        const left = await entry.get(discardedTable, SELF);
        entry.put(discardedTable, SELF, {
          queues: left?.queues.filter((other) => other !== name) ?? [],
        });
        entry.delete(queueTable, name);
      });
    }
  }

  async #credentials(
    names: readonly string[],
  ): Promise<{ name: string; credentials: QueueCredentials }[]> {
    const records = await this.#desk.ledger.reader.getMany(queueTable, names);
    return await Promise.all(names.flatMap((name, i) => {
      const record = records[i];
      return record
        ? [
          parseQueue(record.credentials).then((credentials) => ({
            name,
            credentials,
          })),
        ]
        : [];
    }));
  }

  /** Work that the next connection does again when this one is lost or the relay declines. */
  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      const again = error instanceof ConnectionLostError ||
        error instanceof RelayError;
      if (!again) this.#desk.broken(error);
    });
  }
}
