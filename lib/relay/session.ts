import {
  bindMessage,
  checkWork,
  type Command,
  encodeBindOk,
  encodeJoinOk,
  encodeOpenOk,
  encodeReplacedDetail,
  type ErrorName,
  rendezvousMessage,
  type Role,
  verifyEd25519,
} from "../wire/mod.ts";
import {
  Connection,
  type ConnectionContext,
  type Interpreter,
} from "./connection.ts";
import { BoundParty, BoundQueue, type Handle, type Outlet } from "./handle.ts";
import type { Queue } from "./queue.ts";
import type { Queues } from "./queues.ts";
import {
  JOINER,
  OPENER,
  type Rendezvous,
  type RendezvousDesk,
  type Side,
} from "./rendezvous.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";
import type { WorkPrice } from "./work_price.ts";

/** What all sessions of a relay share. */
export type SessionContext = ConnectionContext & {
  queues: Queues;
  desk: RendezvousDesk;
  price: WorkPrice;
  relayKey: Uint8Array;
  /** The body of HELLO for a challenge. */
  hello: (challenge: Uint8Array) => Promise<Uint8Array>;
};

/** An anonymous command: it costs a proof of work. */
type PaidCommand = Command & { type: "NEW" | "OPEN" | "JOIN" };

/** What one connection may do, and does: its handles, and every command. */
export class Session implements Interpreter, Outlet {
  readonly #context: SessionContext;
  readonly #connection: Connection;
  readonly #challenge = crypto.getRandomValues(new Uint8Array(32));
  readonly #over: () => void;
  readonly #handles = new Map<number, Handle>();
  /** What was paid for with a proof of work, and which nameplate it was for. */
  readonly #paidFor = new Map<string, number>();
  #nextHandle = 1;
  /** Handles, and those about to be given out. */
  #held = 0;
  #stalled: Queue[] = [];

  /** `over` is called once, when the connection has ended. */
  constructor(context: SessionContext, socket: RelaySocket, over: () => void) {
    this.#context = context;
    this.#over = over;
    this.#connection = new Connection(context, socket, this);
    context.hello(this.#challenge).then(
      (body) => this.#connection.greet(body),
      (error: unknown) => {
        context.failed(error);
        this.close(CLOSE.tryLater, "busy");
      },
    );
  }

  deafen(): void {
    this.#connection.deafen();
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }

  /** Ends a connection that only takes up a place. */
  closeIfMute(now: number): void {
    if (this.#connection.isMute(now)) {
      this.close(CLOSE.policy, "nothing was said");
    }
  }

  // For its handles

  get room(): boolean {
    return this.#connection.room;
  }

  say(command: Command): void {
    this.#connection.say(command);
  }

