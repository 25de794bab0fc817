import { MOST_COLLECTED, type Waiting, waitingSize } from "../wire/mod.ts";
import type { Queue, QueueReader } from "./queue.ts";

/**
 * What waits in a queue, in order, as much as fits one answer. Whoever read it before does no more. The queue
 * has to be in use while this goes on.
 */
export function collect(queue: Queue): Promise<Waiting[]> {
  return new Promise((resolve) => {
    const collector = new Collector(() => {
      queue.detach(collector);
      resolve(collector.collected);
    });
    queue.attach(collector);
  });
}

/** Reads a queue until the answer is full, or nothing more is there. */
class Collector implements QueueReader {
  readonly collected: Waiting[] = [];
  readonly #end: () => void;
  #left = MOST_COLLECTED;

  constructor(end: () => void) {
    this.#end = end;
  }

  /** How much one more takes shows when it is there: the first that does not fit is left for the next answer. */
  get room(): boolean {
    return this.#left >= 0;
  }

  push(seq: number, id: Uint8Array, envelope: Uint8Array): void {
    this.#left -= waitingSize(envelope.length);
    if (this.room) this.collected.push({ seq, id, envelope });
  }

  stalled(): void {
    this.#end();
  }

  rested(): void {
    this.#end();
  }

  replaced(): void {
    this.#end();
  }
}
