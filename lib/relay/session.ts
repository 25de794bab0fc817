import {
  bindMessage,
  checkWork,
  type Command,
  decodeFrame,
  encodeBindOk,
  encodeFrame,
  encodeJoinOk,
  encodeOpenOk,
  encodeReplacedDetail,
  type ErrorName,
  rendezvousMessage,
  type Role,
  verifyEd25519,
  WireError,
} from "../wire/mod.ts";
import type { Limits } from "./limits.ts";
import type { Queue, QueueReader } from "./queue.ts";
import type { Queues } from "./queues.ts";
import {
  JOINER,
  OPENER,
  type Party,
  type Rendezvous,
  type RendezvousDesk,
  type Side,
} from "./rendezvous.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";
import { TokenBucket } from "./token_bucket.ts";
import type { WorkPrice } from "./work_price.ts";

/** What all connections of a relay share. */
export type SessionContext = {
  queues: Queues;
  desk: RendezvousDesk;
  limits: Limits;
  price: WorkPrice;
  relayKey: Uint8Array;
  now: () => number;
  /** The body of HELLO for a challenge. */
  hello: (challenge: Uint8Array) => Promise<Uint8Array>;
  /** Hears of errors of the relay's own, never of a client's. */
  failed: (error: unknown) => void;
};

type QueueHandle = {
  kind: "queue";
  role: Role;
  queue: Queue;
  reader: QueueReader | undefined;
  replaced: boolean;
};
type PartyHandle = {
  kind: "party";
  side: Side;
  rendezvous: Rendezvous;
  party: Party;
};
type Handle = QueueHandle | PartyHandle;

const NOTHING = new Uint8Array();

/** One connection: commands in, in order, each answered once; pushes out. */
export class Session {
  readonly #context: SessionContext;
  readonly #socket: RelaySocket;
  readonly #challenge = crypto.getRandomValues(new Uint8Array(32));
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;
  /** How many frames beyond the rates are answered so, before the connection is closed. */
  readonly #refusals: TokenBucket;
  readonly #handles = new Map<number, Handle>();
  #nextHandle = 1;
  /** Handles and those about to be given out. */
  #held = 0;
  #inbox: Command[] = [];
  #busy = true; // until HELLO is said
  #deaf = false;
  #outbox: Command[] = [];
  #outboxBytes = 0;
  #stalled = new Set<Queue>();
  #ended: (() => void) | undefined;

