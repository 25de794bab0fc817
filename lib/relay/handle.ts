import type { Command, Role } from "../wire/mod.ts";
import type { Queue, QueueReader } from "./queue.ts";
import type { Party, Rendezvous, Side } from "./rendezvous.ts";

/** Where a handle says things: its session. */
export interface Outlet {
  /** Whether more may be pushed now. */
  readonly room: boolean;
  /** Resolves when there is room, or nobody is there any more. */
  roomAgain(): Promise<void>;
  say(command: Command): void;
  /** Has `queue.pump` called when there is room. */
  stalled(queue: Queue): void;
  /** The handle means nothing any more. */
  release(handle: number): void;
}

/** A connection's handle of a queue. There can be many: it is kept small. */
export class BoundQueue implements QueueReader {
  constructor(
    readonly outlet: Outlet,
    readonly number: number,
    readonly role: Role,
    readonly queue: Queue,
  ) {}

  /** A field of its own would cost every handle 8 bytes. */
  get kind(): "queue" {
    return "queue";
  }

  /** Of a receiver: whether another connection took the queue over. */
  get taken(): boolean {
    return !this.queue.isReadBy(this);
  }

  get room(): boolean {
    return this.outlet.room;
  }

  push(seq: number, id: Uint8Array, envelope: Uint8Array): void {
    this.outlet.say({
      type: "MSG",
      request: 0,
      handle: this.number,
      seq,
      id,
      envelope,
    });
  }

  stalled(): void {
    this.outlet.stalled(this.queue);
  }

  /** Who is connected hears of what comes later. */
  rested(): void {}

  replaced(): void {
    this.outlet.say({ type: "REPLACED", request: 0, handle: this.number });
  }
}

/** A connection's handle of a rendezvous. */
export class BoundParty implements Party {
  readonly kind = "party";

  constructor(
    readonly outlet: Outlet,
    readonly number: number,
    readonly side: Side,
    readonly rendezvous: Rendezvous,
  ) {}

  pass(index: number, bytes: Uint8Array): void {
    this.outlet.say({
      type: "PASS",
      request: 0,
      handle: this.number,
      index,
      bytes,
    });
  }

  closed(): void {
    this.outlet.say({ type: "CLOSE", request: 0, handle: this.number });
  }

  released(): void {
    this.outlet.release(this.number);
  }
}

export type Handle = BoundQueue | BoundParty;