  stalled(queue: Queue): void {
    if (!this.#stalled.includes(queue)) this.#stalled.push(queue);
  }

  release(handle: number): void {
    if (this.#handles.delete(handle)) this.#held--;
  }

  // For its connection

  drained(): void {
    for (const queue of this.#stalled.splice(0)) queue.pump();
  }

  ended(): void {
    for (const handle of this.#handles.values()) {
      if (handle.kind === "party") {
        this.#context.desk.leave(handle.rendezvous, handle.side, handle);
      } else {
        handle.queue.handles--;
        handle.queue.detach(handle);
      }
    }
    this.#handles.clear();
    this.#over();
  }

  execute(command: Command): Promise<void> | void {
    switch (command.type) {
      case "PING":
      case "NOP":
        return this.#connection.ok(command.request);
      case "NEW":
        return this.#new(command);
      case "BIND":
        return this.#bind(command);
      case "SEND":
        return this.#send(command);
      case "ACK":
        return this.#acknowledge(command);
      case "DEL":
        return this.#delete(command);
      case "OPEN":
      case "JOIN":
        return this.#meet(command);
      case "PASS":
        return this.#pass(command);
      case "CLOSE":
        return this.#closeRendezvous(command);
      case "PUT":
      case "GET":
      case "DROP":
      case "TAKE":
      case "FWD":
        return this.#connection.answer(command.request, "unsupported");
      case "HELLO":
      case "OK":
      case "ERR":
      case "MSG":
      case "REPLACED":
        return this.#connection.refuse("malformed", "only a relay says that");
    }
  }

  // Queues

  async #new(command: Command & { type: "NEW" }): Promise<void> {
    if (!this.#paid(command, command.sendKey)) return;
    this.#spend(command, command.sendKey);
    await this.#context.queues.create(command, this.#answerTo(command));
  }

  async #bind(command: Command & { type: "BIND" }): Promise<void> {
    const queue = await this.#context.queues.find(command.queue);
    if (queue === undefined) {
      return this.#connection.answer(command.request, "no-such-queue");
    }
    queue.handles++; // before anything else is awaited, so that the queue stays in memory
    let bound = false;
    try {
      const { role, generation, signature } = command;
      const message = bindMessage(
        this.#challenge,
        this.#context.relayKey,
        command.queue,
        role,
        generation,
      );
      const proven = await verifyEd25519(queue.key(role), message, signature);
      bound = this.#connection.open && this.#bindProven(command, queue, proven);
    } finally {
      if (!bound) queue.handles--;
    }
  }

  /** Returns whether the queue got a new handle. */
  #bindProven(
    { request, role, generation }: Command & { type: "BIND" },
    queue: Queue,
    proven: boolean,
  ): boolean {
    const known = this.#findQueue(queue, role);
    const refused = !proven
      ? "unauthorised"
      : queue.gone
      ? "no-such-queue"
      : role === "receive" && generation < queue.generation
      ? "replaced"
      : known === undefined && !this.#mayHoldMore
      ? "full"
      : undefined;
    if (refused !== undefined) {
      this.#refuseReader(request, refused, queue);
      return false;
    }
    const bound = known ??
      this.#hold(new BoundQueue(this, this.#nextHandle, role, queue));
    if (role === "receive") this.#subscribe(request, generation, bound);
    else this.#connection.ok(request, encodeBindOk(bound.number));
    return known === undefined;
  }

  /** Takes the queue over once that is durable; the older connection hears of it then. */
  #subscribe(request: number, generation: number, bound: BoundQueue): void {
    const { queue, number } = bound;
    queue.claim(generation, (error) => {
      if (!this.#connection.open) return;
      // While this was written a higher generation may have come.
      const refused = error ??
        (generation < queue.generation ? "replaced" : undefined);
      if (refused !== undefined) {
        return this.#refuseReader(request, refused, queue);
      }
      this.#connection.ok(request, encodeBindOk(number));
      bound.taken = false;
      queue.attach(bound);
    });
  }

  #refuseReader(request: number, code: ErrorName, queue: Queue): void {
    const detail = code === "replaced"
      ? encodeReplacedDetail(queue.generation)
      : undefined;
    this.#connection.answer(request, code, detail);
  }

  #send(command: Command & { type: "SEND" }): void {
    const bound = this.#queueHandle(command, "send");
    bound?.queue.send(command.id, command.envelope, this.#answerTo(command));
  }

  #acknowledge(command: Command & { type: "ACK" }): void {
    const bound = this.#queueHandle(command, "receive");
    if (bound === undefined) return;
    if (bound.taken) {
      return this.#refuseReader(command.request, "replaced", bound.queue);
    }
    bound.queue.acknowledge(command.seq, this.#answerTo(command));
  }

