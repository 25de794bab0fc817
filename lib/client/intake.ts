import type { Clock } from "./clock.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { type Connection, ConnectionLostError, type Push } from "./link/mod.ts";
import { othersTurn } from "./turn.ts";

/** An envelope that the relay pushed. */
export type Delivery = Extract<Push, { type: "MSG" }>;

/** What is kept in memory at most, in bytes. A WebSocket can't be told to wait. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Taken in one commit: as many, or for as long (ms), that a page stays quick in between. */
const BATCH = 32;
const BATCH_MS = 20;
/** Within a commit, others have their turn when this has gone by, in ms: a frame is 16. */
const TURN_MS = 6;

interface Waiting {
  readonly connection: Connection;
  readonly queue: string;
  readonly message: Delivery;
}

/** Keeps an envelope of the own queue `queue`, or says in `entry` that it can't be read. */
export type Take = (
  entry: Entry,
  queue: string,
  message: Delivery,
) => Promise<void>;

/**
 * What the relay has pushed and is not on disk yet. Envelopes are taken in their order, those that
 * wait already several in one commit, and acknowledged after it. Between two commits others have
 * their turn: what a person does here does not wait for everything that came.
 */
export class Intake {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #take: Take;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #taking = false;
  /** The last sequence to acknowledge, by handle; of the connection there is. */
  #acknowledge = new Map<number, number>();
  #acknowledging: Connection | undefined;

  constructor(ledger: Ledger, clock: Clock, take: Take) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#take = take;
  }

  receive(connection: Connection, queue: string, message: Delivery): void {
    const bytes = this.#waitingBytes + message.envelope.length;
    if (bytes > MAX_WAITING_BYTES) {
      // Nothing is lost: what was not acknowledged stays at the relay, and comes again.
      connection.drop();
      return;
    }
    this.#waitingBytes = bytes;
    this.#waiting.push({ connection, queue, message });
    this.#next();
  }

  #next(): void {
    if (this.#taking || this.#waiting.length === 0) return;
    this.#taking = true;
    this.#ledger.post(async (entry) => {
      const batch = await this.#takeBatch(entry);
      entry.after(() => {
        // Only now, for a step is run again when the disk was full.
        this.#waiting.splice(0, batch.length);
        for (const { connection, message } of batch) {
          this.#waitingBytes -= message.envelope.length;
          this.#ack(connection, message);
        }
        this.#taking = false;
        this.#next();
      });
    });
  }

  /** Takes the first that wait; returns them. */
  async #takeBatch(entry: Entry): Promise<readonly Waiting[]> {
    let turn = this.#clock.now();
    const until = turn + BATCH_MS;
    let at = 0;
    let taken = 0;
    while (at < this.#waiting.length) {
      const { connection, queue, message } = this.#waiting[at++];
      // It can't be acknowledged any more, so it comes again.
      if (connection.lost) continue;
      await this.#take(entry, queue, message);
      const now = this.#clock.now();
      if (++taken === BATCH || now >= until) break;
      if (now - turn < TURN_MS) continue;
      await othersTurn();
      turn = this.#clock.now();
    }
    return this.#waiting.slice(0, at);
  }

  #ack(connection: Connection, { handle, seq }: Delivery): void {
    if (connection.lost) return;
    if (this.#acknowledging !== connection) {
      this.#acknowledging = connection;
      this.#acknowledge = new Map();
    }
    if (this.#acknowledge.size === 0) {
      const waiting = this.#acknowledge;
      queueMicrotask(() => {
        for (const [handle, seq] of waiting) {
          connection.request({ type: "ACK", handle, seq }).catch((error) => {
            // Lost with the connection: the message comes again and is known. Anything else means
            // that relay and client disagree about a handle; a new connection settles it.
            if (!(error instanceof ConnectionLostError)) connection.drop();
          });
        }
        waiting.clear();
      });
    }
    const before = this.#acknowledge.get(handle) ?? 0;
    this.#acknowledge.set(handle, Math.max(before, seq));
  }
}
