import { encodeFrame, encodeHello, FEATURES } from "../wire/mod.ts";
import { Flusher } from "./flusher.ts";
import { KvStore } from "./kv_store.ts";
import { completeLimits, type Limits } from "./limits.ts";
import type { QueueContext } from "./queue.ts";
import { Queues } from "./queues.ts";
import { RelayKeys } from "./relay_keys.ts";
import { RendezvousDesk } from "./rendezvous.ts";
import { Session } from "./session.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";
import type { Store } from "./store.ts";
import { openFormat } from "./store_format.ts";
import { StoredBytes } from "./stored_bytes.ts";
import type { SessionContext } from "./visit.ts";
import { WorkPrice } from "./work_price.ts";

const SWEEP_MS = 30_000;

export type RelayOptions = {
  /** Where everything is kept. One relay at a time may use it; closing it is the caller's. */
  kv: Deno.Kv | Store;
  /** The origin that people reach the relay by, for example `https://relay.example`. */
  publicUrl: string;
  /** ms since 1970 */
  clock?: () => number;
  limits?: Partial<Limits>;
  /** One line about the relay itself, never about a client. */
  log?: (line: string) => void;
};

/** A relay: stores envelopes it cannot read for queues it cannot name, for as short a time as possible. */
export class Relay {
  /** Ed25519 public key (32): who this relay is. */
  readonly key: Uint8Array;
  readonly publicUrl: string;
  readonly #context: SessionContext;
  readonly #flusher: Flusher;
  readonly #sessions = new Set<Session>();
  readonly #sweeping: ReturnType<typeof setInterval>;
  #stopped: Promise<void> | undefined;

  private constructor(
    publicUrl: string,
    context: SessionContext,
    flusher: Flusher,
  ) {
    this.key = context.relayKey;
    this.publicUrl = publicUrl;
    this.#context = context;
    this.#flusher = flusher;
    this.#sweeping = setInterval(() => this.sweep(), SWEEP_MS);
    Deno.unrefTimer(this.#sweeping);
  }

  /**
   * Opens the relay on its store, making its key the first time and bringing an older store's format
   * up to date. Throws when the store cannot be read or written, and `StoreFormatError` when it is newer.
   */
  static async open(options: RelayOptions): Promise<Relay> {
    const now = options.clock ?? Date.now;
    const limits = completeLimits(options.limits);
    const store = options.kv instanceof Deno.Kv
      ? new KvStore(options.kv)
      : options.kv;
    const log = options.log ?? (() => {});
    // Only the kind of error: a message of the store's could name a key.
    const failed = (error: unknown) =>
      log(
        `relay: storage failed (${
          error instanceof Error ? error.name : "unknown"
        })`,
      );
    await openFormat(store, now, log);
    const keys = await RelayKeys.open(store, now());
    const stored = await StoredBytes.open(store, limits.storedBytes, now);
    const flusher = new Flusher(store, stored, failed);
    const queueContext: QueueContext = {
      store,
      stored,
      flusher,
      now,
      limits,
      failed,
    };
    const price = new WorkPrice(
      limits.workBits,
      limits.anonymousPerMinute,
      now(),
    );
    const {
      queuesPerConnection,
      messagesPerQueue,
      bytesPerQueue,
      messageLifetime,
    } = limits;
    const hello = async (challenge: Uint8Array) => {
      const time = now();
      const day = await keys.day(time);
      return await encodeHello({
        features: FEATURES,
        challenge,
        time,
        workBits: price.bits(time),
        limits: {
          queuesPerConnection,
          messagesPerQueue,
          bytesPerQueue,
          messageLifetime,
        },
        dayKey: day.publicKey,
        dayKeyValidUntil: day.validUntil,
        url: options.publicUrl,
      }, keys.signer);
    };
    await hello(new Uint8Array(32)); // a URL that is too long is noticed now
    return new Relay(options.publicUrl, {
      queues: new Queues(queueContext),
      desk: await RendezvousDesk.open(queueContext),
      limits,
      price,
      relayKey: keys.signer.publicKey,
      now,
      hello,
      failed,
    }, flusher);
  }

  /** Connections now. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** Speaks the protocol with a client until either side ends the connection. */
  accept(socket: RelaySocket): void {
    if (this.#stopped !== undefined) {
      return socket.close(CLOSE.goingAway, "the relay stops");
    }
    if (this.#sessions.size >= this.#context.limits.connections) {
      const busy = encodeFrame([{
        type: "ERR",
        request: 0,
        code: "busy",
        detail: new Uint8Array(),
      }]);
      for (const frame of busy) socket.send(frame);
      return socket.close(CLOSE.tryLater, "busy");
    }
    const session: Session = new Session(
      this.#context,
      socket,
      () => this.#sessions.delete(session),
    );
    this.#sessions.add(session);
  }

  /** Forgets what has expired, lets go of what nobody uses, closes who says nothing. Called every half minute. */
  sweep(): void {
    const now = this.#context.now();
    for (const session of [...this.#sessions]) session.closeIfMute(now);
    this.#context.queues.sweep();
    this.#context.desk.sweep();
  }

  /** Finishes what was accepted, answers it, and closes all connections. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#sweeping);
    for (const session of this.#sessions) session.deafen();
    await this.#flusher.stop();
    for (const session of [...this.#sessions]) {
      session.close(CLOSE.goingAway, "the relay stops");
    }
  }
}
