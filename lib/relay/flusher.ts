import {
  type Elided,
  MAX_COMMIT_BYTES,
  MAX_MUTATIONS,
  type Mutation,
  mutationBytes,
} from "./store.ts";
import type { Kept, StoredBytes } from "./stored_bytes.ts";

/** Of every commit: the figures of what is stored, at most 16 bytes for each day of a year. */
const OWN_MUTATIONS = 1;
const OWN_BYTES = 10_000;

const RETRY_MS = 1_000;

const NOTHING: readonly Kept[] = [];
const NO_CHANGE: readonly Mutation[] = [];

/** Where a flush is written: in the order of time, and what was elided as zeros of the same size. */
export interface Commits {
  /** All or nothing, on disk when it resolves. */
  commit(changes: readonly (Mutation | Elided)[]): Promise<void>;
}

/** The most that may be asked for in one commit. */
export const MAX_TOGETHER = MAX_MUTATIONS - OWN_MUTATIONS;

/** A change on its way to the disk. */
export type Pending = {
  /** In one commit; empty when there is nothing to write. */
  changes: readonly (Mutation | Elided)[];
  /** What it does to the bytes stored. */
  kept: readonly Kept[];
  bytes: number;
  /** Tried again until it succeeds, because memory already says so (deletions, counters). */
  essential: boolean;
  /** Called once: without an error when what was asked is durable. */
  settle(error?: unknown): void;
  state: "waiting" | "writing" | "done";
};

/**
 * Group commit: one commit at a time takes everything that waits, up to the
 * store's limits, and all of it is answered when that commit is on disk. An
 * fsync per message would be 2,000 a second; this is ten times more.
 *
 * First in, first out: of two changes to one key the later one wins.
 */
export class Flusher {
  readonly #store: Commits;
  readonly #stored: StoredBytes;
  readonly #failed: (error: unknown) => void;
  #waiting: Pending[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  #stopping = false;
  #wake: (() => void) | undefined;

  /** `failed` hears of every failed commit. */
  constructor(
    store: Commits,
    stored: StoredBytes,
    failed: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#stored = stored;
    this.#failed = failed;
  }

  /** Bytes accepted and not yet on disk. */
  get unwrittenBytes(): number {
    return this.#waitingBytes;
  }

  /** Queues a change that may fail: `settle` then hears the error. `kept` is counted when it is durable. */
  write(
    mutation: Mutation,
    settle: (error?: unknown) => void,
    kept: readonly Kept[] = NOTHING,
  ): Pending {
    return this.#enqueue([mutation], settle, kept, false);
  }

  /** As `write`, for changes of which all or none may reach the disk: at most `MAX_TOGETHER`. */
  writeTogether(
    mutations: readonly Mutation[],
    settle: (error?: unknown) => void,
    kept: readonly Kept[] = NOTHING,
  ): Pending {
    return this.#enqueue(mutations, settle, kept, false);
  }

  /** Queues a change that is tried until it succeeds; it fails only when the relay stops. */
  writeEventually(
    mutation: Mutation,
    settle: (error?: unknown) => void,
    kept: readonly Kept[] = NOTHING,
  ): Pending {
    return this.#enqueue([mutation], settle, kept, true);
  }

  /** Settles with the next commit, that is, after everything queued before. */
  wait(settle: (error?: unknown) => void): void {
    this.#enqueue(NO_CHANGE, settle, NOTHING, false);
  }

  /** As `wait`, with a commit that takes as long as if the mutation were in it. */
  pretend(mutation: Mutation, settle: (error?: unknown) => void): void {
    this.elide(this.#enqueue([mutation], settle, NOTHING, false));
  }

  /**
   * Takes a change back that is not being written yet. It is still settled with
   * the commit it would have been in, which writes as many zeros instead and
   * takes as long. Returns false when it is too late.
   */
  elide(pending: Pending): boolean {
    if (pending.state !== "waiting") return false;
    pending.changes = pending.changes.map((change) =>
      "elided" in change ? change : { elided: change }
    );
    this.#stored.settle(pending.kept);
    pending.kept = NOTHING;
    return true;
  }

  /** Writes everything that waits, then resolves; what is queued later is refused. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
  }

  #enqueue(
    mutations: readonly Mutation[],
    settle: (error?: unknown) => void,
    kept: readonly Kept[],
    essential: boolean,
  ): Pending {
    let bytes = 0;
    for (const mutation of mutations) bytes += mutationBytes(mutation);
    const pending: Pending = {
      changes: mutations,
      kept,
      bytes,
      essential,
      settle,
      state: "waiting",
    };
    this.#stored.reserve(kept);
    if (this.#stopping && this.#running === undefined) {
      queueMicrotask(() =>
        this.#settle(pending, new Error("the relay has stopped"))
      );
      return pending;
    }
    this.#waiting.push(pending);
    this.#waitingBytes += bytes;
    this.#running ??= this.#run();
    return pending;
  }

  async #run(): Promise<void> {
    // Commands of the same frame, and of frames that came together, share the commit.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      const change = this.#stored.change(batch.flatMap(({ kept }) => kept));
      try {
        await this.#store.commit([
          ...batch.flatMap(({ changes }) => changes),
          change.mutation,
        ]);
      } catch (error) {
        this.#failed(error);
        await this.#giveBack(batch, error);
        continue;
      }
      change.done();
      for (const pending of batch) this.#settle(pending);
    }
    // In the same turn as the last look at what waits, so that nothing queued next is left lying.
    this.#running = undefined;
  }

  #take(): Pending[] {
    let mutations = 0;
    let bytes = 0;
    let count = 0;
    for (const pending of this.#waiting) {
      const many = pending.changes.length;
      const more = pending.bytes;
      if (
        mutations + many > MAX_TOGETHER ||
        bytes + more > MAX_COMMIT_BYTES - OWN_BYTES
      ) break;
      mutations += many;
      bytes += more;
      count++;
    }
    const batch = this.#waiting.splice(0, count);
    for (const pending of batch) {
      pending.state = "writing";
      this.#waitingBytes -= pending.bytes;
    }
    return batch;
  }

  /** After a failure: what may fail is told so, the rest waits for a moment and goes first. */
  async #giveBack(batch: Pending[], error: unknown): Promise<void> {
    const again = batch.filter((pending) =>
      pending.essential && !this.#stopping
    );
    for (const pending of batch) {
      if (!again.includes(pending)) this.#settle(pending, error);
    }
    if (again.length === 0) return;
    for (const pending of again) {
      pending.state = "waiting";
      this.#waitingBytes += pending.bytes;
    }
    this.#waiting = [...again, ...this.#waiting];
    await new Promise<void>((resume) => {
      const timer = setTimeout(resume, RETRY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resume();
      };
    });
    this.#wake = undefined;
  }

  #settle(pending: Pending, error?: unknown): void {
    pending.state = "done";
    this.#stored.settle(pending.kept);
    pending.settle(error);
  }
}
