import { encodeFrame, encodeHello, FEATURES } from "../wire/mod.ts";
import { accessSigner } from "./access_signer.ts";
import { Blobs } from "./blobs.ts";
import { Flusher } from "./flusher.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { KvStore } from "./kv_store.ts";
import { type ForwardOptions, Peers } from "./peers.ts";
import { completeLimits, type Limits } from "./limits.ts";
import { Pools } from "./pools.ts";
import type { QueueContext } from "./queue_context.ts";
import { Queues } from "./queues.ts";
import { type Random, systemRandom } from "./random.ts";
import { RelayKeys } from "./relay_keys.ts";
import { RendezvousDesk } from "./rendezvous.ts";
import { Session } from "./session.ts";
import { CLOSE, type RelaySocket } from "./socket.ts";
import type { Store } from "./store.ts";
import { openFormat } from "./store_format.ts";
import { StoredBytes } from "./stored_bytes.ts";
import { Unread } from "./unread.ts";
import type { SessionContext } from "./visit.ts";
import { Counts, type Health, type Totals } from "./totals.ts";
import { WatchedStore } from "./watched_store.ts";
import { WorkPrice } from "./work_price.ts";

const SWEEP_MS = 30_000;

/** The longest that a relay which stops puts things in their places. */
const TIDY_MS = 2_000;

export type RelayOptions = {
  /** Where everything is kept. One relay at a time may use it; closing it is the caller's. */
  kv: Deno.Kv | Store;
  /** The origin that people reach the relay by, for example `https://relay.example`. */
  publicUrl: string;
  /** ms since 1970 */
  clock?: () => number;
  /** Where keys, challenges and nameplates come from; the system's unless told otherwise. */
  random?: Random;
  limits?: Partial<Limits>;
  /** A password that whoever makes a queue, a blob, a pool or an invite code must know. Opening takes half a second more. */
  access?: string;
  journal?: Partial<JournalOptions>;
  /** How other relays are reached, and which; without it this one forwards nothing. It takes in what they forward. */
  forward?: ForwardOptions;
  /** One line about the relay itself, never about a client. */
  log?: (line: string) => void;
};

/** What the relay reports on. */
type Parts = {
  base: WatchedStore;
  store: Journal;
  stored: StoredBytes;
  flusher: Flusher;
  counts: Counts;
};

/** A relay: stores envelopes it cannot read for queues it cannot name, for as short a time as possible. */
export class Relay {
  /** Ed25519 public key (32): who this relay is. */
  readonly key: Uint8Array;
  readonly publicUrl: string;
  readonly #context: SessionContext;
  readonly #parts: Parts;
  readonly #sessions = new Set<Session>();
  readonly #sweeping: ReturnType<typeof setInterval>;
  /** Commits there had been at the last sweep. */
  #commits = 0;
  #stopped: Promise<void> | undefined;

