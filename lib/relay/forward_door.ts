import {
  decodeForwarded,
  encodeForwardedReply,
  FORWARD_EPHEMERAL,
  type ForwardedCommand,
  type ForwardedReply,
  ForwardSeal,
  WireError,
} from "../wire/mod.ts";
import { textOf } from "./byte_text.ts";
import type { Connection } from "./connection.ts";
import type { DayKey } from "./day_key.ts";
import { ForwardedCommands } from "./forwarded_commands.ts";
import type { Outlet } from "./handle.ts";
import { HeldAnswers } from "./held_answers.ts";
import type { Reply } from "./reply.ts";
import { CLOSE } from "./socket.ts";
import type { SessionContext } from "./visit.ts";

/** Forwarded commands of one connection that may be under way; one more is `busy`. */
const MOST_UNDER_WAY = 1_024;

/** A command that was opened, ready to take effect in its turn. */
type Ready = { seal: ForwardSeal; effect: () => Promise<Reply> };

/**
 * Where other relays hand in what they forward: opens it, sees that nothing is heard twice, has it carried out
 * and seals the answer. Commands are opened side by side and take effect in the order they came in.
 */
export class ForwardDoor {
  readonly #context: SessionContext;
  readonly #connection: Connection;
  readonly #challenge: Uint8Array;
  readonly #day: DayKey;
  readonly #commands: ForwardedCommands;
  readonly #held: HeldAnswers;
  /** Ephemeral keys of what was heard: each is good once. */
  readonly #heard = new Set<string>();
  #turn: Promise<void> = Promise.resolve();
  #underWay = 0;

  constructor(
    context: SessionContext,
    connection: Connection,
    outlet: Outlet,
    challenge: Uint8Array,
    day: DayKey,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#challenge = challenge;
    this.#day = day;
    this.#held = new HeldAnswers(context, connection, outlet);
    this.#commands = new ForwardedCommands(
      context,
      connection,
      outlet,
      challenge,
    );
  }

  /** Takes in one FWD for this relay, and answers it when it is done. */
  enter(request: number, sealed: Uint8Array): void {
    const connection = this.#connection;
    if (this.#context.now() > this.#day.validUntil) {
      return connection.answer(request, "stale");
    }
    if (this.#heard.size >= this.#context.limits.forwardsRemembered) {
      connection.answer(request, "stale");
      // Another connection has another challenge, for which nothing was heard yet.
      return connection.close(CLOSE.goingAway, "greet anew");
    }
    if (this.#underWay >= MOST_UNDER_WAY) {
      return connection.answer(request, "busy");
    }
    const name = textOf(sealed.subarray(0, FORWARD_EPHEMERAL));
    if (this.#heard.has(name)) return connection.answer(request, "stale");
    this.#heard.add(name);
    this.#underWay++;
    const opening = this.#open(sealed);
    opening.catch(() => {}); // awaited in its turn, below
    this.#turn = this.#turn.then(() => this.#admit(request, name, opening))
      .catch((error: unknown) => {
        this.#underWay--;
        this.#context.failed(error);
        connection.answer(request, "busy");
      });
  }

  async #admit(
    request: number,
    name: string,
    opening: Promise<Ready | undefined>,
  ): Promise<void> {
    const ready = await opening;
    if (ready === undefined) {
      this.#underWay--;
      this.#heard.delete(name);
      return this.#connection.answer(request, "stale");
    }
    this.#connection.widen();
    // Begun in its turn; whoever comes after does not wait for its end.
    ready.effect().catch((error: unknown): Reply => {
      this.#context.failed(error);
      return { error: "busy" };
    }).then((reply) => {
      const answer = sealedReply(ready.seal, reply);
      const over = (say: () => void) => () => {
        this.#underWay--;
        say();
      };
      return this.#held.give(
        answer.length,
        over(() => this.#connection.ok(request, answer)),
        // Perhaps it was done: no more is known of what was not answered.
        over(() => this.#connection.answer(request, "unreachable")),
      );
    });
  }

  /** Undefined when it was not sealed for this connection. */
  async #open(sealed: Uint8Array): Promise<Ready | undefined> {
    const ephemeral = sealed.subarray(0, FORWARD_EPHEMERAL);
    const secret = await this.#day.agree(ephemeral);
    if (secret === undefined) return undefined;
    const seal = new ForwardSeal(secret, ephemeral, {
      dayKey: this.#day.publicKey,
      relayKey: this.#context.relayKey,
      challenge: this.#challenge,
    });
    const plain = seal.openCommand(sealed);
    if (plain === undefined) return undefined;
    const command = commandIn(plain);
    const effect = command === undefined
      ? () => Promise.resolve<Reply>({ error: "malformed" })
      : await this.#commands.prepare(command);
    return { seal, effect };
  }
}

/** Undefined for what is none. */
function commandIn(plain: Uint8Array): ForwardedCommand | undefined {
  try {
    return decodeForwarded(plain);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function sealedReply(seal: ForwardSeal, reply: Reply): Uint8Array {
  const answer: ForwardedReply = "ok" in reply
    ? { type: "OK", body: reply.ok }
    : {
      type: "ERR",
      code: reply.error,
      detail: reply.detail ?? new Uint8Array(),
    };
  return seal.sealReply(encodeForwardedReply(answer));
}
