import type { Clock } from "./clock.ts";
import {
  backoff,
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import type { Random } from "./random.ts";
import type { OutgoingRecord } from "./records.ts";
import type { Send } from "./way.ts";
import type { ErrorName } from "../wire/mod.ts";

/**
 * Envelopes sent ahead of their answers. Far below the transport ids that a recipient remembers
 * (see inbox.ts), so that whatever is sent twice is still known there.
 */
export const WINDOW = 16;

/** What one lane needs of the outbox. */
export interface LaneEvents {
  readonly clock: Clock;
  readonly random: Random;
  /** The way to the queue. Rejects as `Connection.request` does. */
  open(connection: Connection): Promise<Send>;
  /** The entry's record, or undefined when it was settled before. */
  read(index: number): Promise<OutgoingRecord | undefined>;
  /** The relay has the entry, or never will: it need not be sent again. */
  settled(index: number, outcome: "sent" | "failed"): void;
  /** The queue is gone. False when everything that was still to go there is gone with it. */
  gone(): boolean;
  /** Reading failed: nothing can be sent any more. */
  broken(error: unknown): void;
}

/** Answers that another try may change. */
const TRANSIENT: readonly ErrorName[] = [
  "full",
  "rate",
  "busy",
  "work",
  "unreachable",
  "forbidden",
];

/** Another relay that is away may be back at any moment, and asking takes one frame to the own one; ms. */
const LONGEST_AWAY_MS = 15_000;

/**
 * The way to one destination queue: entries leave in order, `WINDOW` at a time, and again on the
 * next connection as long as the relay has not answered OK.
 */
export class Lane {
  readonly #events: LaneEvents;
  readonly #settled = new Set<number>();
  #first: number;
  #next: number;
  #run: Run | undefined;
  #failures = 0;
  #ended = false;
  /** The connection on which the queue turned out to be gone. */
  #deadOn: Connection | undefined;

  constructor(
    entries: { first: number; next: number },
    events: LaneEvents,
  ) {
    this.#events = events;
    this.#first = entries.first;
    this.#next = entries.next;
  }

  get empty(): boolean {
    return this.#first === this.#next;
  }

  /** One more entry is on disk, the one before `next`. */
  grew(next: number, record: OutgoingRecord): void {
    this.#next = next;
    const run = this.#run;
    const send = run?.reading ? undefined : run?.send;
    if (run && send && run.at === next - 1 && this.#may(run)) {
      // All before it have left, so it follows at once, without being read back from the disk.
      this.#send(run, send, run.at++, record);
      return;
    }
    // Asked again for every new message: that the queue is gone must show at each.
    if (this.#deadOn && !this.#deadOn.lost) this.#begin(this.#deadOn);
    else this.#pump();
  }

  /** Everything before `first` is off the disk. */
  shrank(first: number): void {
    this.#first = first;
    for (const index of this.#settled) {
      if (index < first) this.#settled.delete(index);
    }
  }

  connected(connection: Connection): void {
    this.#failures = 0;
    this.#begin(connection);
  }

  stop(): void {
    this.#run?.cancelPause();
    this.#run = undefined;
  }

  /** It is no more. An answer that comes late is about nothing: its number may be another entry's by then. */
  end(): void {
    this.stop();
    this.#ended = true;
  }

  #begin(connection: Connection): void {
    this.stop();
    this.#deadOn = undefined;
    this.#run = {
      connection,
      at: this.#first,
      inFlight: 0,
      reading: false,
      send: undefined,
      paused: false,
      cancelPause: () => {},
    };
    this.#pump();
  }

  #pump(): void {
    const run = this.#run;
    if (!run || run.reading || run.paused || run.at >= this.#next) return;
    run.reading = true;
    this.#advance(run).then(
      () => {
        run.reading = false;
        // More may have come while the last entry was being read.
        if (this.#may(run)) this.#pump();
      },
      (error: unknown) => {
        run.reading = false;
        this.#refused(run, error);
      },
    );
  }

  #may(run: Run): boolean {
    return run === this.#run && !run.paused && run.inFlight < WINDOW &&
      run.at < this.#next;
  }

  async #advance(run: Run): Promise<void> {
    const send = run.send ??= await this.#events.open(run.connection);
    while (this.#may(run)) {
      const index = run.at++;
      if (this.#settled.has(index)) continue;
      const record = await this.#events.read(index);
      if (run !== this.#run) return;
      if (record) this.#send(run, send, index, record);
    }
  }

  #send(
    run: Run,
    send: Send,
    index: number,
    record: OutgoingRecord,
  ): void {
    run.inFlight++;
    send(record).then(
      () => {
        run.inFlight--;
        this.#failures = 0;
        this.#settle(index, "sent");
        if (run === this.#run) this.#pump();
      },
      (error: unknown) => {
        run.inFlight--;
        this.#refused(run, error, index);
      },
    );
  }

  #settle(index: number, outcome: "sent" | "failed"): void {
    if (this.#ended || index < this.#first || this.#settled.has(index)) return;
    this.#settled.add(index);
    this.#events.settled(index, outcome);
  }

  #refused(run: Run, error: unknown, index?: number): void {
    // Without an answer nothing is known: the next connection sends it again.
    if (error instanceof ConnectionLostError || run !== this.#run) return;
    if (!(error instanceof RelayError)) {
      this.stop();
      this.#events.broken(error);
    } else if (
      error.code === "no-such-queue" || error.code === "unauthorised"
    ) {
      if (this.#events.gone()) return this.#pause(run);
      this.stop();
      this.#deadOn = run.connection;
    } else if (error.code === "unknown-handle") {
      this.#begin(run.connection);
    } else if (TRANSIENT.includes(error.code) || index === undefined) {
      this.#pause(
        run,
        error.code === "unreachable" ? LONGEST_AWAY_MS : undefined,
      );
    } else {
      this.#settle(index, "failed");
      this.#pump();
    }
  }

  /** Waits, then begins again with the first entry that is not settled. */
  #pause(run: Run, longest?: number): void {
    if (run.paused) return;
    run.paused = true;
    const { clock, random } = this.#events;
    run.cancelPause = clock.after(
      backoff(++this.#failures, random.fraction(), longest),
      () => {
        if (run === this.#run) this.#begin(run.connection);
      },
    );
  }
}

/** What a lane does on one connection. */
interface Run {
  readonly connection: Connection;
  /** The next entry to send. */
  at: number;
  inFlight: number;
  reading: boolean;
  send: Send | undefined;
  paused: boolean;
  cancelPause: () => void;
}
