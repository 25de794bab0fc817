import { equalBytes } from "@noble/ciphers/utils.js";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import {
  decodeFrame,
  type Hello,
  parseHello,
  WireError,
} from "../../wire/mod.ts";
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { ConnectionState } from "../view.ts";
import { backoff } from "./backoff.ts";
import { Connection } from "./connection.ts";
import type { Network, Socket, Transport } from "./transport.ts";

/** From the first attempt to a checked HELLO; circuits of Tor take up to 8 s. */
export const CONNECT_TIMEOUT_MS = 20_000;
/** Silence after which the relay is asked for a sign of life, and how long it may take. */
export const PING_AFTER_MS = 25_000;
export const PING_TIMEOUT_MS = 10_000;
/** A connection that lived this long ends the count of failures. */
export const STABLE_AFTER_MS = 5_000;
/** Clocks this far apart are told of: what is written carries a time that readers would wonder at. */
export const CLOCK_OFF_MS = 3_600_000;
/** A relay that can't be used is not likely to change soon. */
export const REFUSED_RETRY_MS = 300_000;

export interface LinkOptions {
  readonly url: string;
  /** The relay's key as first seen; undefined while there was no first time. */
  readonly relayKey: Uint8Array | undefined;
  readonly transport: Transport;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** A connection is up; the key in its HELLO was verified and is the pinned one. */
  connected(connection: Connection): void;
  lost(connection: Connection): void;
}

/** Keeps one connection to the relay, comes back when it is lost, and says how things stand. */
export class Link {
  readonly #options: LinkOptions;
  readonly #state: Signal<ConnectionState>;
  #relayKey: Uint8Array | undefined;
  #attempt: Attempt | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  #unwatch: (() => void) | undefined;
  #running = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#relayKey = options.relayKey;
    this.#state = signal<ConnectionState>({ at: "connecting" });
  }

  get state(): ReadonlySignal<ConnectionState> {
    return this.#state;
  }

  get connection(): Connection | undefined {
    return this.#attempt?.connection;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#unwatch = this.#options.network.watch((online) => {
      if (this.#attempt?.connection) {
        // The hint may be wrong: a relay on this machine still answers, and then it is taken back.
        if (!online) this.#state.value = { at: "offline" };
        else if (this.#state.value.at === "offline") {
          this.#state.value = { at: "connecting" };
        }
        this.#attempt.probe();
      } else if (online) this.reconnect();
      else if (this.#state.value.at === "waiting") {
        this.#state.value = { at: "offline" };
      }
    });
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#unwatch?.();
    this.#cancelRetry?.();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.end();
    if (attempt?.connection) this.#options.lost(attempt.connection);
  }

  /** Tries now instead of at the end of the wait. */
  reconnect(): void {
    if (!this.#running || this.#attempt) return;
    this.#failures = 0;
    this.#connect();
  }

  #connect(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#state.value = { at: "connecting" };
    const attempt: Attempt = new Attempt(this.#options, {
      hello: (hello) => this.#check(hello),
      up: (connection) => {
        this.#isOnline(connection);
        this.#options.connected(connection);
      },
      alive: (connection) => {
        if (this.#attempt === attempt) this.#isOnline(connection);
      },
      ended: (reason) => {
        // A stopped link, or one that went on to another attempt, does not care any more.
        if (this.#attempt === attempt) this.#failed(attempt, reason);
      },
    });
    this.#attempt = attempt;
    attempt.begin();
  }

  #isOnline({ skew }: Connection): void {
    if (this.#state.value.at === "online") return;
    this.#state.value = Math.abs(skew) < CLOCK_OFF_MS
      ? { at: "online" }
      : { at: "online", clockOff: -skew };
  }

  #check(hello: Hello): "other-relay" | undefined {
    if (this.#relayKey === undefined) {
      this.#relayKey = hello.relayKey;
      return undefined;
    }
    return equalBytes(this.#relayKey, hello.relayKey)
      ? undefined
      : "other-relay";
  }

  #failed(attempt: Attempt, reason: EndReason): void {
    const { clock, random, network } = this.#options;
    this.#attempt = undefined;
    if (attempt.connection) {
      const lived = clock.now() - attempt.upSince;
      if (lived >= STABLE_AFTER_MS) this.#failures = 0;
      this.#options.lost(attempt.connection);
    }
    this.#failures++;
    if (reason === "lost") {
      const wait = backoff(this.#failures, random.fraction());
      this.#state.value = network.online()
        ? { at: "waiting", retryAt: clock.now() + wait }
        : { at: "offline" };
      this.#cancelRetry = clock.after(wait, () => this.#connect());
    } else {
      this.#state.value = { at: "refused", reason };
      this.#cancelRetry = clock.after(REFUSED_RETRY_MS, () => this.#connect());
    }
  }
}

