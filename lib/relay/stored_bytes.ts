import { decodeStored, encodeStored } from "./records.ts";
import type { Mutation, Store } from "./store.ts";

const KEY = ["stored"] as const;

const DAY_MS = 86_400_000;

/** Bytes that are kept from now on or, when negative, no longer; and when the store forgets them by itself (ms). */
export type Kept = {
  bytes: number;
  expires: number;
  /** Of blobs and pools, which have a limit of their own beside the common one. */
  blob?: true;
};

/** What is kept, in all and of that in blobs. */
export type Figures = {
  all: ReadonlyMap<number, number>;
  blobs: ReadonlyMap<number, number>;
};

const NOTHING: Figures = { all: new Map(), blobs: new Map() };

/**
 * How much lies in the store, against a limit. The figure is itself a record, written in the same
 * commit as what it counts: true after any crash, and there at once when the relay opens. It is kept
 * by the day on which things expire, because the store lets them go without a word.
 */
export class StoredBytes {
  readonly #limit: number;
  readonly #now: () => number;
  /** Durable bytes by the day since 1970 at whose beginning all of them have expired. */
  #days: Figures;
  #total = 0;
  #blobs = 0;
  /** The day that the totals were added up on. */
  #today = -1;
  /** Bytes on their way to the disk. */
  #reserved = 0;
  #reservedBlobs = 0;

  private constructor(days: Figures, limit: number, now: () => number) {
    this.#days = days;
    this.#limit = limit;
    this.#now = now;
  }

  static async open(
    store: Store,
    limit: number,
    now: () => number,
  ): Promise<StoredBytes> {
    const record = await store.get(KEY);
    const days = record === undefined ? NOTHING : decodeStored(record);
    return new StoredBytes(days, limit, now);
  }

  /** The record of a store in which nothing is kept but this. */
  static record(kept: readonly Kept[], now: () => number): Mutation {
    return new StoredBytes(NOTHING, 0, now).change(kept).mutation;
  }

  /** Bytes on disk and on their way there. */
  get total(): number {
    this.#addUp();
    return this.#total + this.#reserved;
  }

  /** Of these, what blobs and pools take. */
  get blobs(): number {
    this.#addUp();
    return this.#blobs + this.#reservedBlobs;
  }

  hasRoom(bytes: number): boolean {
    return this.total + bytes <= this.#limit;
  }

  /** What part of the room is left, 0 to 1. */
  get free(): number {
    return Math.max(0, 1 - this.total / Math.max(1, this.#limit));
  }

  /** Bits of work that something new costs on top: one when half of the room is taken, another for each halving of the rest. */
  get surcharge(): number {
    return Math.floor(-Math.log2(Math.max(2 ** -24, this.free)));
  }

  /** Counts what is about to be written, until `settle`. */
  reserve(kept: readonly Kept[]): void {
    this.#reserved += added(kept);
    this.#reservedBlobs += added(kept.filter(({ blob }) => blob));
  }

  /** What was reserved is written, and counted as such, or never will be. */
  settle(kept: readonly Kept[]): void {
    this.#reserved -= added(kept);
    this.#reservedBlobs -= added(kept.filter(({ blob }) => blob));
  }

  /** The record to commit together with `kept`, and what to do once that is on disk. */
  change(kept: readonly Kept[]): { mutation: Mutation; done: () => void } {
    const days = {
      all: this.#after(this.#days.all, kept),
      blobs: this.#after(this.#days.blobs, kept.filter(({ blob }) => blob)),
    };
    return {
      mutation: { key: KEY, value: encodeStored(days) },
      done: () => {
        this.#days = days;
        this.#today = -1;
      },
    };
  }

  #after(
    before: ReadonlyMap<number, number>,
    kept: readonly Kept[],
  ): Map<number, number> {
    const today = this.#day();
    const days = new Map([...before].filter(([day]) => day > today));
    for (const { bytes, expires } of kept) {
      const day = Math.floor(expires / DAY_MS) + 1;
      // What has expired is not counted any more, whoever deletes it.
      if (day <= today) continue;
      if (bytes > 0) days.set(day, (days.get(day) ?? 0) + bytes);
      else take(days, day, -bytes);
    }
    return days;
  }

  #addUp(): void {
    const today = this.#day();
    if (today === this.#today) return;
    this.#today = today;
    this.#total = sumFrom(this.#days.all, today);
    this.#blobs = sumFrom(this.#days.blobs, today);
  }

  #day(): number {
    return Math.floor(this.#now() / DAY_MS);
  }
}

/** Of what has not expired today. */
function sumFrom(days: ReadonlyMap<number, number>, today: number): number {
  let sum = 0;
  for (const [day, bytes] of days) if (day > today) sum += bytes;
  return sum;
}

/** Takes bytes from a day and, when a clock that was wrong put them elsewhere, from the latest ones. */
function take(days: Map<number, number>, day: number, bytes: number): void {
  const there = days.get(day) ?? 0;
  if (there > bytes) days.set(day, there - bytes);
  else days.delete(day);
  const missing = bytes - Math.min(there, bytes);
  if (missing > 0 && days.size > 0) {
    take(days, Math.max(...days.keys()), missing);
  }
}

function added(kept: readonly Kept[]): number {
  let bytes = 0;
  for (const one of kept) bytes += Math.max(0, one.bytes);
  return bytes;
}
