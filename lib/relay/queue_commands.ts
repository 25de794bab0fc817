import {
  bindMessage,
  type Command,
  encodeBindOk,
  encodeReplacedDetail,
  type ErrorName,
  type Role,
  verifyEd25519,
} from "../wire/mod.ts";
import { BoundQueue } from "./handle.ts";
import type { Queue } from "./queue.ts";
import { answerTo, isAdmitted, isPaid, type Visit } from "./visit.ts";

/** NEW, BIND, SEND, ACK and DEL of one connection. */
export class QueueCommands {
  readonly #visit: Visit;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  async create(command: Command & { type: "NEW" }): Promise<void> {
    const { context, payments } = this.#visit;
    if (!isAdmitted(this.#visit, command.request)) return;
    const payment = {
      type: command.type,
      key: command.sendKey,
      work: command.work,
      purpose: "",
      extra: context.queues.surcharge,
      weight: 1,
    };
    if (!isPaid(this.#visit, command.request, payment)) return;
    payments.spend(payment);
    await context.queues.create(command, answerTo(this.#visit, command));
  }

  async bind(command: Command & { type: "BIND" }): Promise<void> {
    const { context, connection, challenge } = this.#visit;
    const queue = await context.queues.find(command.queue);
    if (queue === undefined) {
      return connection.answer(command.request, "no-such-queue");
    }
    queue.handles++; // before anything else is awaited, so that the queue stays in memory
    let bound = false;
    try {
      const { role, generation, signature } = command;
      const message = bindMessage(
        challenge,
        context.relayKey,
        command.queue,
        role,
        generation,
      );
      const proven = await verifyEd25519(queue.key(role), message, signature);
      bound = connection.open && this.#bindProven(command, queue, proven);
    } finally {
      if (!bound) queue.handles--;
    }
  }

  send(command: Command & { type: "SEND" }): void {
    const bound = this.#handle(command, "send");
    bound?.queue.send(
      command.id,
      command.envelope,
      answerTo(this.#visit, command),
    );
  }

  acknowledge(command: Command & { type: "ACK" }): void {
    const bound = this.#handle(command, "receive");
    if (bound === undefined) return;
    if (bound.taken) {
      return this.#refuseReader(command.request, "replaced", bound.queue);
    }
    bound.queue.acknowledge(command.seq, answerTo(this.#visit, command));
  }

  delete(command: Command & { type: "DEL" }): void {
    const { context, connection, handles } = this.#visit;
    const handle = handles.get(command.handle);
    if (handle?.kind !== "queue") {
      return connection.answer(command.request, "unknown-handle");
    }
    if (handle.role !== "remove") {
      return connection.answer(command.request, "unauthorised");
    }
    context.queues.delete(handle.queue, answerTo(this.#visit, command));
  }

  /** Returns whether the queue got a new handle. */
  #bindProven(
    { request, role, generation }: Command & { type: "BIND" },
    queue: Queue,
    proven: boolean,
  ): boolean {
    const { connection, handles, outlet } = this.#visit;
    const known = handles.queue(queue, role);
    const refused = !proven
      ? "unauthorised"
      : queue.gone
      ? "no-such-queue"
      : role === "receive" && generation < queue.generation
      ? "replaced"
      : known === undefined
      ? handles.refusal
      : undefined;
    if (refused !== undefined) {
      this.#refuseReader(request, refused, queue);
      return false;
    }
    const bound = known ??
      handles.hold((number) => new BoundQueue(outlet, number, role, queue));
    if (role === "receive") this.#subscribe(request, generation, bound);
    else connection.ok(request, encodeBindOk(bound.number));
    return known === undefined;
  }

  /** Takes the queue over once that is durable; the older connection hears of it then. */
  #subscribe(request: number, generation: number, bound: BoundQueue): void {
    const { connection } = this.#visit;
    const { queue, number } = bound;
    queue.claim(generation, (error) => {
      if (!connection.open) return;
      // While this was written a higher generation may have come.
      const refused = error ??
        (generation < queue.generation ? "replaced" : undefined);
      if (refused !== undefined) {
        return this.#refuseReader(request, refused, queue);
      }
      connection.ok(request, encodeBindOk(number));
      queue.attach(bound);
    });
  }

  #refuseReader(request: number, code: ErrorName, queue: Queue): void {
    const detail = code === "replaced"
      ? encodeReplacedDetail(queue.generation)
      : undefined;
    this.#visit.connection.answer(request, code, detail);
  }

  /** The handle of a command that needs `role`, or undefined after the refusal was answered. */
  #handle(
    command: { request: number; handle: number },
    role: Role,
  ): BoundQueue | undefined {
    const { connection, handles } = this.#visit;
    const handle = handles.get(command.handle);
    if (handle?.kind !== "queue") {
      connection.answer(command.request, "unknown-handle");
    } else if (handle.role !== role) {
      connection.answer(command.request, "unauthorised");
    } else if (handle.queue.gone) {
      connection.answer(command.request, "no-such-queue");
    } else return handle;
    return undefined;
  }
}
