import type { Command } from "../wire/mod.ts";
import { AccessCommand } from "./access_command.ts";
import { BlobCommands } from "./blob_commands.ts";
import { Connection, type Interpreter } from "./connection.ts";
import { ForwardCommands } from "./forward_commands.ts";
import { ForwardDoor } from "./forward_door.ts";
import type { Outlet } from "./handle.ts";
import { Handles } from "./handles.ts";
import { Payments } from "./payments.ts";
import type { Queue } from "./queue.ts";
import { QueueCommands } from "./queue_commands.ts";
import { RendezvousCommands } from "./rendezvous_commands.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";
import type { SessionContext, Visit } from "./visit.ts";

/** One connection: greets it, hands each command to who carries it out, and cleans up when it is over. */
export class Session implements Interpreter, Outlet {
  readonly #context: SessionContext;
  readonly #connection: Connection;
  readonly #over: () => void;
  readonly #handles: Handles;
  readonly #queues: QueueCommands;
  readonly #rendezvous: RendezvousCommands;
  readonly #blobs: BlobCommands;
  readonly #access: AccessCommand;
  readonly #forward: ForwardCommands;
  /** Undefined until HELLO is said. */
  #door: ForwardDoor | undefined;
  #stalled: Queue[] = [];
  #awaitingRoom: (() => void)[] = [];

  /** `publicUrl`: the origin that it came by. `over` is called once, when the connection has ended. */
  constructor(
    context: SessionContext,
    socket: RelaySocket,
    publicUrl: string,
    over: () => void,
  ) {
    const challenge = context.random(32);
    this.#context = context;
    this.#over = over;
    this.#connection = new Connection(context, socket, this);
    this.#handles = new Handles(context.limits, context.held);
    const visit: Visit = {
      context,
      connection: this.#connection,
      outlet: this,
      challenge,
      handles: this.#handles,
      payments: new Payments(challenge, context.price, context.now),
      admitted: context.accessKey === undefined,
    };
    this.#queues = new QueueCommands(visit);
    this.#rendezvous = new RendezvousCommands(visit);
    this.#blobs = new BlobCommands(visit);
    this.#access = new AccessCommand(visit);
    this.#forward = new ForwardCommands(visit);
    context.hello(challenge, publicUrl).then(
      ({ body, day }) => {
        this.#door = new ForwardDoor(
          context,
          this.#connection,
          this,
          challenge,
          day,
        );
        this.#connection.greet(body);
      },
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

  roomAgain(): Promise<void> {
    if (this.room || !this.#connection.open) return Promise.resolve();
    return new Promise((resume) => this.#awaitingRoom.push(resume));
  }

  say(command: Command): void {
    this.#connection.say(command);
  }

  stalled(queue: Queue): void {
    if (!this.#stalled.includes(queue)) this.#stalled.push(queue);
  }

  release(handle: number): void {
    this.#handles.release(handle);
  }

  // For its connection

  drained(): void {
    for (const resume of this.#awaitingRoom.splice(0)) resume();
    for (const queue of this.#stalled.splice(0)) queue.pump();
  }

  ended(): void {
    for (const resume of this.#awaitingRoom.splice(0)) resume();
    for (const handle of this.#handles.clear()) {
      if (handle.kind === "party") {
        this.#context.desk.leave(handle.rendezvous, handle.side, handle);
      } else {
        handle.queue.handles--;
        handle.queue.detach(handle);
      }
    }
    this.#over();
  }

  execute(command: Command): Promise<void> | void {
    switch (command.type) {
      case "PING":
      case "NOP":
        return this.#connection.ok(command.request);
      case "NEW":
        return this.#queues.create(command);
      case "BIND":
        return this.#queues.bind(command);
      case "SEND":
        return this.#queues.send(command);
      case "ACK":
        return this.#queues.acknowledge(command);
      case "DEL":
        return this.#queues.delete(command);
      case "OPEN":
      case "JOIN":
        return this.#rendezvous.meet(command);
      case "PASS":
        return this.#rendezvous.pass(command);
      case "CLOSE":
        return this.#rendezvous.close(command);
      case "PUT":
        return this.#blobs.put(command);
      case "GET":
        return this.#blobs.get(command);
      case "DROP":
        return this.#blobs.drop(command);
      case "TAKE":
        return this.#blobs.take(command);
      case "ACCESS":
        return this.#access.admit(command);
      case "FWD":
        if (command.about === "here") {
          return this.#door?.enter(command.request, command.sealed);
        }
        return this.#forward.execute(command);
      case "POST":
      case "MEET":
      case "COLLECT":
      case "REMOVE":
        // Who is connected has handles for that.
        return this.#connection.answer(command.request, "unsupported");
      case "HELLO":
      case "OK":
      case "ERR":
      case "MSG":
      case "REPLACED":
        return this.#connection.refuse("malformed", "only a relay says that");
    }
  }
}
