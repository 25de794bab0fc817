import type { Pending } from "./flusher.ts";
import type { Answer } from "./queue_context.ts";

/** Ids of messages already acknowledged that a queue in memory still recognises. */
const RECENT_IDS = 64;

/** A message that waits, and what is under way with it. */
export type Entry = {
  seq: number;
  id: string;
  size: number;
  expires: number;
  /** The record while it is not durable; afterwards the store has it. */
  record: Uint8Array | undefined;
  pending: Pending | undefined;
  /** Its deletion, on its way to the disk. */
  removal: Pending | undefined;
  /** Senders that wait for OK. */
  answers: Answer[];
};

/** The messages that wait in one queue, in the order of their seqs. What is taken is recognised for a while. */
export class Mail {
  #entries: Entry[] = [];
  readonly #byId = new Map<string, Entry>();
  /** Made when something is taken: of many queues nothing is. */
  #recent: Set<string> | undefined;
  #bytes = 0;
  /** The last seq that its reader was told; -1 before the first. */
  cursor = -1;
  /** What comes next is being read from the store. */
  reading = false;

  get count(): number {
    return this.#entries.length;
  }

  /** Of all envelopes. */
  get bytes(): number {
    return this.#bytes;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#byId.set(entry.id, entry);
    this.#bytes += entry.size;
  }

  find(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Whether it still waits. */
  has(entry: Entry): boolean {
    return this.#byId.get(entry.id) === entry;
  }

  /** Whether it is one of the last that were taken. */
  recognises(id: string): boolean {
    return this.#recent?.has(id) ?? false;
  }

  takeUpTo(seq: number): Entry[] {
    return this.#take(this.#indexAfter(seq));
  }

  /** Those at the front that have expired. */
  takeExpired(now: number): Entry[] {
    let count = 0;
    while (
      count < this.#entries.length && this.#entries[count].expires <= now
    ) count++;
    return this.#take(count);
  }

  takeAll(): Entry[] {
    return this.#take(this.#entries.length);
  }

  /** Of a message that the store does not have: a sender may repeat it. */
  forget(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#byId.delete(entry.id);
    this.#bytes -= entry.size;
  }

  /** The first after `seq`. */
  after(seq: number): Entry | undefined {
    return this.#entries[this.#indexAfter(seq)];
  }

  /** Those after `seq`: one, and as many more as are begun before `bytes` are full. */
  batchAfter(seq: number, bytes: number): Entry[] {
    const start = this.#indexAfter(seq);
    let end = start;
    for (
      let sum = 0;
      end < this.#entries.length && (end === start || sum < bytes);
      end++
    ) sum += this.#entries[end].size;
    return this.#entries.slice(start, end);
  }

  #take(count: number): Entry[] {
    if (count === 0) return [];
    const taken = this.#entries.splice(0, count);
    const recent = this.#recent ??= new Set();
    for (const { id, size } of taken) {
      this.#byId.delete(id);
      this.#bytes -= size;
      recent.add(id);
      if (recent.size <= RECENT_IDS) continue;
      for (const oldest of recent) {
        recent.delete(oldest);
        break;
      }
    }
    return taken;
  }

  /** Where the first entry after `seq` is. */
  #indexAfter(seq: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle].seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
