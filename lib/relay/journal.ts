import { decodeBlock, encodeBlocks } from "./journal_block.ts";
import { Overlay } from "./overlay.ts";
import {
  type Elided,
  MAX_COMMIT_BYTES,
  MAX_MUTATIONS,
  type Mutation,
  mutationBytes,
  type Store,
  type StoreKey,
} from "./store.ts";

/** Where the blocks lie, in the order they were written. */
export const JOURNAL = "j";

/** How much is put in its place in one commit while there is time: short, so that senders wait little. */
const STEP_MUTATIONS = 128;

const RETRY_MS = 1_000;

export type JournalOptions = {
  /** How long what was committed stays in the journal alone, in ms: what is deleted by then never gets to its place. */
  rest: number;
  /** Bytes of memory from which on nothing rests. */
  restBytes: number;
};

export const JOURNAL_DEFAULTS: JournalOptions = {
  rest: 2_000,
  restBytes: 16 * 1024 * 1024,
};

/**
 * A store that is written in the order of time. Keys of queues lie scattered all over a database, and
 * to write there is what takes a disk long. So a commit appends one block, or a few, that hold all of it;
 * a while later what is then still wanted is put in its place, in the order of the keys, and the blocks
 * are deleted. Until then memory has it, and after a crash the blocks do.
 *
 * Two commits of as many bytes look alike to the disk, whatever is in them.
 */
