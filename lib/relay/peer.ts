import {
  type Command,
  type CommandBody,
  decodeFrame,
  encodeFrame,
  parseHello,
  WireError,
} from "../wire/mod.ts";
import type { Limits } from "./limits.ts";
import { PeerUnreachableError } from "./peer_dialler.ts";
import type { Reply } from "./reply.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";

/** A connection older than this is not given out any more: the key of its day may end. */
const RENEW_MS = 11 * 3_600_000;

/** Silence after which the other relay is asked for a sign of life. */
const PING_AFTER_MS = 25_000;

const UNREACHABLE: Reply = { error: "unreachable" };

type Waiting = {
  answer: (reply: Reply) => void;
  timer: ReturnType<typeof setTimeout>;
};

/** A connection to another relay, which greeted: hands over what is sealed for it, and brings back the answers. */
export class Peer {
  /** What it said first. */
  readonly hello: Uint8Array;
  readonly #socket: RelaySocket;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #since: number;
  readonly #waiting = new Map<number, Waiting>();
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
    const fail = () => {
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
      drained: () => {},
    });
    signal.addEventListener("abort", fail);
    try {
      const hello = await helloIn(await greeted.promise);
      signal.throwIfAborted();
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
    return this.#waiting.size > 0;
  }

  /** When it was last used, ms. */
  get used(): number {
    return this.#used;
  }

  /** It is about to be used. */
  touch(): void {
    this.#used = this.#now();
  }

  /** Hands over what was sealed for it. `answer` is told once. */
  forward(sealed: Uint8Array, answer: (reply: Reply) => void): void {
    if (this.#over || this.#retired) {
      return answer({ error: "unknown-handle" });
    }
    const { forwardsPerPeer, bufferedBytesToClose } = this.#limits;
    if (
      this.#waiting.size >= forwardsPerPeer ||
      this.#socket.bufferedBytes > bufferedBytesToClose
    ) return answer({ error: "busy" });
    this.touch();
    this.#ask({ type: "FWD", about: "here", sealed }, answer);
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
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { answer, timer } of waiting) {
      clearTimeout(timer);
      answer(UNREACHABLE);
    }
  }

  #ask(
    body: CommandBody & { type: "FWD" | "PING" },
    answer: (reply: Reply) => void,
  ): void {
    do {
      this.#last = this.#last % 0xffff + 1;
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
        this.#settle(request, { error: command.code, detail: command.detail });
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

async function helloIn(frame: Uint8Array): Promise<Uint8Array> {
  const [command, ...others] = decodeFrame(frame);
  if (command?.type !== "HELLO" || others.length > 0) {
    throw new WireError("malformed", "it did not begin with HELLO");
  }
  await parseHello(command.body);
  return command.body;
}
