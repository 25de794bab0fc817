/** Every limit of the relay as an option: its unit, what it bounds, and why. The default is the relay's. */
import { DEFAULT_LIMITS, type Limits } from "../lib/relay/mod.ts";
import {
  count,
  duration,
  durationText,
  type Parser,
  size,
  sizeText,
} from "./option_values.ts";

export interface LimitOption {
  readonly limit: keyof Limits;
  readonly value: "NUMBER" | "SIZE" | "TIME";
  readonly parse: Parser<number>;
  readonly fallback: string;
  /** What it bounds, and in what unit. */
  readonly what: string;
  /** Why the default is what it is, or what a change does. */
  readonly why: string;
}

type Entry = readonly [
  value: LimitOption["value"],
  what: string,
  why: string,
];

const ENTRIES: Readonly<Record<keyof Limits, Entry>> = {
  connections: [
    "NUMBER",
    "connections at one time",
    "about 20 KB of memory and one open file each; see ulimit -n",
  ],
  queuesPerConnection: [
    "NUMBER",
    "queues and rendezvous that one connection may hold",
    "each contact takes three at most: enough for 1,365 of them",
  ],
  queuesInAll: [
    "NUMBER",
    "the same, of all connections together",
    "about half a KB of memory each; who holds few is not refused any",
  ],
  messagesPerQueue: [
    "NUMBER",
    "messages waiting in one queue",
    "so that nobody fills the disk through one address",
  ],
  bytesPerQueue: [
    "SIZE",
    "bytes waiting in one queue",
    "so that nobody fills the disk through one address; fewer as it fills",
  ],
  messageLifetime: [
    "TIME",
    "how long a message waits for its reader, at most 21d",
    "three weeks of holidays, and no longer: what is not there can't be seized",
  ],
  queueLifetime: [
    "TIME",
    "how long a queue lives after its owner last came",
    "who is away for longer has to meet people anew",
  ],
  unboundQueueLifetime: [
    "TIME",
    "how long a queue lives that its owner never read",
    "made and never used costs the relay for a day, not a year",
  ],
  framesPerSecond: [
    "NUMBER",
    "frames per second of one connection",
    "far more than people write; a flood is held to it",
  ],
  bytesPerSecond: [
    "SIZE",
    "bytes per second of one connection",
    "the larger frames are held to this, the smaller ones to their number",
  ],
  burstSeconds: [
    "TIME",
    "how many seconds' worth of both rates may come at once",
    "who comes back after a while has much to say",
  ],
  unauthorised: [
    "NUMBER",
    "wrong signatures of one connection until it is closed",
    "each costs the relay the time to check it",
  ],
  firstFrameWithin: [
    "TIME",
    "how long a new connection may say nothing",
    "a silent one takes a place from somebody else",
  ],
  bufferedBytes: [
    "SIZE",
    "unread bytes for one connection at which the relay stops pushing",
    "what is not pushed waits in its queue instead of in memory",
  ],
  bufferedBytesToClose: [
    "SIZE",
    "unread bytes for one connection at which it is closed",
    "answers nobody reads can wait nowhere but in memory",
  ],
  bufferedBytesInAll: [
    "SIZE",
    "unread bytes of all connections at which those with most are closed",
    "many who read nothing cost no more; pushing them pauses at half of it",
  ],
  waitingBytes: [
    "SIZE",
    "bytes of one connection that wait for what it asked before",
    "a second's worth; who asks for much and reads no answers is held to it",
  ],
  waitingBytesInAll: [
    "SIZE",
    "the same, of all together",
    "many who do so cost no more memory than this",
  ],
  unwrittenBytes: [
    "SIZE",
    "bytes accepted and not yet on disk, of all together",
    "a disk that hangs costs no more memory than this",
  ],
  storedBytes: [
    "SIZE",
    "bytes in the database, of all together",
    "fits a disk of 10 GB beside the system; set it to what is free",
  ],
  rendezvous: [
    "NUMBER",
    "invite codes waiting at one time",
    "up to 1 KB of memory each",
  ],
  rendezvousLifetime: [
    "TIME",
    "how long an invite code waits",
    "long enough to read it out, too short to guess it",
  ],
  passesPerSide: [
    "NUMBER",
    "messages that one side may leave at an invite code",
    "the handshake takes two from each side",
  ],
  bytesPerBlob: [
    "SIZE",
    "bytes of one blob: a file, or an account's backup",
    "as large as what people send each other elsewhere; at most 2,097,152,000",
  ],
  blobLifetime: [
    "TIME",
    "how long a blob lives after it was last written, at most",
    "who made it may ask for less; files live for weeks, backups for a year",
  ],
  bundlesPerPool: [
    "NUMBER",
    "bundles of prekeys that wait for one contact of one device",
    "each is a session begun while its owner is away; then a last one serves",
  ],
  bytesPerBundle: [
    "SIZE",
    "bytes of one bundle of prekeys",
    "twice what one takes, sealed and padded",
  ],
  poolLifetime: [
    "TIME",
    "how long bundles wait after their owner last came",
    "as long as a queue",
  ],
  blobBytes: [
    "SIZE",
    "bytes of blobs and bundles in the database, of all together",
    "half of what is stored in all, so that files leave room for messages",
  ],
  blobBytesPerWork: [
    "SIZE",
    "bytes of a blob that one piece of work pays for",
    "each doubling costs one bit more: who fills the disk works for it",
  ],
  peers: [
    "NUMBER",
    "connections to other relays at one time",
    "about 40 KB of memory each; the least used makes room for a new one",
  ],
  peerIdle: [
    "TIME",
    "how long a connection to another relay is kept that nothing goes by",
    "the next message needs no new one; a silent one costs little",
  ],
  peersPerConnection: [
    "NUMBER",
    "other relays that one connection may forward to",
    "more than most people have contacts at; each is one to be dialled",
  ],
  forwardsPerSecond: [
    "NUMBER",
    "what one connection may forward in a second",
    "far more than people write; nobody floods other relays from here",
  ],
  forwardsUnderWay: [
    "NUMBER",
    "what one connection forwards and waits for, at one time",
    "sixteen messages on their way to each of six contacts",
  ],
  forwardsPerPeer: [
    "NUMBER",
    "what waits for the answer of one other relay, at most 65535",
    "a relay that hangs costs no more memory than this",
  ],
  forwardWithin: [
    "TIME",
    "how long another relay may take to connect, and to answer, at most 1m",
    "a new circuit of Tor takes up to 8 s; then it counts as away",
  ],
  forwardsRemembered: [
    "NUMBER",
    "what one connection of another relay may hand in before it is ended",
    "each is remembered, about 80 bytes, so that none is heard twice",
  ],
  peerFramesPerSecond: [
    "NUMBER",
    "frames per second of another relay's connection, and to one",
    "it speaks for many people at once; what is more waits its turn",
  ],
  peerBytesPerSecond: [
    "SIZE",
    "bytes per second of another relay's connection, and to one",
    "it speaks for many people at once; what is more waits its turn",
  ],
  workBits: [
    "NUMBER",
    "leading zero bits of the work that making something costs, at most 24",
    "a few milliseconds; each bit more doubles it, 0 makes it free",
  ],
  anonymousPerMinute: [
    "NUMBER",
    "such makings per minute until each costs one more bit",
    "whoever floods the relay pays for it, and for everybody's wait",
  ],
};

const KINDS: Readonly<
  Record<
    LimitOption["value"],
    { readonly parse: Parser<number>; readonly text: (value: number) => string }
  >
> = {
  NUMBER: { parse: count, text: String },
  SIZE: { parse: size, text: sizeText },
  TIME: { parse: duration, text: durationText },
};

/** By option name: `messages-per-queue` for `messagesPerQueue`. */
export const LIMIT_OPTIONS: ReadonlyMap<string, LimitOption> = new Map(
  // Object.entries widens the names: they are those of the record above.
  (Object.entries(ENTRIES) as [keyof Limits, Entry][]).map(
    ([limit, [value, what, why]]) => [
      limit.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`),
      {
        limit,
        value,
        parse: KINDS[value].parse,
        fallback: KINDS[value].text(DEFAULT_LIMITS[limit]),
        what,
        why,
      },
    ],
  ),
);