export class Journal implements Store {
  readonly #base: Store;
  readonly #failed: (error: unknown) => void;
  readonly #options: JournalOptions;
  #next: number;
  /** What was committed since the last round began. */
  #current = new Overlay();
  #blocks: number[] = [];
  /** What is being put in its place. */
  #moving: Overlay | undefined;
  #movingBlocks: number[] = [];
  /** Blocks whose commit failed, which may be there all the same: the next commit deletes them, before what it says is older. */
  readonly #doubtful: number[] = [];
  #round: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  private constructor(
    base: Store,
    next: number,
    failed: (error: unknown) => void,
    options: JournalOptions,
  ) {
    this.#base = base;
    this.#next = next;
    this.#failed = failed;
    this.#options = options;
  }

  /** Reads what a crash left in the blocks of `base`. `failed` hears when something cannot be put in its place yet. */
  static async open(
    base: Store,
    failed: (error: unknown) => void,
    options: Partial<JournalOptions> = {},
  ): Promise<Journal> {
    const left = new Overlay();
    const blocks: number[] = [];
    for (let start = 0;;) {
      const page = await base.list([JOURNAL], { start, limit: 100 });
      for (const { key, value } of page) {
        const number = key[1];
        if (typeof number !== "number") continue; // `list` gives numbers only
        blocks.push(number);
        start = number + 1;
        // Nothing is fresh here: a round that the crash cut short may have put it in its place.
        for (const mutation of decodeBlock(value)) left.put(mutation);
      }
      if (page.length < 100) break;
    }
    const next = (blocks.at(-1) ?? 0) + 1;
    const journal = new Journal(base, next, failed, {
      ...JOURNAL_DEFAULTS,
      ...options,
    });
    journal.#current = left;
    journal.#blocks = blocks;
    journal.#schedule();
    return journal;
  }

  async get(key: StoreKey): Promise<Uint8Array | undefined> {
    const changed = this.#current.get(key) ?? this.#moving?.get(key);
    return changed !== undefined ? changed.value : await this.#base.get(key);
  }

  async list(
    prefix: StoreKey,
    { start = 0, limit }: { start?: number; limit: number },
  ): Promise<{ key: StoreKey; value: Uint8Array }[]> {
    const changed = this.#moving?.below(prefix, start) ??
      new Map<number, Mutation>();
    for (const [last, mutation] of this.#current.below(prefix, start)) {
      changed.set(last, mutation);
    }
    const more = limit + changed.size; // each change can take one away
    const page = await this.#base.list(prefix, { start, limit: more });
    if (page.some(({ key }) => key.length !== prefix.length + 1)) {
      // What is not in its place yet would not be found.
      throw new TypeError("only keys of one part more are listed");
    }
    if (changed.size === 0) return page;
    // Behind the end of a full page there may be what this page does not show.
    const end = page.length === more ? lastOf(page[more - 1].key) : Infinity;
    const found = new Map(page.map((entry) => [lastOf(entry.key), entry]));
    for (const [last, { key, value }] of changed) {
      if (value === undefined) found.delete(last);
      else if (last <= end) found.set(last, { key, value });
    }
    return [...found].sort(([a], [b]) => a - b).slice(0, limit)
      .map(([, entry]) => entry);
  }

  /** Puts everything in its place first. */
  async *scan(
    prefix: StoreKey,
  ): AsyncGenerator<{ key: StoreKey; value: Uint8Array }> {
    while (this.#dirty) {
      if (!await this.#move()) throw new Error("the store cannot be written");
    }
    yield* this.#base.scan(prefix);
  }

  async commit(changes: readonly (Mutation | Elided)[]): Promise<void> {
    // The disk does not keep up: whoever waits for this commit waits for it.
    while (
      this.#round !== undefined &&
      this.#current.bytes > this.#options.restBytes
    ) {
      if (!await this.#round) throw new Error("the journal is full");
    }
    const { blocks, mutations } = encodeBlocks(changes);
    const numbers = blocks.map(() => this.#next++);
    const doubtful = this.#doubtful.splice(0);
    try {
      await this.#base.commit([
        ...doubtful.map((number) => ({ key: [JOURNAL, number] })),
        ...blocks.map((value, i) => ({ key: [JOURNAL, numbers[i]], value })),
      ]);
    } catch (error) {
      this.#doubtful.push(...doubtful, ...numbers);
      throw error;
    }
    for (const mutation of mutations) this.#current.put(mutation);
    this.#blocks.push(...numbers);
    this.#schedule();
  }

  /**
   * Puts in their places what can be within `patience` ms; the rest is done at the next opening.
   * Nothing may be committed any more.
   */
  async close(patience = Infinity): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const end = performance.now() + patience;
    while (this.#dirty && performance.now() < end) {
      if (!await this.#move(end)) return;
    }
  }

  get #dirty(): boolean {
    return this.#blocks.length > 0 || this.#moving !== undefined;
  }

  #schedule(): void {
    if (this.#closed || this.#round !== undefined || !this.#dirty) return;
    if (this.#current.bytes > this.#options.restBytes) {
      void this.#move();
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => void this.#move(), this.#options.rest);
      Deno.unrefTimer(this.#timer);
    }
  }

  /** A round: what was committed before it began is put in its place. Resolves to whether all of it was. */
  #move(end = Infinity): Promise<boolean> {
    this.#round ??= this.#moveAll(end).catch((error: unknown) => {
      this.#failed(error);
      return false;
    }).finally(() => {
      this.#round = undefined;
    }).then((whole) => {
      if (whole) this.#schedule();
      else this.#again();
      return whole;
    });
    return this.#round;
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#move(), RETRY_MS);
    Deno.unrefTimer(this.#timer);
  }

  async #moveAll(end: number): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One that failed is gone through again.
    if (this.#moving === undefined) {
      this.#moving = this.#current;
      this.#movingBlocks = this.#blocks;
      this.#current = new Overlay();
      this.#blocks = [];
    }
    for (const step of this.#steps(this.#moving.inOrder())) {
      if (performance.now() > end) return false;
      await this.#base.commit(step);
    }
    // The oldest first: what a crash leaves ends, gone through again, where it ended before.
    const blocks = this.#movingBlocks.map((number) => ({
      key: [JOURNAL, number],
    }));
    for (const step of this.#steps(blocks)) await this.#base.commit(step);
    this.#moving = undefined;
    this.#movingBlocks = [];
    return true;
  }

  /** In commits that are short while nobody waits for the end of the round. */
  *#steps(mutations: Iterable<Mutation>): Generator<Mutation[]> {
    let step: Mutation[] = [];
    let bytes = 0;
    for (const mutation of mutations) {
      const pressed = this.#closed ||
        this.#current.bytes > this.#options.restBytes / 2;
      const more = mutationBytes(mutation);
      if (
        step.length >= (pressed ? MAX_MUTATIONS : STEP_MUTATIONS) ||
        bytes + more > MAX_COMMIT_BYTES
      ) {
        yield step;
        step = [];
        bytes = 0;
      }
      step.push(mutation);
      bytes += more;
    }
    if (step.length > 0) yield step;
  }
}

function lastOf(key: StoreKey): number {
  const last = key[key.length - 1];
  if (typeof last !== "number") {
    throw new TypeError("only keys that end in a number are listed");
  }
  return last;
}
