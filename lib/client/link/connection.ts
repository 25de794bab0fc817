import {
  type CommandBody,
  decodeFrame,
  encodeFrame,
  type ErrorName,
  type Hello,
  WireError,
} from "../../wire/mod.ts";
import type { Command } from "../../wire/mod.ts";
import type { Clock } from "../clock.ts";
import type { Socket } from "./transport.ts";

/** The commands that a client sends and the relay answers. */
export type Request =
  | Extract<
    CommandBody,
    {
      type:
        | "NEW"
        | "BIND"
        | "SEND"
        | "ACK"
        | "DEL"
        | "OPEN"
        | "JOIN"
        | "PASS"
        | "CLOSE"
        | "PUT"
        | "GET"
        | "DROP"
        | "FWD"
        | "ACCESS"
        | "DROP"
        | "TAKE";
    }
  >
  | { type: "PING" };

/** What the relay sends unasked. */
export type Push = Extract<
  CommandBody,
  { type: "MSG" | "REPLACED" | "PASS" | "CLOSE" }
>;

/** The relay understood a request and declined it. */
export class RelayError extends Error {
  override readonly name = "RelayError";
  constructor(readonly code: ErrorName, readonly detail: Uint8Array) {
    super(`the relay answered: ${code}`);
  }
}

/** The connection ended before the answer: the request may or may not have been carried out. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
  constructor() {
    super("the connection to the relay was lost");
  }
}

/** The longest that one request may go unanswered; then the connection counts as dead. */
export const ANSWER_TIMEOUT_MS = 30_000;

interface Pending {
  resolve(body: Uint8Array): void;
  reject(error: Error): void;
  cancelTimeout(): void;
}

/** Bytes of pushes kept for handles that nobody listens to yet; past it the relay makes handles up. */
export const MAX_UNHEARD_BYTES = 16 * 1024 * 1024;
/** What a push takes in memory beside the bytes it carries, roughly. */
const PUSH_BYTES = 128;

/**
 * One connection whose HELLO was checked: requests and their answers, and pushes.
 * Handles that the relay gives out are good for this object only. It never comes back: a lost
 * connection is followed by another one.
 */
export class Connection {
  readonly hello: Hello;
  /** The relay's clock minus this device's, in ms, at connecting. */
  readonly skew: number;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<number, (push: Push) => void>();
  readonly #end: () => void;
  #unheard: Push[] = [];
  #unheardBytes = 0;
  #outgoing: Command[] = [];
  #lastRequest = 0;
  #lost = false;

  /** `end` closes the socket; the link calls it for what it finds wrong itself. */
  constructor(socket: Socket, hello: Hello, clock: Clock, end: () => void) {
    this.#socket = socket;
    this.hello = hello;
    this.#clock = clock;
    this.#end = end;
    this.skew = hello.time - clock.now();
  }

  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Sends `command`, in the same frame as whatever else is requested in this turn and fits.
   * Resolves with the body of OK; rejects with `RelayError` or `ConnectionLostError`.
   */
  request(
    command: Request,
    timeout: number = ANSWER_TIMEOUT_MS,
  ): Promise<Uint8Array> {
    if (this.#lost) return Promise.reject(new ConnectionLostError());
    const request = this.#nextRequest();
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#clock.after(timeout, () => this.drop());
      this.#pending.set(request, { resolve, reject, cancelTimeout });
      if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
      this.#outgoing.push({ request, ...command });
    });
  }

  /** Requests what `make` makes of the relay's HELLO. See `request`. */
  async ask(make: (hello: Hello) => Promise<Request>): Promise<Uint8Array> {
    return await this.request(await make(this.hello));
  }

  /**
   * Gives every push for `handle` to `listener`, those first that came before anybody listened:
   * the relay may push in the same frame as the OK that names the handle.
   */
  listen(handle: number, listener: (push: Push) => void): void {
    this.#listeners.set(handle, listener);
    const waiting = this.#unheard.filter((push) => push.handle === handle);
    if (waiting.length === 0) return;
    this.#unheard = this.#unheard.filter((push) => push.handle !== handle);
    for (const push of waiting) {
      this.#unheardBytes -= sizeOf(push);
      listener(push);
    }
  }

  /**
   * Reads an answer with `parse`. One that makes no sense ends the connection, as a frame that makes
   * none does: throws `ConnectionLostError` then.
   */
  read<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.drop();
      throw new ConnectionLostError();
    }
  }

  /** Ends it from this side. */
  drop(): void {
    if (!this.#lost) this.#end();
  }

  /** For the link: the socket is gone, whoever ended it. */
  closed(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#outgoing = [];
    this.#unheard = [];
    this.#listeners.clear();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, cancelTimeout } of pending) {
      cancelTimeout();
      reject(new ConnectionLostError());
    }
  }

  /** For the link: gives out what a frame holds, in order. Throws `WireError`. */
  received(frame: Uint8Array): void {
    for (const command of decodeFrame(frame)) {
      switch (command.type) {
        case "OK":
          this.#settle(command.request)?.resolve(command.body);
          break;
        case "ERR":
          this.#settle(command.request)?.reject(
            new RelayError(command.code, command.detail),
          );
          break;
        case "MSG":
        case "REPLACED":
        case "PASS":
        case "CLOSE":
          this.#push(command);
          break;
        default:
          // NOP is padding; a relay has no business sending anything else, and it does no harm.
          break;
      }
    }
  }

  #push(push: Push): void {
    const listener = this.#listeners.get(push.handle);
    if (listener) return listener(push);
    this.#unheardBytes += sizeOf(push);
    if (this.#unheardBytes > MAX_UNHEARD_BYTES) this.drop();
    else this.#unheard.push(push);
  }

  #settle(request: number): Pending | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    pending?.cancelTimeout();
    return pending;
  }

  #flush(): void {
    const commands = this.#outgoing;
    this.#outgoing = [];
    for (const frame of encodeFrame(commands)) this.#socket.send(frame);
  }

  #nextRequest(): number {
    do {
      this.#lastRequest = this.#lastRequest % 0xffff + 1;
    } while (this.#pending.has(this.#lastRequest));
    return this.#lastRequest;
  }
}

function sizeOf(push: Push): number {
  switch (push.type) {
    case "MSG":
      return PUSH_BYTES + push.envelope.length;
    case "PASS":
      return PUSH_BYTES + push.bytes.length;
    default:
      return PUSH_BYTES;
  }
}
