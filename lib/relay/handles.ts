import type { ErrorName, Role } from "../wire/mod.ts";
import type { BoundParty, BoundQueue, Handle } from "./handle.ts";
import type { Limits } from "./limits.ts";
import type { Queue } from "./queue.ts";
import type { Rendezvous, Side } from "./rendezvous.ts";

/** Handles of all connections together. */
export type HeldInAll = { handles: number };

/**
 * The handles of one connection, up to a limit: an array, which takes 8 bytes for each where a map takes
 * forty. To look for a queue in all of it takes less than the signature that was verified before.
 */
export class Handles {
  readonly #limits: Limits;
  readonly #inAll: HeldInAll;
  /** By number: those that are given out rise. */
  #given: Handle[] = [];
  #next = 1;
  /** Handles, and those about to be given out. */
  #held = 0;

  constructor(limits: Limits, inAll: HeldInAll) {
    this.#limits = limits;
    this.#inAll = inAll;
  }

  /** Why it may not hold one more. When all together hold too many, those may that have less than an even share. */
  get refusal(): ErrorName | undefined {
    const { queuesPerConnection, queuesInAll, connections } = this.#limits;
    if (this.#held >= queuesPerConnection) return "full";
    return this.#inAll.handles >= queuesInAll &&
        this.#held >= Math.floor(queuesInAll / connections)
      ? "busy"
      : undefined;
  }

  /** Keeps a place for a handle that may come to nothing, until `letGo`. */
  reserve(): void {
    this.#count(1);
  }

  letGo(): void {
    this.#count(-1);
  }

  /** Gives out the handle that `make` makes of the next number. */
  hold<Kind extends Handle>(make: (number: number) => Kind): Kind {
    const handle = make(this.#next++);
    this.#given.push(handle);
    this.#count(1);
    return handle;
  }

  get(number: number): Handle | undefined {
    return this.#given[this.#indexOf(number)];
  }

  /** The handle means nothing any more. */
  release(number: number): void {
    const index = this.#indexOf(number);
    if (index < 0) return;
    this.#given.splice(index, 1);
    this.#count(-1);
  }

  /** Empties it, and returns what was in it. */
  clear(): Handle[] {
    const handles = this.#given;
    this.#given = [];
    this.#count(-handles.length);
    return handles;
  }

  queue(queue: Queue, role: Role): BoundQueue | undefined {
    for (const handle of this.#given) {
      if (
        handle.kind === "queue" && handle.queue === queue &&
        handle.role === role
      ) return handle;
    }
    return undefined;
  }

  party(rendezvous: Rendezvous, side: Side): BoundParty | undefined {
    for (const handle of this.#given) {
      if (
        handle.kind === "party" && handle.rendezvous === rendezvous &&
        handle.side === side
      ) return handle;
    }
    return undefined;
  }

  #count(more: number): void {
    this.#held += more;
    this.#inAll.handles += more;
  }

  /** Where the handle of this number is, or -1. */
  #indexOf(number: number): number {
    let low = 0;
    let high = this.#given.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#given[middle].number < number) low = middle + 1;
      else high = middle;
    }
    return this.#given[low]?.number === number ? low : -1;
  }
}
