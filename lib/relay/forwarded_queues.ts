import {
  encodeCollectOk,
  encodeReplacedDetail,
  type OneShotCommand,
  oneShotMessage,
  type Role,
  verifyEd25519,
} from "../wire/mod.ts";
import { collect } from "./collect.ts";
import type { Queue } from "./queue.ts";
import type { Answer } from "./queue_context.ts";
import { OK, type Reply, UNAUTHORISED } from "./reply.ts";
import type { SessionContext } from "./visit.ts";

type Effect = () => Promise<Reply>;
type Of<Type> = OneShotCommand & { type: Type };

const refusing = (reply: Reply): Effect => () => Promise.resolve(reply);
const NO_SUCH_QUEUE: Reply = { error: "no-such-queue" };

/** POST, COLLECT and REMOVE: what somebody at another relay does with a queue of this one. */
export class ForwardedQueues {
  readonly #context: SessionContext;
  readonly #challenge: Uint8Array;

  constructor(context: SessionContext, challenge: Uint8Array) {
    this.#context = context;
    this.#challenge = challenge;
  }

  post(command: Of<"POST">): Promise<Effect> {
    const { id, envelope } = command;
    return this.#proven(command, "send", (queue) => {
      if (envelope.length === 0) return Promise.resolve(OK);
      return replied((answer) => queue.send(id, envelope, answer));
    });
  }

  /** What was read goes before the answer; whoever else reads the queue is told that it was taken over. */
  collect(command: Of<"COLLECT">): Promise<Effect> {
    const { generation, seq } = command;
    return this.#proven(command, "receive", async (queue) => {
      const replaced = (): Reply => ({
        error: "replaced",
        detail: encodeReplacedDetail(queue.generation),
      });
      if (generation < queue.generation) return replaced();
      const claimed = await replied((answer) =>
        queue.claim(generation, answer)
      );
      if ("error" in claimed) return claimed;
      const read = await replied((answer) => queue.acknowledge(seq, answer));
      if ("error" in read) return read;
      const waiting = await collect(queue);
      // A later one came meanwhile, here or by another relay.
      if (generation < queue.generation) return replaced();
      return { ok: encodeCollectOk(waiting) };
    });
  }

  remove(command: Of<"REMOVE">): Promise<Effect> {
    return this.#proven(
      command,
      "remove",
      (queue) =>
        replied((answer) => this.#context.queues.delete(queue, answer)),
    );
  }

  /** Looks up the queue of a command, and lets `act` be done with it in its turn if it was signed for `role`. */
  async #proven(
    command: Of<"POST" | "COLLECT" | "REMOVE">,
    role: Role,
    act: (queue: Queue) => Promise<Reply>,
  ): Promise<Effect> {
    const { queues, relayKey } = this.#context;
    const queue = await queues.find(command.queue);
    if (queue === undefined) return refusing(NO_SUCH_QUEUE);
    queue.handles++; // before anything else is awaited, so that the queue stays in memory
    let proven = false;
    try {
      const message = oneShotMessage(this.#challenge, relayKey, command);
      const key = queue.key(role);
      proven = await verifyEd25519(key, message, command.signature);
    } finally {
      if (!proven) queue.handles--;
    }
    if (!proven) return refusing(UNAUTHORISED);
    return async () => {
      try {
        return queue.gone ? NO_SUCH_QUEUE : await act(queue);
      } finally {
        queue.handles--;
      }
    };
  }
}

function replied(ask: (answer: Answer) => void): Promise<Reply> {
  return new Promise((resolve) =>
    ask((error) => resolve(error === undefined ? OK : { error }))
  );
}
