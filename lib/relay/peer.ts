import {
  type Command,
  type CommandBody,
  decodeFrame,
  encodeFrame,
  type ErrorName,
  parseHello,
  WireError,
} from "../wire/mod.ts";
import type { Limits } from "./limits.ts";
import { PeerUnreachableError } from "./peer_dialler.ts";
import type { Reply } from "./reply.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";
import { TokenBucket } from "./token_bucket.ts";
import { Turns } from "./turns.ts";

/** A connection older than this is not given out any more: the key of its day may end. */
const RENEW_MS = 11 * 3_600_000;

/** Silence after which the other relay is asked for a sign of life. */
const PING_AFTER_MS = 25_000;

/** How soon it is looked whether more may go, ms. */
const PACE_MS = 20;

/** Requests have numbers of two bytes. */
const MOST_UNANSWERED = 0xffff;

const UNREACHABLE: Reply = { error: "unreachable" };

type Waiting = {
  answer: (reply: Reply) => void;
  timer: ReturnType<typeof setTimeout>;
};

/** What is to be handed over. */
type Parcel = {
  asker: object;
  sealed: Uint8Array;
  answer: (reply: Reply) => void;
};

/**
 * A connection to another relay, which greeted: hands over what is sealed for it, and brings back the answers.
 * All who forward there share it, so nobody of them may have it closed: no more goes by it than a relay takes
 * from another one, and what has to wait goes in turn.
 */
export class Peer {
  /** What it said first. */
  readonly hello: Uint8Array;
  readonly #socket: RelaySocket;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #since: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #turns = new Turns<Parcel>();
  /** Of each who asked, how much is not answered yet. */
  readonly #asked = new Map<object, number>();
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;
  #pacing: ReturnType<typeof setTimeout> | undefined;
  #last = 0;
  #used: number;
  #heard: number;
  #over = false;
  #retired = false;

  /** Of a socket that is open, waits for HELLO. @throws {PeerUnreachableError} */
  static async greeted(
    socket: RelaySocket,
    limits: Limits,
    now: () => number,
    signal: AbortSignal,
  ): Promise<Peer> {
    const greeted = Promise.withResolvers<Uint8Array>();
    let peer: Peer | undefined;
    /** What came while HELLO was looked at. */
    const early: Uint8Array[] = [];
    let first = true;
    let lost = false;
    const fail = () => {
      lost = true;
      greeted.reject(new PeerUnreachableError("it did not greet"));
      peer?.end();
    };
    socket.listen({
      message: (data) => {
        if (typeof data === "string") return fail();
        if (peer !== undefined) return peer.#receive(data);
        if (first) greeted.resolve(data);
        else early.push(data);
        first = false;
      },
      close: fail,
      drained: () => {
        if (peer !== undefined) peer.#handOver();
      },
    });
    signal.addEventListener("abort", fail);
    try {
      const hello = await helloIn(await greeted.promise);
      signal.throwIfAborted();
      // It may have gone while HELLO was looked at, and would not say so again.
      if (lost) throw new PeerUnreachableError("it went at once");
      peer = new Peer(socket, hello, limits, now);
    } catch {
      socket.close(CLOSE.goingAway, "");
      throw new PeerUnreachableError("it did not greet as a relay does");
    } finally {
      signal.removeEventListener("abort", fail);
    }
    for (const frame of early) peer.#receive(frame);
    return peer;
  }