  constructor(context: SessionContext, socket: RelaySocket, ended: () => void) {
    this.#context = context;
    this.#socket = socket;
    this.#ended = ended;
    const { framesPerSecond, bytesPerSecond, burstSeconds } = context.limits;
    const now = context.now();
    this.#frames = new TokenBucket(framesPerSecond, burstSeconds, now);
    this.#bytes = new TokenBucket(bytesPerSecond, burstSeconds, now);
    this.#refusals = new TokenBucket(framesPerSecond, burstSeconds, now);
    socket.listen({
      message: (data) => this.#receive(data),
      close: () => this.#end(),
      drained: () => this.#drained(),
    });
    context.hello(this.#challenge).then((body) => {
      this.#say({ type: "HELLO", request: 0, body });
      this.#busy = false;
      this.#work();
    }, (error: unknown) => {
      context.failed(error);
      this.close(CLOSE.tryLater, "busy");
    });
  }

  get open(): boolean {
    return this.#ended !== undefined;
  }

  get room(): boolean {
    return this.#buffered < this.#context.limits.bufferedBytes;
  }

  /** What still comes is not heard; what is under way is still answered. */
  deafen(): void {
    this.#deaf = true;
    this.#inbox = [];
  }

  close(code: number, reason: string): void {
    if (!this.open) return;
    this.#flushOutbox();
    this.#socket.close(code, reason);
    this.#end();
  }

  // Incoming

  #receive(data: Uint8Array | string): void {
    if (!this.open || this.#deaf) return;
    if (typeof data === "string") {
      return this.#refuse("malformed", "text is not spoken here");
    }
    let commands: Command[];
    try {
      commands = decodeFrame(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#refuse("malformed", error.message);
    }
    const now = this.#context.now();
    const allowed = this.#frames.take(1, now) &&
      this.#bytes.take(data.length, now);
    if (!allowed && !this.#refusals.take(1, now)) {
      return this.#refuse("rate", "too many frames");
    }
    for (const command of commands) {
      if (command.request === 0) {
        if (command.type === "NOP") continue;
        return this.#refuse("malformed", "a command without a request number");
      }
      if (!allowed) this.#answer(command.request, "rate");
      else this.#inbox.push(command);
    }
    this.#work();
  }

  /** Commands in order: one that must wait for the disk or a signature holds up those after it. */
  #work(): void {
    while (!this.#busy && this.open) {
      const command = this.#inbox.shift();
      if (command === undefined) return;
      const working = this.#execute(command);
      if (!(working instanceof Promise)) continue;
      this.#busy = true;
      working.catch((error: unknown) => {
        this.#context.failed(error);
        this.#answer(command.request, "busy");
      }).then(() => {
        this.#busy = false;
        this.#work();
      });
    }
  }

  #execute(command: Command): Promise<void> | void {
    const { request } = command;
    switch (command.type) {
      case "PING":
        this.#answer(request, undefined);
        return;
      case "NOP":
        this.#answer(request, undefined);
        return;
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
        this.#answer(request, "unsupported");
        return;
      case "HELLO":
      case "OK":
      case "ERR":
      case "MSG":
      case "REPLACED":
        this.#refuse("malformed", "only a relay says that");
        return;
    }
  }

  // Queues

  async #new(command: Command & { type: "NEW" }): Promise<void> {
    if (!this.#paid(command.request, "NEW", command.sendKey, command.work)) {
      return;
    }
    await this.#context.queues.create(
      command,
      (error) => this.#answer(command.request, error),
    );
  }

  async #bind(command: Command & { type: "BIND" }): Promise<void> {
    const queue = await this.#context.queues.find(command.queue);
    if (queue === undefined) {
      return this.#answer(command.request, "no-such-queue");
    }
    queue.handles++; // before anything else is awaited, so that the queue stays in memory
    let bound = false;
    try {
      const { role, generation, signature } = command;
      const keys = {
        receive: queue.record.receiveKey,
        send: queue.record.sendKey,
        remove: queue.record.removeKey,
      };
      const message = bindMessage(
        this.#challenge,
        this.#context.relayKey,
        command.queue,
        role,
        generation,
      );
      const proven = await verifyEd25519(keys[role], message, signature);
      bound = this.open && this.#bindProven(command, queue, proven);
    } finally {
      if (!bound) queue.handles--;
    }
  }

  /** Returns whether the queue got a new handle. */
  #bindProven(
    command: Command & { type: "BIND" },
    queue: Queue,
    proven: boolean,
  ): boolean {
    const { request, role, generation } = command;
    const refused = this.#refusalToBind(proven, queue, role, generation);
    if (refused !== undefined) {
      this.#refuseBind(request, refused, queue);
      return false;
    }
    const known = this.#findHandle(queue, role);
    const [number, handle] = known ??
      this.#addHandle({
        kind: "queue",
        role,
        queue,
        reader: undefined,
        replaced: false,
      });
    if (role === "receive") {
      this.#subscribe(request, generation, number, handle);
    } else this.#ok(request, encodeBindOk(number));
    return known === undefined;
  }

  /** Takes the queue over once that is durable; the older connection hears of it then. */
  #subscribe(
    request: number,
    generation: number,
    number: number,
    handle: QueueHandle,
  ): void {
    const { queue } = handle;
    queue.claim(generation, (error) => {
      if (!this.open) return;
      // While this was written a higher generation may have come.
      const refused = error ??
        (generation < queue.record.generation ? "replaced" : undefined);
      if (refused !== undefined) {
        return this.#refuseBind(request, refused, queue);
      }
      this.#ok(request, encodeBindOk(number));
      handle.replaced = false;
      handle.reader ??= this.#reader(number, handle);
      queue.attach(handle.reader);
    });
  }

  #refuseBind(request: number, code: ErrorName, queue: Queue): void {
    const detail = code === "replaced"
      ? encodeReplacedDetail(queue.record.generation)
      : NOTHING;
    this.#answer(request, code, detail);
  }

  #refusalToBind(
    proven: boolean,
    queue: Queue,
    role: Role,
    generation: number,
  ): ErrorName | undefined {
    if (!proven) return "unauthorised";
    if (queue.gone) return "no-such-queue";
    if (role === "receive" && generation < queue.record.generation) {
      return "replaced";
    }
    if (this.#findHandle(queue, role) === undefined && !this.#mayHoldMore()) {
      return "full";
    }
    return undefined;
  }

  #reader(number: number, handle: QueueHandle): QueueReader {
    // Getters of an object literal see the object as `this`; the session is meant.
    const hasRoom = () => this.room;
    return {
      get room() {
        return hasRoom();
      },
      push: (seq, id, envelope) =>
        this.#say({
          type: "MSG",
          request: 0,
          handle: number,
          seq,
          id,
          envelope,
        }),
      stalled: (queue) => this.#stalled.add(queue),
      replaced: () => {
        handle.replaced = true;
        this.#say({ type: "REPLACED", request: 0, handle: number });
      },
    };
  }

  #send(command: Command & { type: "SEND" }): void {
    const handle = this.#queueHandle(command, "send");
    handle?.queue.send(
      command.id,
      command.envelope,
      (error) => this.#answer(command.request, error),
    );
  }

  #acknowledge(command: Command & { type: "ACK" }): void {
    const handle = this.#queueHandle(command, "receive");
    if (handle === undefined) return;
    if (handle.replaced) {
      return this.#answer(
        command.request,
        "replaced",
        encodeReplacedDetail(handle.queue.record.generation),
      );
    }
    handle.queue.acknowledge(
      command.seq,
      (error) => this.#answer(command.request, error),
    );
  }

  #delete(command: Command & { type: "DEL" }): void {
    const handle = this.#handles.get(command.handle);
    if (handle?.kind !== "queue") {
      return this.#answer(command.request, "unknown-handle");
    }
    if (handle.role !== "remove") {
      return this.#answer(command.request, "unauthorised");
    }
    this.#context.queues.delete(
      handle.queue,
      (error) => this.#answer(command.request, error),
    );
  }

  /** The handle of a command that needs `role`, or undefined after the refusal was answered. */
  #queueHandle(
    command: { request: number; handle: number },
    role: Role,
  ): QueueHandle | undefined {
    const handle = this.#handles.get(command.handle);
    const error = handle?.kind !== "queue"
      ? "unknown-handle"
      : handle.role !== role
      ? "unauthorised"
      : handle.queue.gone
      ? "no-such-queue"
      : undefined;
    if (error === undefined && handle?.kind === "queue") return handle;
    this.#answer(command.request, error);
    return undefined;
  }

  // Rendezvous

  async #meet(command: Command & { type: "OPEN" | "JOIN" }): Promise<void> {
    const { request, publicKey } = command;
    const side = command.type === "OPEN" ? OPENER : JOINER;
    const nameplate = command.type === "OPEN" ? 0 : command.nameplate;
    if (!this.#paid(request, command.type, publicKey, command.work)) return;
    const name = command.type === "OPEN" ? "open" : "join";
    const message = rendezvousMessage(
      this.#challenge,
      this.#context.relayKey,
      name,
      nameplate,
      publicKey,
    );
    if (!await verifyEd25519(publicKey, message, command.signature)) {
      return this.#answer(request, "unauthorised");
    }
    if (!this.#mayHoldMore()) return this.#answer(request, "full");
    this.#held++;
    const answer = (error: ErrorName | undefined, rendezvous?: Rendezvous) => {
      this.#held--;
      if (error !== undefined || rendezvous === undefined) {
        return this.#answer(request, error ?? "busy");
      }
      if (this.open) this.#attend(request, side, rendezvous);
    };
    if (command.type === "OPEN") this.#context.desk.open(publicKey, answer);
    else this.#context.desk.join(nameplate, publicKey, answer);
  }

  #attend(request: number, side: Side, rendezvous: Rendezvous): void {
    const known = this.#findParty(rendezvous, side);
    const [number, { party }] = known ?? this.#addParty(side, rendezvous);
    const { nameplate, expires } = rendezvous;
    this.#ok(
      request,
      side === OPENER
        ? encodeOpenOk({ handle: number, nameplate, expires })
        : encodeJoinOk({ handle: number, expires }),
    );
    this.#context.desk.attend(rendezvous, side, party).catch(
      this.#context.failed,
    );
  }

  #addParty(side: Side, rendezvous: Rendezvous): [number, PartyHandle] {
    const number = this.#nextHandle;
    return this.#addHandle({
      kind: "party",
      side,
      rendezvous,
      party: {
        pass: (index, bytes) =>
          this.#say({ type: "PASS", request: 0, handle: number, index, bytes }),
        closed: () => this.#say({ type: "CLOSE", request: 0, handle: number }),
        released: () => this.#removeHandle(number),
      },
    });
  }

  #pass(command: Command & { type: "PASS" }): void {
    const handle = this.#handles.get(command.handle);
    if (handle?.kind !== "party") {
      return this.#answer(command.request, "unknown-handle");
    }
    const { rendezvous, side } = handle;
    const answer = (error: ErrorName | undefined) =>
      this.#answer(command.request, error);
    this.#context.desk.pass(
      rendezvous,
      side,
      command.index,
      command.bytes,
      answer,
    );
  }

  #closeRendezvous(command: Command & { type: "CLOSE" }): void {
    const handle = this.#handles.get(command.handle);
    if (handle?.kind !== "party") {
      return this.#answer(command.request, "unknown-handle");
    }
    this.#context.desk.close(
      handle.rendezvous,
      handle.side,
      (error) => this.#answer(command.request, error),
    );
  }

  // What commands share

  /** Whether the proof of work is enough; a refusal is answered with the price. */
  #paid(
    request: number,
    type: "NEW" | "OPEN" | "JOIN",
    key: Uint8Array,
    nonce: bigint,
  ): boolean {
    const now = this.#context.now();
    const bits = this.#context.price.bits(now);
    if (!checkWork({ challenge: this.#challenge, type, key, bits }, nonce)) {
      this.#answer(request, "work", Uint8Array.of(bits));
      return false;
    }
    this.#context.price.count(now);
    return true;
  }

  #mayHoldMore(): boolean {
    return this.#held < this.#context.limits.queuesPerConnection;
  }

  #addHandle<Kind extends Handle>(handle: Kind): [number, Kind] {
    const number = this.#nextHandle++;
    this.#handles.set(number, handle);
    this.#held++;
    return [number, handle];
  }

  #removeHandle(number: number): void {
    if (this.#handles.delete(number)) this.#held--;
  }

  #findHandle(queue: Queue, role: Role): [number, QueueHandle] | undefined {
    for (const [number, handle] of this.#handles) {
      if (
        handle.kind === "queue" && handle.queue === queue &&
        handle.role === role
      ) return [number, handle];
    }
    return undefined;
  }

  #findParty(
    rendezvous: Rendezvous,
    side: Side,
  ): [number, PartyHandle] | undefined {
    for (const [number, handle] of this.#handles) {
      if (
        handle.kind === "party" && handle.rendezvous === rendezvous &&
        handle.side === side
      ) return [number, handle];
    }
    return undefined;
  }

  // Outgoing

  #ok(request: number, body: Uint8Array): void {
    this.#say({ type: "OK", request, body });
  }

  #answer(
    request: number,
    error: ErrorName | undefined,
    detail: Uint8Array = NOTHING,
  ): void {
    if (error === undefined) this.#ok(request, NOTHING);
    else this.#say({ type: "ERR", request, code: error, detail });
  }

  /** What is said in one turn shares frames. */
  #say(command: Command): void {
    if (!this.open) return;
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flushOutbox());
    this.#outbox.push(command);
    this.#outboxBytes += sizeOf(command);
  }

  #flushOutbox(): void {
    if (!this.open || this.#outbox.length === 0) return;
    const commands = this.#outbox;
    this.#outbox = [];
    this.#outboxBytes = 0;
    for (const frame of encodeFrame(commands)) this.#socket.send(frame);
    if (this.#buffered > this.#context.limits.bufferedBytesToClose) {
      this.close(CLOSE.policy, "answers are not read");
    }
  }

  get #buffered(): number {
    return this.#socket.bufferedBytes + this.#outboxBytes;
  }

  #drained(): void {
    const stalled = this.#stalled;
    if (stalled.size === 0) return;
    this.#stalled = new Set();
    for (const queue of stalled) queue.pump();
  }

  /** Says what was wrong and closes: this connection, nothing else. */
  #refuse(code: ErrorName, reason: string): void {
    this.#answer(0, code);
    this.close(CLOSE.policy, reason);
  }

  #end(): void {
    const ended = this.#ended;
    if (ended === undefined) return;
    this.#ended = undefined;
    for (const handle of this.#handles.values()) {
      if (handle.kind === "party") {
        this.#context.desk.leave(handle.rendezvous, handle.side, handle.party);
      } else {
        handle.queue.handles--;
        if (handle.reader !== undefined) handle.queue.detach(handle.reader);
      }
    }
    this.#handles.clear();
    this.#inbox = [];
    this.#outbox = [];
    ended();
  }
}

/** About what a command adds to the bytes on their way. */
function sizeOf(command: Command): number {
  switch (command.type) {
    case "MSG":
      return command.envelope.length + 32;
    case "PASS":
      return command.bytes.length;
    default:
      return 16;
  }
}
