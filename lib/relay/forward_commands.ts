import {
  type Command,
  decodeUrl,
  encodeGreetOk,
  type ErrorName,
  greetingKey,
  MAX_URL,
  WireError,
} from "../wire/mod.ts";
import type { Peer } from "./peer.ts";
import type { Reply } from "./reply.ts";
import { TokenBucket } from "./token_bucket.ts";
import { isAdmitted, isPaid, type Visit } from "./visit.ts";

/** The FWDs of one connection that go to other relays. */
export class ForwardCommands {
  readonly #visit: Visit;
  readonly #rate: TokenBucket;
  readonly #peers = new Map<number, Peer>();
  /** By label and URL. */
  readonly #handles = new Map<string, number>();
  #underWay = 0;

  constructor(visit: Visit) {
    this.#visit = visit;
    const { limits, now } = visit.context;
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
    peer.forward(sealed, (reply) => {
      this.#underWay--;
      this.#reply(request, reply);
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
    const { peersPerConnection } = context.limits;
    if (!this.#handles.has(name) && this.#handles.size >= peersPerConnection) {
      return this.#reply(request, { error: "full" });
    }
    const number = this.#handles.get(name) ?? this.#handles.size + 1;
    this.#handles.set(name, number);
    this.#underWay++;
    const done = (found: Peer | ErrorName) => {
      this.#underWay--;
      if (typeof found === "string") {
        return this.#reply(request, { error: found });
      }
      this.#peers.set(number, found);
      this.#reply(request, { ok: encodeGreetOk(number, found.hello) });
    };
    // `execute` has seen that there are some.
    context.peers?.greet(url, label.toHex()).then(done, (error: unknown) => {
      context.failed(error);
      done("busy");
    });
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
