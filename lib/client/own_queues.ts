import { equalBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { queuesOf } from "./contact.ts";
import type { Desk } from "./desk.ts";
import {
  ed25519PairOf,
  parseQueue,
  type QueueCredentials,
} from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import {
  backoff,
  type Connection,
  ConnectionLostError,
  type Push,
  RelayError,
} from "./link/mod.ts";
import {
  bindQueue,
  bindQueues,
  createQueue,
  deleteQueue,
  generationAfter,
  heldGeneration,
} from "./queues.ts";
import {
  type CondemnedQueue,
  discardedTable,
  queueTable,
  SELF,
} from "./records.ts";

export interface OwnQueuesEvents {
  message(
    connection: Connection,
    queue: string,
    message: Extract<Push, { type: "MSG" }>,
  ): void;
  /** Another instance of this device reads our queues now. */
  replaced(): void;
  /** A queue that this device reads is gone from the relay: it forgot it, or this device was left behind. */
  missing(): void;
  /** What waited for this device, or was read by it, may be lost. */
  lost(): void;
}

interface OwnQueue {
  readonly name: string;
  readonly credentials: QueueCredentials;
  /** The relay has had it: something came by it, or it was read. */
  readonly wasThere: boolean;
}

/** How long an account queue is left to who took it, in ms. */
const RETAKE_MS = 3_600_000;

/** How often it is looked whether this device's queues are there, in ms. */
const LOOK_MS = 600_000;

/** The queues that this device reads: subscribed to on every connection, deleted when nobody needs them. */
export class OwnQueues {
  readonly #desk: Desk;
  readonly #events: OwnQueuesEvents;
  #generation: number;
  /** Those that this connection or one before has read, while this is open. */
  readonly #read = new Set<string>();
  /** Queues that are read and nobody's yet, by name: what comes by them may make them somebody's. */
  readonly others = new Set<string>();
  #connection: Connection | undefined;
  #tidying: Promise<void> = Promise.resolve();

  /** `generation`: higher than in any earlier opening of the account here. */
  constructor(desk: Desk, generation: number, events: OwnQueuesEvents) {
    this.#desk = desk;
    this.#generation = generation;
    this.#events = events;
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    const queues = [...this.#desk.contacts.values()].map(({ record }) =>
      queuesOf(record)
    );
    // The devices' queues first: should the relay's limit be reached, these are what messages come by.
    const most = Math.max(0, ...queues.map(({ length }) => length));
    const names = Array.from(
      { length: most },
      (_, which) => queues.flatMap((names) => names[which] ?? []),
    ).flat();
    this.#inBackground(
      this.#subscribe(connection, [
        ...queuesOf(this.#desk.own.state.self.record),
        ...names,
        ...this.others,
      ], 0),
    );
    this.#tidy(connection);
    this.#lookAgain(connection);
  }

  lost(): void {
    this.#connection = undefined;
  }

  /** Queues of someone just met, or of `others`: reads them from now on. Resolves when the relay was told so. */
  async added(names: readonly string[]): Promise<void> {
    if (this.#connection) {
      await this.#inBackground(this.#subscribe(this.#connection, names, 0));
    }
  }

  /**
   * Nobody will need these: the relay is told as soon as it can be. What still comes by them is
   * nobody's from this commit on.
   */
  async discard(entry: Entry, names: readonly string[]): Promise<void> {
    const records = await entry.getMany(queueTable, names);
    for (const [i, record] of records.entries()) {
      if (record?.contact === undefined) continue;
      const { contact: _, ...nobodys } = record;
      entry.put(queueTable, names[i], nobodys);
    }
    const before = await entry.get(discardedTable, SELF) ?? { queues: [] };
    entry.put(discardedTable, SELF, {
      ...before,
      queues: [...before.queues, ...names],
    });
    entry.after(() => {
      if (this.#connection) this.#tidy(this.#connection);
    });
  }

  /** The relay is to delete these, of a device that was removed, as soon as it can be told. */
  async condemn(
    entry: Entry,
    condemned: readonly CondemnedQueue[],
  ): Promise<void> {
    const before = await entry.get(discardedTable, SELF) ?? { queues: [] };
    entry.put(discardedTable, SELF, {
      ...before,
      condemned: [...before.condemned ?? [], ...condemned],
    });
    entry.after(() => {
      if (this.#connection) this.#tidy(this.#connection);
    });
  }

  /**
   * Resolves when the relay was told of the queues that were discarded so far, or can't be: whoever
   * has their addresses finds out from then on that there is no way any more.
   */
  async tidied(): Promise<void> {
    await this.#tidying;
  }

  #tidy(connection: Connection): void {
    this.#tidying = this.#tidying.then(() =>
      this.#inBackground(this.#deleteAll(connection))
    );
  }

  async #subscribe(
    connection: Connection,
    names: readonly string[],
    failures: number,
  ): Promise<void> {
    const queues = await this.#credentials(names, "somebody's");
    const generation = this.#generation;
    const results = await bindQueues(
      connection,
      queues.map(({ name, credentials }) => ({
        role: "receive",
        pair: credentials.receive,
        queue: hexToBytes(name),
        generation,
      })),
      (i, handle) => this.#listen(connection, queues[i].name, handle),
    );
    const refused: { name: string; reason: unknown }[] = [];
    for (const [i, result] of results.entries()) {
      if (result.status === "rejected") {
        refused.push({ name: queues[i].name, reason: result.reason });
      }
    }
    // What was granted is heard since then, whatever becomes of the rest.
    for (const { name, reason } of refused) {
      if (!(reason instanceof RelayError)) throw reason;
      // Read again: one may have parted from its contact, and it must not come back.
      const [queue] = await this.#credentials([name], "somebody's");
      if (queue) await this.#mend(connection, queue, reason);
    }
    if (refused.length > 0) {
      this.#askAgain(connection, refused.map(({ name }) => name), failures + 1);
    }
  }

  #askAgain(
    connection: Connection,
    names: readonly string[],
    failures: number,
  ): void {
    const { clock, random } = this.#desk;
    const ask = () => {
      if (connection.lost) return;
      this.#inBackground(this.#subscribe(connection, names, failures));
    };
    // The first refusal mostly says how to ask better; a relay that goes on refusing is given time.
    if (failures === 1) ask();
    else clock.after(backoff(failures - 1, random.fraction()), ask);
  }

  #listen(connection: Connection, name: string, handle: number): void {
    this.#read.add(name);
    connection.listen(handle, (push) => {
      if (push.type === "MSG") this.#events.message(connection, name, push);
      if (push.type === "REPLACED") this.#replaced(connection, name);
    });
  }

  /**
   * This device's own queues are read by nobody else, unless it runs twice. Those of the account have one
   * reader at a time among its devices, the one that came last; should that be gone, another comes. It may
   * be one in the place of this device, whose own queues are gone then. What this device has just given up
   * is nothing to it.
   */
  #replaced(connection: Connection, name: string): void {
    const { contacts, own: { state: { self } } } = this.#desk;
    const records = [self, ...contacts.values()].map(({ record }) => record);
    const shared = records.find(({ queues }) => queues.indexOf(name) > 0);
    const own = this.others.has(name) ||
      records.some(({ queues, renewed }) =>
        queues[0] === name || renewed?.own.includes(name)
      );
    if (own) return this.#events.replaced();
    if (!shared) return;
    this.#inBackground(this.#look(connection));
    this.#desk.clock.after(RETAKE_MS, () => {
      if (connection.lost) return;
      this.#inBackground(this.#subscribe(connection, [name], 0));
    });
  }

  /** Looks now and then whether this device's queues are there: nobody is told when one is deleted. */
  #lookAgain(connection: Connection): void {
    this.#desk.clock.after(LOOK_MS, () => {
      if (connection.lost) return;
      this.#inBackground(this.#look(connection));
      this.#lookAgain(connection);
    });
  }

  /** Asks as a sender would, for one of them: who reads it goes on doing so. */
  async #look(connection: Connection): Promise<void> {
    const { own, contacts } = this.#desk;
    const names = [own.state.self, ...contacts.values()]
      .map(({ record }) => record.queues[0]);
    const name = names.find((name) => this.#read.has(name));
    const [queue] = name ? await this.#credentials([name], "somebody's") : [];
    if (!queue) return;
    const { send: pair } = queue.credentials;
    const id = hexToBytes(queue.name);
    try {
      await bindQueue(connection, { role: "send", pair, queue: id });
    } catch (error) {
      const gone = error instanceof RelayError &&
        error.code === "no-such-queue";
      if (!gone) throw error;
      this.#events.missing();
    }
  }

  /** Does what the next try needs. */
  async #mend(
    connection: Connection,
    { name, credentials, wasThere }: OwnQueue,
    reason: RelayError,
  ): Promise<void> {
    const held = heldGeneration(connection, reason);
    if (held !== undefined) {
      // Nobody else reads this one: this device has, in a state that its storage does not know any more.
      if (name === this.#desk.own.state.devices.queue) this.#events.lost();
      this.#generation = Math.max(
        this.#generation,
        generationAfter(held),
      );
      return;
    }
    if (reason.code === "no-such-queue") {
      // A new one is made so, too; one that the relay forgot comes back without what waited.
      if (wasThere) {
        this.#events.missing();
        this.#events.lost();
      }
      try {
        await createQueue(connection, credentials);
      } catch (error) {
        // Not now: it is asked again, and what is well with the others must not wait for that.
        if (!(error instanceof RelayError)) throw error;
      }
    }
  }

  async #deleteAll(connection: Connection): Promise<void> {
    await this.#deleteDiscarded(connection);
    await this.#deleteCondemned(connection);
  }

  async #deleteDiscarded(connection: Connection): Promise<void> {
    const { queues } = await this.#desk.ledger.reader.get(
      discardedTable,
      SELF,
    ) ?? { queues: [] };
    const discarded = await this.#credentials(queues, "anybody's");
    for (const { name, credentials } of discarded) {
      await deleteQueue(connection, hexToBytes(name), credentials.remove);
      await this.#desk.ledger.run(async (entry) => {
        const left = await entry.get(discardedTable, SELF);
        // Another device of the account still had it, and so it is read again.
        if (!left?.queues.includes(name)) return;
        entry.put(discardedTable, SELF, {
          ...left,
          queues: left.queues.filter((other) => other !== name),
        });
        entry.delete(queueTable, name);
      });
    }
  }

  async #deleteCondemned(connection: Connection): Promise<void> {
    const { ledger } = this.#desk;
    const { condemned = [] } = await ledger.reader.get(discardedTable, SELF) ??
      {};
    for (const { id, seed, left } of condemned) {
      if (left) continue;
      await deleteQueue(connection, id, await ed25519PairOf(seed));
      await ledger.run(async (entry) => {
        const { queues = [], condemned = [] } =
          await entry.get(discardedTable, SELF) ?? {};
        const left = condemned.filter((other) => !equalBytes(other.id, id));
        entry.put(discardedTable, SELF, { queues, condemned: left });
      });
    }
  }

  /** Of the queues there are, or of those that somebody may send to. */
  async #credentials(
    names: readonly string[],
    whose: "anybody's" | "somebody's",
  ): Promise<OwnQueue[]> {
    const records = await this.#desk.ledger.reader.getMany(queueTable, names);
    return await Promise.all(names.flatMap((name, i) => {
      const record = records[i];
      // What is at a relay that the account has left is not reached so: see leaving.ts.
      const wanted = record && !record.left &&
        (whose === "anybody's" || record.contact !== undefined ||
          this.others.has(name));
      return wanted
        ? [
          parseQueue(record.credentials).then((credentials) => ({
            name,
            credentials,
            wasThere: this.#read.has(name) || record.recent.length > 0,
          })),
        ]
        : [];
    }));
  }

  /** Work that the next connection does again when this one is lost or the relay declines. */
  #inBackground(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      const again = error instanceof ConnectionLostError ||
        error instanceof RelayError;
      if (!again) this.#desk.broken(error);
    });
  }
}
