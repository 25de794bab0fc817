import { MAX_CHUNK } from "../wire/mod.ts";
import { TAKEN_REMEMBERED } from "./blob_records.ts";

/** Everything a relay refuses to do more of. Each has a default here and a test at its boundary. */
export type Limits = {
  /** Connections at one time; one more is told `busy` and closed. */
  connections: number;
  /** Handles that one connection may hold: queues bound and rendezvous. One more: `full`. */
  queuesPerConnection: number;
  /** The same of all connections together. One more: `busy` to those that hold more than an even share. */
  queuesInAll: number;
  /** Messages waiting in one queue. One more: `full`. */
  messagesPerQueue: number;
  /** Envelope bytes waiting in one queue. More: `full`. */
  bytesPerQueue: number;
  /** How long a message waits, in seconds. */
  messageLifetime: number;
  /** How long a queue lives after its owner last came, in seconds. */
  queueLifetime: number;
  /** How long a queue lives that its owner never bound for receiving, in seconds. */
  unboundQueueLifetime: number;
  /** Sustained frames per second of one connection. Beyond: `rate`. */
  framesPerSecond: number;
  /** Sustained bytes per second of one connection. Beyond: `rate`. */
  bytesPerSecond: number;
  /** How many seconds' worth of the two rates above may come at once. */
  burstSeconds: number;
  /** How many times a connection is told `unauthorised`: the last time it is closed. */
  unauthorised: number;
  /** How long a connection may say nothing at its beginning, in seconds, until it is closed. */
  firstFrameWithin: number;
  /** Unread bytes buffered for one socket at which pushing pauses: messages stay in their queue. */
  bufferedBytes: number;
  /** Unread bytes buffered for one socket (answers nobody reads) at which it is closed. */
  bufferedBytesToClose: number;
  /** Unread bytes of all connections together: at half of them pushing pauses for who has much unread, beyond them who has most is closed. */
  bufferedBytesInAll: number;
  /** Bytes of frames of one connection whose commands wait behind one that takes time. More: `rate`. */
  waitingBytes: number;
  /** The same of all connections together; more is `busy` to those who have some waiting. */
  waitingBytesInAll: number;
  /** Bytes accepted but not yet on disk, in all. More: `busy`. */
  unwrittenBytes: number;
  /** Bytes in the store, in all, about as the disk has them. More: `busy`. */
  storedBytes: number;
  /** Rendezvous at one time, in all, those that are over not counted. One more: `busy`. */
  rendezvous: number;
  /** How long a rendezvous lasts, in seconds. */
  rendezvousLifetime: number;
  /** Messages that one side may leave at a rendezvous. One more: `full`. */
  passesPerSide: number;
  /** Bytes that the contents of one blob may measure. More: `too-large`. */
  bytesPerBlob: number;
  /** How long a blob's contents live after they were begun, in seconds; its maker may ask for less. */
  blobLifetime: number;
  /** One-time bundles in a prekey pool. More: `full`. */
  bundlesPerPool: number;
  /** Bytes of one bundle in a prekey pool. More: `too-large`. */
  bytesPerBundle: number;
  /** How long a prekey pool lives after its owner last filled it, in seconds. */
  poolLifetime: number;
  /** Bytes that blobs and pools take of the store, in all. More: `busy`. */
  blobBytes: number;
  /** Bytes of a blob that `workBits` pay for; each doubling costs a bit more. */
  blobBytesPerWork: number;
  /** Connections to other relays at one time; the least used makes room. When all are in use: `busy`. */
  peers: number;
  /** How long a connection to another relay is kept that nothing goes by, in seconds. */
  peerIdle: number;
  /** Other relays that one connection may forward to. One more: `full`. */
  peersPerConnection: number;
  /** Sustained FWDs per second of one connection. Beyond: `rate`. */
  forwardsPerSecond: number;
  /** FWDs of one connection that wait for their answer. One more: `rate`. */
  forwardsUnderWay: number;
  /** FWDs to one other relay that wait for their turn or their answer. One more: `busy`; of who has none there, after twice as many. */
  forwardsPerPeer: number;
  /** How long another relay may take to connect, and for each answer, in seconds. Longer: `unreachable`. */
  forwardWithin: number;
  /** FWDs heard of one other relay's connection until it is ended: each is remembered, so that none is heard twice. */
  forwardsRemembered: number;
  /** Sustained frames per second of another relay's connection. Beyond: `rate`. As many go to one; more waits. */
  peerFramesPerSecond: number;
  /** Sustained bytes per second of another relay's connection. Beyond: `rate`. As many go to one; more waits. */
  peerBytesPerSecond: number;
  /** Leading zero bits of the proof of work while there is little to do. */
  workBits: number;
  /** Anonymous commands (NEW, OPEN, JOIN, ACCESS, PUT of a new blob or pool, FWD to greet) per minute up to which `workBits` suffices; each doubling costs a bit more. */
  anonymousPerMinute: number;
};

const DAY = 86_400;