type EndReason = "lost" | "other-relay" | "version";

interface AttemptEvents {
  hello(hello: Hello): "other-relay" | undefined;
  up(connection: Connection): void;
  /** The relay gave the sign of life it was asked for. */
  alive(connection: Connection): void;
  ended(reason: EndReason): void;
}

/** One socket from its first packet to its end: waits for HELLO, then watches that it lives. */
class Attempt {
  readonly #options: LinkOptions;
  readonly #events: AttemptEvents;
  #socket: Socket | undefined;
  #cancelTimer: () => void = () => {};
  #probing = false;
  #over = false;
  #greeted = false;
  /** Frames that came while HELLO's signature was being verified. */
  #early: Uint8Array[] = [];
  connection: Connection | undefined;
  upSince = 0;

  constructor(options: LinkOptions, events: AttemptEvents) {
    this.#options = options;
    this.#events = events;
  }

  begin(): void {
    const { transport, url, clock } = this.#options;
    this.#cancelTimer = clock.after(CONNECT_TIMEOUT_MS, () => this.#end());
    this.#socket = transport.connect(url, {
      open: () => {},
      message: (frame) => this.#message(frame),
      closed: () => this.#end(),
    });
  }

  /** Ends it without a word to anybody. */
  end(): void {
    this.#over = true;
    this.#cancelTimer();
    this.connection?.closed();
    this.#socket?.close();
  }

  /** Asks for a sign of life at once. */
  probe(): void {
    const connection = this.connection;
    if (!connection || this.#probing) return;
    this.#probing = true;
    connection.request({ type: "PING" }, PING_TIMEOUT_MS).then(
      () => {
        this.#probing = false;
        this.#events.alive(connection);
      },
      // Refused or lost: either way the socket is of no use.
      () => this.#end(),
    );
  }

  #end(reason: EndReason = "lost"): void {
    if (this.#over) return;
    this.end();
    this.#events.ended(reason);
  }

  #message(frame: Uint8Array): void {
    if (this.#over) return;
    if (this.connection) return this.#deliver(this.connection, frame);
    if (this.#greeted) {
      this.#early.push(frame);
      return;
    }
    this.#greeted = true;
    this.#greet(frame).catch((error: unknown) => {
      if (!(error instanceof WireError)) throw error;
      this.#end(error.code === "version" ? "version" : "lost");
    });
  }

  async #greet(frame: Uint8Array): Promise<void> {
    const [command, ...others] = decodeFrame(frame);
    if (command?.type !== "HELLO" || others.length > 0) {
      throw new WireError("malformed", "the relay did not begin with HELLO");
    }
    const hello = await parseHello(command.body);
    if (this.#over || !this.#socket) return;
    const objection = this.#events.hello(hello);
    if (objection) return this.#end(objection);
    const { clock } = this.#options;
    this.#cancelTimer();
    this.connection = new Connection(
      this.#socket,
      hello,
      clock,
      () => this.#end(),
    );
    this.upSince = clock.now();
    this.#watchSilence();
    this.#events.up(this.connection);
    for (const frame of this.#early.splice(0)) {
      this.#deliver(this.connection, frame);
    }
  }

  #deliver(connection: Connection, frame: Uint8Array): void {
    if (this.#over) return;
    this.#watchSilence();
    try {
      connection.received(frame);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#end();
    }
  }

  #watchSilence(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(
      PING_AFTER_MS,
      () => this.probe(),
    );
  }
}