  private constructor(
    publicUrl: string,
    context: SessionContext,
    parts: Parts,
  ) {
    this.key = context.relayKey;
    this.publicUrl = publicUrl;
    this.#context = context;
    this.#parts = parts;
    this.#sweeping = setInterval(() => this.sweep(), SWEEP_MS);
    Deno.unrefTimer(this.#sweeping);
  }

  /**
   * Opens the relay on its store, making its key the first time and bringing an older store's format
   * up to date. Throws when the store cannot be read or written, and `StoreFormatError` when it is newer.
   */
  static async open(options: RelayOptions): Promise<Relay> {
    const now = options.clock ?? Date.now;
    const random = options.random ?? systemRandom;
    const limits = completeLimits(options.limits);
    const base = new WatchedStore(
      options.kv instanceof Deno.Kv ? new KvStore(options.kv) : options.kv,
    );
    const log = options.log ?? (() => {});
    // Only the kind of error: a message of the store's could name a key.
    const failed = (error: unknown) =>
      log(
        `relay: storage failed (${
          error instanceof Error ? error.name : "unknown"
        })`,
      );
    await openFormat(base, now, log);
    const store = await Journal.open(base, failed, options.journal);
    // In their places at once: whoever opens the store without a relay looks for them there.
    const keys = await RelayKeys.open(base, now(), random);
    const stored = await StoredBytes.open(store, limits.storedBytes, now);
    const flusher = new Flusher(store, stored, failed);
    const counts = new Counts();
    const accessKey = options.access === undefined
      ? undefined
      : (await accessSigner(options.access, keys.signer.publicKey)).publicKey;
    const queueContext: QueueContext = {
      store,
      stored,
      flusher,
      now,
      random,
      limits,
      counts,
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
    const hello = async (challenge: Uint8Array, url: string) => {
      const time = now();
      const day = await keys.day(time);
      const body = await encodeHello({
        features: (accessKey === undefined ? 0 : FEATURES.access) |
          (options.forward?.throughTor ? FEATURES.throughTor : 0),
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
        url,
      }, keys.signer);
      return { body, day };
    };
    await hello(new Uint8Array(32), options.publicUrl); // a URL that is too long is noticed now
    const desk = await RendezvousDesk.open(queueContext);
    const [blobs, pools] = [new Blobs(queueContext), new Pools(queueContext)];
    return new Relay(options.publicUrl, {
      queues: new Queues(queueContext),
      desk,
      blobs,
      pools,
      limits,
      price,
      waiting: { bytes: 0 },
      held: { handles: 0 },
      unread: new Unread(limits.bufferedBytesInAll, limits.connections),
      random,
      relayKey: keys.signer.publicKey,
      accessKey,
      now,
      hello,
      failed,
      peers: options.forward && new Peers(options.forward, limits, now),
    }, { base, store, stored, flusher, counts });
  }

  /** Connections now. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** Whether it can do what it is for. */
  get health(): Health {
    return {
      writable: this.#parts.base.writable,
      draining: this.#stopped !== undefined,
    };
  }

  /** What it did and has, in all. */
  get totals(): Totals {
    const { base, stored, flusher, counts } = this.#parts;
    return {
      ...counts,
      connections: this.#sessions.size,
      commits: base.commits,
      commitFailures: base.failures,
      storedBytes: stored.total,
      storedBytesLimit: this.#context.limits.storedBytes,
      unwrittenBytes: flusher.unwrittenBytes,
      rendezvous: this.#context.desk.live,
      peers: this.#context.peers?.count ?? 0,
    };
  }

  /**
   * Speaks the protocol with a client until either side ends the connection. `publicUrl`: the origin it
   * came by, where the relay has several.
   */
  accept(socket: RelaySocket, publicUrl = this.publicUrl): void {
    if (this.#stopped !== undefined) {
      return socket.close(CLOSE.goingAway, "the relay stops");
    }
    const { counts } = this.#parts;
    if (this.#sessions.size >= this.#context.limits.connections) {
      counts.connectionsRefused++;
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
      publicUrl,
      () => this.#sessions.delete(session),
    );
    this.#sessions.add(session);
    counts.connectionsAccepted++;
  }

  /**
   * Forgets what has expired, lets go of what nobody uses, closes who says nothing, and tries whether
   * the store can be written when nobody else did. Called every half minute.
   */
  sweep(): void {
    const now = this.#context.now();
    for (const session of [...this.#sessions]) session.closeIfMute(now);
    this.#context.queues.sweep();
    this.#context.desk.sweep();
    this.#context.peers?.sweep();
    const { base, flusher } = this.#parts;
    const ended = base.commits + base.failures;
    if (ended === this.#commits || !base.writable) flusher.wait(() => {});
    this.#commits = ended;
  }

  /**
   * Finishes what was accepted, answers it, and closes all connections. A store that needs longer than
   * `patience` ms is not waited for: what it has not confirmed is then not answered either.
   */
  stop(patience = Infinity): Promise<void> {
    this.#stopped ??= this.#stop(patience);
    return this.#stopped;
  }

  async #stop(patience: number): Promise<void> {
    clearInterval(this.#sweeping);
    for (const session of this.#sessions) session.deafen();
    this.#context.peers?.close();
    const begun = performance.now();
    await within(patience, this.#finish());
    for (const session of [...this.#sessions]) {
      session.close(CLOSE.goingAway, "the relay stops");
    }
    // What stays in the journal is as safe there.
    const left = Math.min(TIDY_MS, patience - (performance.now() - begun));
    await within(left, this.#parts.store.close(left));
  }

  async #finish(): Promise<void> {
    const { blobs, pools } = this.#context;
    await Promise.all([blobs.idle(), pools.idle()]);
    await this.#parts.flusher.stop();
  }
}

/** Waits for `promise`, but not for longer than so many ms. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  if (ms === Infinity) return await promise;
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}
