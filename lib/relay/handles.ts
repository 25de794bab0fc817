import type { Role } from "../wire/mod.ts";
import type { BoundParty, BoundQueue, Handle } from "./handle.ts";
import type { Queue } from "./queue.ts";
import type { Rendezvous, Side } from "./rendezvous.ts";

/** The handles of one connection, up to a limit. */
export class Handles {
  readonly #most: number;
  readonly #byNumber = new Map<number, Handle>();
  /** One for each queue and rendezvous that there are handles of: most have one only. */
  readonly #firsts = new Map<Queue | Rendezvous, Handle>();
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
    const subject = subjectOf(handle);
    handle.next = this.#firsts.get(subject);
    this.#firsts.set(subject, handle);
    this.#held++;
    return handle;
  }

  get(number: number): Handle | undefined {
    return this.#byNumber.get(number);
  }

  /** The handle means nothing any more. */
  release(number: number): void {
    const handle = this.#byNumber.get(number);
    if (handle === undefined) return;
    this.#byNumber.delete(number);
    this.#held--;
    const subject = subjectOf(handle);
    const others = [...this.#of(subject)].filter((other) => other !== handle);
    this.#firsts.delete(subject);
    for (const other of others) {
      other.next = this.#firsts.get(subject);
      this.#firsts.set(subject, other);
    }
  }

  /** Empties it, and returns what was in it. */
  clear(): Handle[] {
    const handles = [...this.#byNumber.values()];
    this.#byNumber.clear();
    this.#firsts.clear();
    return handles;
  }

  queue(queue: Queue, role: Role): BoundQueue | undefined {
    for (const handle of this.#of(queue)) {
      if (handle.kind === "queue" && handle.role === role) return handle;
    }
    return undefined;
  }

  party(rendezvous: Rendezvous, side: Side): BoundParty | undefined {
    for (const handle of this.#of(rendezvous)) {
      if (handle.kind === "party" && handle.side === side) return handle;
    }
    return undefined;
  }

  *#of(subject: Queue | Rendezvous): Generator<Handle> {
    let handle = this.#firsts.get(subject);
    for (; handle !== undefined; handle = handle.next) yield handle;
  }
}

function subjectOf(handle: Handle): Queue | Rendezvous {
  return handle.kind === "queue" ? handle.queue : handle.rendezvous;
}
