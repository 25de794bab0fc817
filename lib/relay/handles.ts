import type { Role } from "../wire/mod.ts";
import type { BoundParty, BoundQueue, Handle } from "./handle.ts";
import type { Queue } from "./queue.ts";
import type { Rendezvous, Side } from "./rendezvous.ts";

/** The handles of one connection, up to a limit. */
export class Handles {
  readonly #most: number;
  readonly #byNumber = new Map<number, Handle>();
  #next = 1;
  /** Handles, and those about to be given out. */
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get mayHoldMore(): boolean {
    return this.#held < this.#most;
  }

  /** Keeps a place for a handle that may come to nothing, until `letGo`. */
  reserve(): void {
    this.#held++;
  }

  letGo(): void {
    this.#held--;
  }

  /** Gives out the handle that `make` makes of the next number. */
  hold<Kind extends Handle>(make: (number: number) => Kind): Kind {
    const handle = make(this.#next++);
    this.#byNumber.set(handle.number, handle);
    this.#held++;
    return handle;
  }

  get(number: number): Handle | undefined {
    return this.#byNumber.get(number);
  }

  /** The handle means nothing any more. */
  release(number: number): void {
    if (this.#byNumber.delete(number)) this.#held--;
  }

  /** Empties it, and returns what was in it. */
  clear(): Handle[] {
    const handles = [...this.#byNumber.values()];
    this.#byNumber.clear();
    return handles;
  }

  queue(queue: Queue, role: Role): BoundQueue | undefined {
    for (const handle of this.#byNumber.values()) {
      if (
        handle.kind === "queue" && handle.queue === queue &&
        handle.role === role
      ) return handle;
    }
    return undefined;
  }

  party(rendezvous: Rendezvous, side: Side): BoundParty | undefined {
    for (const handle of this.#byNumber.values()) {
      if (
        handle.kind === "party" && handle.rendezvous === rendezvous &&
        handle.side === side
      ) return handle;
    }
    return undefined;
  }
}
