import {
  encodeJoinOk,
  encodeMeetOk,
  type ErrorName,
  type ForwardedCommand,
  type OneShotCommand,
  oneShotMessage,
  verifyEd25519,
} from "../wire/mod.ts";
import { BlobCommands } from "./blob_commands.ts";
import type { Connection } from "./connection.ts";
import { ForwardedQueues } from "./forwarded_queues.ts";
import type { Outlet } from "./handle.ts";
import { Handles } from "./handles.ts";
import { Payments } from "./payments.ts";
import { JOINER } from "./rendezvous.ts";
import { RendezvousCommands } from "./rendezvous_commands.ts";
import { OK, type Reply, UNAUTHORISED } from "./reply.ts";
import type { SessionContext, Visit } from "./visit.ts";

type Effect = () => Promise<Reply>;

const refusing = (reply: Reply): Effect => () => Promise.resolve(reply);

/**
 * What is forwarded by one connection: commands that are complete in themselves, each with its own proof. They
 * come from many people, who are not told apart.
 */
export class ForwardedCommands {
  readonly #context: SessionContext;
  readonly #challenge: Uint8Array;
  readonly #queues: ForwardedQueues;
  readonly #blobs: BlobCommands;
  readonly #rendezvous: RendezvousCommands;
  /** By a number of our own, in place of a request's. */
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #last = 0;

  constructor(
    context: SessionContext,
    connection: Connection,
    outlet: Outlet,
    challenge: Uint8Array,
  ) {
    this.#context = context;
    this.#challenge = challenge;
    const visit: Visit = {
      context,
      connection: {
        get open() {
          return connection.open;
        },
        ok: (number, body) => this.#settle(number, body ? { ok: body } : OK),
        answer: (number, error, detail) =>
          this.#settle(number, error === undefined ? OK : { error, detail }),
      },
      outlet,
      challenge,
      handles: new Handles(context.limits, context.held),
      payments: new Payments(challenge, context.price, context.now),
      // Of a private relay nobody is a member here: ACCESS is not forwarded.
      admitted: context.accessKey === undefined,
    };
    this.#queues = new ForwardedQueues(context, challenge);
    this.#blobs = new BlobCommands(visit);
    this.#rendezvous = new RendezvousCommands(visit);
  }

  /** Looks at a command as far as that changes nothing. What it gives is called in the command's turn. */
  async prepare(command: ForwardedCommand): Promise<Effect> {
    switch (command.type) {
      case "POST":
        return await this.#queues.post(command);
      case "COLLECT":
        return await this.#queues.collect(command);
      case "REMOVE":
        return await this.#queues.remove(command);
      case "MEET":
        return await this.#meet(command);
      case "PUT":
        return this.#later(command, (asked) => this.#blobs.put(asked));
      case "GET":
        return this.#later(command, (asked) => this.#blobs.get(asked));
      case "DROP":
        return this.#later(command, (asked) => this.#blobs.drop(asked));
      case "TAKE":
        return this.#later(command, (asked) => this.#blobs.take(asked));
      case "JOIN":
        return this.#later(
          command,
          (asked) =>
            this.#rendezvous.meet(asked, ({ expires }) => {
              const body = encodeJoinOk({ handle: 0, expires });
              this.#settle(asked.request, { ok: body });
            }),
        );
      default:
        // What needs a handle or hears pushes, and FWD itself: nothing goes over two relays.
        return refusing({ error: "unsupported" });
    }
  }

  async #meet(command: OneShotCommand & { type: "MEET" }): Promise<Effect> {
    const { desk } = this.#context;
    const { nameplate, publicKey, act, index, bytes } = command;
    if (!await this.#proves(command, publicKey)) return refusing(UNAUTHORISED);
    return () => {
      const rendezvous = desk.joined(nameplate, publicKey);
      if (rendezvous === undefined) {
        return Promise.resolve({ error: "no-such-rendezvous" });
      }
      if (act === "look") {
        return desk.left(rendezvous, JOINER, index).then((left) =>
          left === undefined
            ? { error: "no-such-rendezvous" }
            : { ok: encodeMeetOk(left) }
        );
      }
      return new Promise((resolve) => {
        const answer = (error: ErrorName | undefined) =>
          resolve(error === undefined ? OK : { error });
        if (act === "close") desk.close(rendezvous, JOINER, answer);
        else desk.pass(rendezvous, JOINER, index, bytes, answer);
      });
    };
  }

  async #proves(
    command: OneShotCommand,
    key: Uint8Array,
  ): Promise<boolean> {
    const { relayKey } = this.#context;
    const message = oneShotMessage(this.#challenge, relayKey, command);
    return await verifyEd25519(key, message, command.signature);
  }

  /** Has a command carried out as one of a connection, and waits for its answer. */
  #later<Kind extends ForwardedCommand>(
    command: Kind,
    run: (asked: Kind & { request: number }) => Promise<void>,
  ): Effect {
    return () =>
      new Promise((resolve, reject) => {
        const request = ++this.#last;
        this.#waiting.set(request, resolve);
        run({ ...command, request }).catch((error) => {
          this.#waiting.delete(request);
          reject(error);
        });
      });
  }

  #settle(number: number, reply: Reply): void {
    this.#waiting.get(number)?.(reply);
    this.#waiting.delete(number);
  }
}