export const DEFAULT_LIMITS: Limits = {
  connections: 10_000,
  queuesPerConnection: 4_096,
  // About 250 MB of memory; 50 for each of the connections, and each may have as many however full it is.
  queuesInAll: 500_000,
  messagesPerQueue: 4_096,
  bytesPerQueue: 16 * 1024 * 1024,
  messageLifetime: 21 * DAY,
  queueLifetime: 365 * DAY,
  unboundQueueLifetime: DAY,
  framesPerSecond: 500,
  bytesPerSecond: 4 * 1024 * 1024,
  burstSeconds: 4,
  unauthorised: 20,
  firstFrameWithin: 60,
  bufferedBytes: 256 * 1024,
  bufferedBytesToClose: 1024 * 1024,
  // Some hundred that take what they are pushed slowly, as people on the move do, at their full window.
  bufferedBytesInAll: 128 * 1024 * 1024,
  // A second's worth: it takes no longer until those before it are done, unless the relay has too much to do.
  waitingBytes: 4 * 1024 * 1024,
  waitingBytesInAll: 64 * 1024 * 1024,
  unwrittenBytes: 64 * 1024 * 1024,
  // Fits the disk of the smallest machine that is rented out, 10 GB, with the system and room for the database's log.
  storedBytes: 4 * 1024 * 1024 * 1024,
  // Each takes 400 bytes of memory, 1,000 with what both sides left: 100 MB when all are taken.
  rendezvous: 100_000,
  rendezvousLifetime: 300,
  passesPerSide: 4,
  // The largest chat attachments that people are used to elsewhere; a minute of a slow uplink.
  bytesPerBlob: 64 * 1024 * 1024,
  blobLifetime: 365 * DAY,
  // As many strangers at once as a device answers before it fills up again; a bundle is 1.8 KB, sealed and padded 2.
  bundlesPerPool: 4,
  bytesPerBundle: 4_096,
  poolLifetime: 365 * DAY,
  // Half of what is stored in all: whoever fills it with blobs leaves room for messages.
  blobBytes: 2 * 1024 * 1024 * 1024,
  blobBytesPerWork: 256 * 1024,
  // Each takes 40 KB of memory at both ends; over Tor there is one for each contact of somebody's.
  peers: 1_000,
  peerIdle: 300,
  peersPerConnection: 256,
  // A window of 16 envelopes of six contacts at once.
  forwardsPerSecond: 100,
  forwardsUnderWay: 100,
  forwardsPerPeer: 1_024,
  // The worst that a fresh circuit of Tor was seen to take is 8 s.
  forwardWithin: 30,
  // About 5 MB of memory.
  forwardsRemembered: 65_536,
  // A connection that speaks for some hundred people.
  peerFramesPerSecond: 2_000,
  peerBytesPerSecond: 16 * 1024 * 1024,
  workBits: 12,
  anonymousPerMinute: 600,
};

/** Chunks are numbered by a u16. */
const MOST_BLOB_BYTES = 65_536 * MAX_CHUNK;

/** A value of the store ends at 65,536 bytes; the rest is for keys and lengths. */
const MOST_POOL_BYTES = 65_000;

/** The longest that a message may wait, whatever the option says. */
const LONGEST_MESSAGE_LIFETIME = 21 * DAY;

/** Limits that no relay may have together: which, and as message why. */
export class LimitError extends RangeError {
  override readonly name = "LimitError";
  readonly limits: readonly (keyof Limits)[];

  constructor(limits: readonly (keyof Limits)[], why: string) {
    super(why);
    this.limits = limits;
  }
}

type Rule = {
  of: readonly (keyof Limits)[];
  holds: (limits: Limits) => boolean;
  why: string;
};

const RULES: readonly Rule[] = [
  {
    of: ["messageLifetime"],
    holds: (limits) => limits.messageLifetime <= LONGEST_MESSAGE_LIFETIME,
    why: "messages wait at most 21 days",
  },
  {
    of: ["queuesPerConnection"],
    holds: (limits) => limits.queuesPerConnection <= 0xffff,
    why: "a connection has at most 65,535 queues",
  },
  {
    of: ["bufferedBytes", "bufferedBytesToClose"],
    holds: (limits) => limits.bufferedBytes < limits.bufferedBytesToClose,
    why: "pushing must pause before a connection is closed",
  },
  {
    of: ["bytesPerBlob"],
    holds: (limits) => limits.bytesPerBlob <= MOST_BLOB_BYTES,
    why: "a blob has at most 65,536 chunks of 32,000 bytes",
  },
  {
    of: ["bundlesPerPool", "bytesPerBundle"],
    holds: ({ bundlesPerPool, bytesPerBundle }) =>
      bundlesPerPool <= 255 &&
      (1 + bundlesPerPool + TAKEN_REMEMBERED) * (bytesPerBundle + 18) <=
        MOST_POOL_BYTES,
    why: "a prekey pool must fit a record of 65,000 bytes",
  },
  {
    of: ["blobBytesPerWork"],
    holds: (limits) => limits.blobBytesPerWork > 0,
    why: "a proof of work pays for something",
  },
  {
    of: ["forwardsPerPeer"],
    holds: (limits) => limits.forwardsPerPeer <= 0xffff,
    why: "at most 65,535 commands wait at another relay",
  },
  {
    of: ["forwardWithin"],
    holds: (limits) => limits.forwardWithin <= 60,
    why: "another relay is waited for at most a minute",
  },
  {
    of: ["workBits"],
    holds: (limits) => limits.workBits <= 24,
    why: "a proof of work has at most 24 bits",
  },
];

/** Defaults with `changes`; throws `LimitError` for what no relay may have. */
export function completeLimits(changes: Partial<Limits> = {}): Limits {
  const limits = { ...DEFAULT_LIMITS, ...changes };
  // Object.keys widens the names: they are those of the defaults.
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
    const value = limits[name];
    const most = name === "storedBytes" || name === "blobBytes"
      ? 2 ** 48 - 1
      : 2 ** 32 - 1;
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw new LimitError([name], `it must be a whole number up to ${most}`);
    }
  }
  for (const { of, holds, why } of RULES) {
    if (!holds(limits)) throw new LimitError(of, why);
  }
  return limits;
}
