import {
  type Command,
  decodeUrl,
  encodeGreetOk,
  type ErrorName,
  greetingKey,
  MAX_URL,
  WireError,
} from "../wire/mod.ts";
import { HeldAnswers } from "./held_answers.ts";
import type { Peer } from "./peer.ts";
import type { Reply } from "./reply.ts";
import { TokenBucket } from "./token_bucket.ts";
import { isAdmitted, isPaid, type Visit } from "./visit.ts";

/** The FWDs of one connection that go to other relays. */
export class ForwardCommands {
  readonly #visit: Visit;
  readonly #rate: TokenBucket;
  readonly #held: HeldAnswers;
  readonly #peers = new Map<number, Peer>();
  /** By label and URL: of relays that greeted, or are about to. */
  readonly #handles = new Map<string, number>();
  #last = 0;
  #underWay = 0;

  constructor(visit: Visit) {
    this.#visit = visit;
    const { context, connection, outlet } = visit;
    const { limits, now } = context;
    this.#held = new HeldAnswers(context, connection, outlet);
    this.#rate = new TokenBucket(
      limits.forwardsPerSecond,
      limits.burstSeconds,
      now(),
    );
  }

  execute(command: Command & { type: "FWD" }): void {
    const { context, connection } = this.#visit;
    const { request } = command;
    if (context.peers === undefined) {
      return connection.answer(request, "unsupported");
    }
    const { forwardsUnderWay } = context.limits;
    if (
      this.#underWay >= forwardsUnderWay || !this.#rate.take(1, context.now())
    ) return connection.answer(request, "rate");
    if (command.about === "greet") this.#greet(command);
    if (command.about === "to") this.#pass(command);
  }

  #pass(
    { request, handle, sealed }: Command & { type: "FWD"; about: "to" },
  ): void {
    const peer = this.#peers.get(handle);
    if (peer === undefined) {
      return this.#visit.connection.answer(request, "unknown-handle");
    }
    this.#underWay++;
    peer.forward(this, sealed, (reply) => {
      const say = (reply: Reply) => {
        this.#underWay--;
        this.#reply(request, reply);
      };
      const size = "ok" in reply ? reply.ok.length : 0;
      this.#held.give(
        size,
        () => say(reply),
        () => say({ error: "unreachable" }),
      );
    });
  }

  /** A relay that greeted has a handle from then on; greeted again, the same one. */
  #greet(command: Command & { type: "FWD"; about: "greet" }): void {
    const { context, payments } = this.#visit;
    const { request, type, work, label } = command;
    const url = urlIn(command.url);
    if (url === undefined) return this.#reply(request, { error: "malformed" });
    if (!isAdmitted(this.#visit, request)) return;
    const key = greetingKey(command);
    const payment = { type, key, work, purpose: "", extra: 0, weight: 1 };
    if (!isPaid(this.#visit, request, payment)) return;
    payments.spend(payment);
    const name = `${label.toHex()} ${url}`;
    if (!this.#handles.has(name) && !this.#hasRoom()) {
      return this.#reply(request, { error: "full" });
    }
    const number = this.#handles.get(name) ?? ++this.#last;
    this.#handles.set(name, number);
    this.#underWay++;
    const done = (found: Peer | ErrorName) => {
      this.#underWay--;
      if (typeof found === "string") {
        if (!this.#peers.has(number)) this.#handles.delete(name);
        return this.#reply(request, { error: found });
      }
      this.#handles.set(name, number);
      this.#peers.set(number, found);
      this.#reply(request, { ok: encodeGreetOk(number, found.hello) });
    };
    // `execute` has seen that there are some.
    context.peers?.greet(url, label.toHex()).then(done, (error: unknown) => {
      context.failed(error);
      done("busy");
    });
  }

  /** Whether there may be one more. Those whose connection is over take no room: they are greeted anew. */
  #hasRoom(): boolean {
    const { peersPerConnection } = this.#visit.context.limits;
    if (this.#handles.size < peersPerConnection) return true;
    for (const [name, number] of this.#handles) {
      if (!this.#peers.get(number)?.over) continue;
      this.#handles.delete(name);
      this.#peers.delete(number);
    }
    return this.#handles.size < peersPerConnection;
  }

  #reply(request: number, reply: Reply): void {
    const { connection } = this.#visit;
    if ("ok" in reply) connection.ok(request, reply.ok);
    else connection.answer(request, reply.error, reply.detail);
  }
}

/** Undefined for bytes that are no URL's. */
function urlIn(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_URL) return undefined;
  try {
    return decodeUrl(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