  private constructor(
    socket: RelaySocket,
    hello: Uint8Array,
    limits: Limits,
    now: () => number,
  ) {
    this.#socket = socket;
    this.hello = hello;
    this.#limits = limits;
    this.#now = now;
    this.#since = this.#used = this.#heard = now();
    const { peerFramesPerSecond, peerBytesPerSecond, burstSeconds } = limits;
    const bucket = (rate: number) =>
      new TokenBucket(rate, burstSeconds, this.#since);
    // What this relay takes from another one: others are taken to be like it.
    this.#frames = bucket(peerFramesPerSecond);
    this.#bytes = bucket(peerBytesPerSecond);
  }

  /** Nothing goes by it any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether it is to be replaced before it is given out again. */
  get old(): boolean {
    return this.#now() - this.#since > RENEW_MS;
  }

  /** Whether an answer is waited for. */
  get busy(): boolean {
    return this.#unanswered > 0;
  }

  /** When it was last used, ms. */
  get used(): number {
    return this.#used;
  }

  /** It is about to be used. */
  touch(): void {
    this.#used = this.#now();
  }

  /** Hands over what was sealed for it, when that has its turn. `answer` is told once. */
  forward(
    asker: object,
    sealed: Uint8Array,
    answer: (reply: Reply) => void,
  ): void {
    if (this.#over || this.#retired) {
      return answer({ error: "unknown-handle" });
    }
    const asked = this.#asked.get(asker) ?? 0;
    // Whoever has nothing waiting is not to suffer from those who have much.
    const most = this.#limits.forwardsPerPeer * (asked > 0 ? 1 : 2);
    if (this.#unanswered >= Math.min(most, MOST_UNANSWERED)) {
      return answer({ error: "busy" });
    }
    this.touch();
    this.#asked.set(asker, asked + 1);
    this.#turns.add(asker, { asker, sealed, answer });
    this.#handOver();
  }

  /** Another takes its place: it brings the answers that it owes, and ends. */
  retire(): void {
    this.#retired = true;
    if (!this.busy) this.end();
  }

  /** Asks for a sign of life when there was none for long; one that gives none is ended. */
  probe(): void {
    if (this.#over || this.busy) return;
    if (this.#now() - this.#heard < PING_AFTER_MS) return;
    this.#ask({ type: "PING" }, () => {});
  }

  /** Ends it; whoever waits for an answer gets none. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.close(CLOSE.goingAway, "");
    clearTimeout(this.#pacing);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { answer, timer } of waiting) {
      clearTimeout(timer);
      answer(UNREACHABLE);
    }
    for (let next = this.#turns.take(); next; next = this.#turns.take()) {
      next.answer(UNREACHABLE);
    }
  }

  get #unanswered(): number {
    return this.#waiting.size + this.#turns.size;
  }

  /** Hands over what may go now; the rest after a while, or when there is room. */
  #handOver(): void {
    clearTimeout(this.#pacing);
    for (let next = this.#turns.next; next; next = this.#turns.next) {
      if (!this.#mayGo(next)) {
        this.#pacing = setTimeout(() => this.#handOver(), PACE_MS);
        return;
      }
      this.#turns.take();
      this.#send(next);
    }
  }

  #mayGo({ sealed }: Parcel): boolean {
    const now = this.#now();
    return this.#socket.bufferedBytes <= this.#limits.bufferedBytesToClose &&
      this.#bytes.take(sealed.length, now) && this.#frames.take(1, now);
  }

  #send({ asker, sealed, answer }: Parcel): void {
    this.#ask({ type: "FWD", about: "here", sealed }, (reply) => {
      const left = (this.#asked.get(asker) ?? 1) - 1;
      if (left > 0) this.#asked.set(asker, left);
      else this.#asked.delete(asker);
      answer(reply);
    });
  }

  #ask(
    body: CommandBody & { type: "FWD" | "PING" },
    answer: (reply: Reply) => void,
  ): void {
    do {
      this.#last = this.#last % MOST_UNANSWERED + 1;
    } while (this.#waiting.has(this.#last));
    const timer = setTimeout(
      () => this.end(),
      this.#limits.forwardWithin * 1_000,
    );
    this.#waiting.set(this.#last, { answer, timer });
    for (const frame of encodeFrame([{ ...body, request: this.#last }])) {
      this.#socket.send(frame);
    }
  }

  #receive(frame: Uint8Array): void {
    if (this.#over) return;
    this.#heard = this.#now();
    let commands: Command[];
    try {
      commands = decodeFrame(frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.end();
    }
    for (const command of commands) {
      const { request } = command;
      if (command.type === "OK") {
        this.#settle(request, { ok: command.body });
      } else if (command.type === "ERR" && request !== 0) {
        this.#settle(request, { error: wordOf(command.code) });
      } else return this.end(); // about the connection, or what nobody asked
    }
  }

  #settle(request: number, reply: Reply): void {
    const waiting = this.#waiting.get(request);
    if (waiting === undefined) return this.end();
    this.#waiting.delete(request);
    clearTimeout(waiting.timer);
    waiting.answer(reply);
    if (this.#retired && !this.busy) this.end();
  }
}

/**
 * What another relay may say of what it did not open. Any other code would be taken for this relay's own word,
 * and `unauthorised` held against who asked.
 */
function wordOf(code: ErrorName): ErrorName {
  switch (code) {
    case "stale":
    case "busy":
    case "rate":
      return code;
    default:
      return "unreachable";
  }
}

async function helloIn(frame: Uint8Array): Promise<Uint8Array> {
  const [command, ...others] = decodeFrame(frame);
  if (command?.type !== "HELLO" || others.length > 0) {
    throw new WireError("malformed", "it did not begin with HELLO");
  }
  await parseHello(command.body);
  return command.body;
}