  #delete(command: Command & { type: "DEL" }): void {
    const handle = this.#handles.get(command.handle);
    if (handle?.kind !== "queue") {
      return this.#connection.answer(command.request, "unknown-handle");
    }
    if (handle.role !== "remove") {
      return this.#connection.answer(command.request, "unauthorised");
    }
    this.#context.queues.delete(handle.queue, this.#answerTo(command));
  }

  /** The handle of a command that needs `role`, or undefined after the refusal was answered. */
  #queueHandle(
    command: { request: number; handle: number },
    role: Role,
  ): BoundQueue | undefined {
    const handle = this.#handles.get(command.handle);
    if (handle?.kind !== "queue") {
      this.#connection.answer(command.request, "unknown-handle");
    } else if (handle.role !== role) {
      this.#connection.answer(command.request, "unauthorised");
    } else if (handle.queue.gone) {
      this.#connection.answer(command.request, "no-such-queue");
    } else return handle;
    return undefined;
  }

  // Rendezvous

  async #meet(command: Command & { type: "OPEN" | "JOIN" }): Promise<void> {
    const { request, publicKey } = command;
    if (!this.#paid(command, publicKey)) return;
    const [side, nameplate] = command.type === "OPEN"
      ? ["open", 0] as const
      : ["join", command.nameplate] as const;
    const message = rendezvousMessage(
      this.#challenge,
      this.#context.relayKey,
      side,
      nameplate,
      publicKey,
    );
    if (!await verifyEd25519(publicKey, message, command.signature)) {
      return this.#connection.answer(request, "unauthorised");
    }
    this.#spend(command, publicKey);
    if (!this.#mayHoldMore) return this.#connection.answer(request, "full");
    this.#held++;
    const met = (error: ErrorName | undefined, rendezvous?: Rendezvous) => {
      this.#held--;
      if (error !== undefined || rendezvous === undefined) {
        this.#connection.answer(request, error ?? "busy");
      } else if (this.#connection.open) {
        this.#attend(request, side === "open" ? OPENER : JOINER, rendezvous);
      }
    };
    if (side === "open") this.#context.desk.open(publicKey, met);
    else this.#context.desk.join(nameplate, publicKey, met);
  }

  #attend(request: number, side: Side, rendezvous: Rendezvous): void {
    const party = this.#findParty(rendezvous, side) ??
      this.#hold(new BoundParty(this, this.#nextHandle, side, rendezvous));
    const { nameplate, expires } = rendezvous;
    const handle = party.number;
    const body = side === OPENER
      ? encodeOpenOk({ handle, nameplate, expires })
      : encodeJoinOk({ handle, expires });
    this.#connection.ok(request, body);
    this.#context.desk.attend(rendezvous, side, party).catch(
      this.#context.failed,
    );
  }

  #pass(command: Command & { type: "PASS" }): void {
    const party = this.#handles.get(command.handle);
    if (party?.kind !== "party") {
      return this.#connection.answer(command.request, "unknown-handle");
    }
    const { rendezvous, side } = party;
    this.#context.desk.pass(
      rendezvous,
      side,
      command.index,
      command.bytes,
      this.#answerTo(command),
    );
  }

  #closeRendezvous(command: Command & { type: "CLOSE" }): void {
    const party = this.#handles.get(command.handle);
    if (party?.kind !== "party") {
      return this.#connection.answer(command.request, "unknown-handle");
    }
    this.#context.desk.close(
      party.rendezvous,
      party.side,
      this.#answerTo(command),
    );
  }

  // What commands share

  #answerTo({ request }: Command): (error: ErrorName | undefined) => void {
    return (error) => this.#connection.answer(request, error);
  }

  /**
   * Whether the proof of work is enough; a refusal is answered with the price.
   * It pays once: the same command again costs nothing and does not raise the
   * price, and one key does not pay for joining at several nameplates.
   */
  #paid(command: PaidCommand, key: Uint8Array): boolean {
    const { type, work, request } = command;
    const before = this.#paidFor.get(paymentOf(command, key));
    if (before !== undefined) {
      const same = before === nameplateOf(command);
      if (!same) this.#connection.answer(request, "conflict");
      return same;
    }
    const { desk, price, now } = this.#context;
    const bits = price.bits(now(), type === "OPEN" ? desk.surcharge(key) : 0);
    if (!checkWork({ challenge: this.#challenge, type, key, bits }, work)) {
      this.#connection.answer(request, "work", Uint8Array.of(bits));
      return false;
    }
    return true;
  }

  /** Notes what was paid for, once its sender has turned out to be who may ask for it. */
  #spend(command: PaidCommand, key: Uint8Array): void {
    const payment = paymentOf(command, key);
    if (this.#paidFor.has(payment)) return;
    this.#paidFor.set(payment, nameplateOf(command));
    this.#context.price.count(this.#context.now());
  }

  get #mayHoldMore(): boolean {
    return this.#held < this.#context.limits.queuesPerConnection;
  }

  /** Gives out a handle, whose number must be the next. */
  #hold<Kind extends Handle>(handle: Kind): Kind {
    this.#handles.set(this.#nextHandle++, handle);
    this.#held++;
    return handle;
  }

  #findQueue(queue: Queue, role: Role): BoundQueue | undefined {
    for (const handle of this.#handles.values()) {
      if (
        handle.kind === "queue" && handle.queue === queue &&
        handle.role === role
      ) return handle;
    }
    return undefined;
  }

  #findParty(rendezvous: Rendezvous, side: Side): BoundParty | undefined {
    for (const handle of this.#handles.values()) {
      if (
        handle.kind === "party" && handle.rendezvous === rendezvous &&
        handle.side === side
      ) return handle;
    }
    return undefined;
  }
}

function paymentOf({ type }: PaidCommand, key: Uint8Array): string {
  return type + String.fromCharCode(...key);
}

function nameplateOf(command: PaidCommand): number {
  return command.type === "JOIN" ? command.nameplate : 0;
}
