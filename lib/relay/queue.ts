import type { ErrorName, Role } from "../wire/mod.ts";
import { bytesOf, textOf } from "./byte_text.ts";
import type { Flusher, Pending } from "./flusher.ts";
import type { Limits } from "./limits.ts";
import {
  decodeMessage,
  encodeMessage,
  encodeQueue,
  messageBytes,
  messageKey,
  MESSAGES,
  QUEUE_BYTES,
  queueKey,
  type QueueRecord,
} from "./records.ts";
import type { Random } from "./random.ts";
import type { Mutation, Store } from "./store.ts";
import type { Kept, StoredBytes } from "./stored_bytes.ts";
import type { Counts } from "./totals.ts";

/** How many seqs one write of the counter makes available. */
const SEQ_BLOCK = 1_024;

/** Ids of messages already acknowledged that a queue in memory still recognises. */
const RECENT_IDS = 64;

const DAY_MS = 86_400_000;

/** Told once: undefined is OK. */
export type Answer = (error: ErrorName | undefined) => void;

/** The connection that a queue pushes to. */
export interface QueueReader {
  /** Whether its socket can take more now. */
  readonly room: boolean;
  push(seq: number, id: Uint8Array, envelope: Uint8Array): void;
  /** There was no room: wants `pump` called when there is. */
  stalled(queue: Queue): void;
  /** A higher or equal generation took over. */
  replaced(): void;
}

type Entry = {
  seq: number;
  id: string;
  size: number;
  expires: number;
  /** The record while it is not durable; afterwards the store has it. */
  record: Uint8Array | undefined;
  pending: Pending | undefined;
  /** Its deletion, on its way to the disk. */
  removal: Pending | undefined;
  /** Senders that wait for OK. */
  answers: Answer[];
};

export type QueueContext = {
  store: Store;
  stored: StoredBytes;
  flusher: Flusher;
  now: () => number;
  random: Random;
  limits: Limits;
  counts: Counts;
  /** Hears of a store that cannot be read. */
  failed: (error: unknown) => void;
};

/**
 * One queue while somebody uses it. Memory is ahead of the disk by at most one
 * unanswered flush; what it says is what counts.
 */
export class Queue {
  // Strings of bytes: an array of 32 bytes takes six times as much, and there are many queues.
  readonly #id: string;
  readonly #keys: Record<Role, string>;
  #generation: number;
  #ceiling: number;
  #expires: number;
  /** When the record last written expires; 0 when there is none. */
  #recordExpires: number;
  #deleted = false;
  /** The record on disk is behind: what was claimed last could not be written. */
  #claimLost = false;
  /** When deletion is on disk; a queue of the same keys may be made again then. */
  deleted: Promise<void> | undefined;
  /** When making it has succeeded or, then it is gone, failed. */
  made: Promise<void> | undefined;
  /** Handles that connections hold. */
  handles = 0;

  readonly #context: QueueContext;
  #entries: Entry[] = [];
  // Made when there is something in them: most queues in use are empty.
  #byId: Map<string, Entry> | undefined;
  #recent: Set<string> | undefined;
  #bytes = 0;
  #nextSeq: number;
  /** Only seqs below this are pushed: after a crash none of them is given out again. */
  #safeSeq: number;
  #raising = false;
  #unsettled = 0;
  #reader: QueueReader | undefined;
  #cursor = -1;
  #reading = false;

  /** A new queue, not yet written, or one whose record was read. */
  constructor(
    context: QueueContext,
    id: Uint8Array,
    record: QueueRecord,
    durable: boolean,
  ) {
    this.#context = context;
    this.#id = textOf(id);
    this.#keys = {
      receive: textOf(record.receiveKey),
      send: textOf(record.sendKey),
      remove: textOf(record.removeKey),
    };
    this.#generation = record.generation;
    this.#ceiling = record.ceiling;
    this.#expires = record.expires;
    this.#recordExpires = durable ? record.expires : 0;
    this.#nextSeq = durable ? record.ceiling : 1;
    this.#safeSeq = durable ? record.ceiling : 0;
  }

  /** 16 bytes */
  get id(): Uint8Array {
    return bytesOf(this.#id);
  }

  /** The public key of a role, 32 bytes. */
  key(role: Role): Uint8Array {
    return bytesOf(this.#keys[role]);
  }

  /** The highest generation that its owner came with. */
  get generation(): number {
    return this.#generation;
  }

  /** When a queue expires that lives `seconds` from now: ms, rounded up to a day. */
  static expiryAt(context: QueueContext, seconds: number): number {
    return Math.ceil((context.now() + seconds * 1_000) / DAY_MS) * DAY_MS;
  }

  /** Deleted, expired, or never made durable: whoever still holds a handle is told so. */
  get gone(): boolean {
    return this.#deleted || this.#expires <= this.#context.now();
  }

  /** Nobody holds a handle and nothing is under way to the disk: the store alone can answer. */
  get idle(): boolean {
    return this.handles === 0 && this.#unsettled === 0 && !this.#deleted;
  }

  /** Fills a queue that was just constructed with what the store has for it. */
  async load(): Promise<void> {
    const latest = this.#context.now() +
      this.#context.limits.messageLifetime * 1_000;
    let start = 0;
    for (;;) {
      const page = await this.#context.store.list([MESSAGES, this.id], {
        start,
        limit: 500,
      });
      for (const { key, value } of page) {
        const seq = seqOf(key);
        const { expires, id, envelope } = decodeMessage(value);
        // A clock that was ahead for a while must not keep messages longer than promised.
        this.#add({
          seq,
          id: textOf(id),
          size: envelope.length,
          expires: Math.min(expires, latest),
          record: undefined,
          pending: undefined,
          removal: undefined,
          answers: [],
        });
        start = seq + 1;
      }
      if (page.length < 500) return;
    }
  }

  /** Writes a new queue's record, after taking away what a queue of this name left that expired. */
  create(answer: Answer): void {
    for (const entry of this.#entries.splice(0)) this.#remove(entry);
    this.#recent = undefined;
    this.#ceiling = SEQ_BLOCK;
    this.made = new Promise((resolve) =>
      this.#writeRecord("once", (error) => {
        this.made = undefined;
        if (error === undefined) this.#safeSeq = SEQ_BLOCK;
        else this.#deleted = true;
        resolve();
        answer(error === undefined ? undefined : "busy");
      })
    );
  }

  /** Accepts a message; `answer` comes with the flush that makes it durable. A repeat is stored once. */
  send(id: Uint8Array, envelope: Uint8Array, answer: Answer): void {
    if (this.gone) return answer("no-such-queue");
    const text = textOf(id);
    const known = this.#byId?.get(text);
    if (known?.pending !== undefined) {
      known.answers.push(answer);
      return;
    }
    // Also a repeat of what is stored, or was read, is answered with a flush: the sender cannot tell which.
    if (known !== undefined || this.#recent?.has(text)) {
      this.#context.flusher.pretend(
        this.#mutation(0, encodeMessage(0, id, envelope)),
        (error) => answer(error === undefined ? undefined : "busy"),
      );
      return;
    }
    this.#forgetExpired();
    const { limits, flusher, stored, now } = this.#context;
    if (this.#entries.length >= limits.messagesPerQueue) return answer("full");
    if (this.#bytes + envelope.length > limits.bytesPerQueue) {
      return answer("full");
    }
    if (
      flusher.unwrittenBytes + envelope.length > limits.unwrittenBytes ||
      !stored.hasRoom(messageBytes(envelope.length))
    ) return answer("busy");
    const expires = now() + limits.messageLifetime * 1_000;
    const entry: Entry = {
      seq: this.#nextSeq++,
      id: text,
      size: envelope.length,
      expires,
      record: encodeMessage(expires, id, envelope),
      pending: undefined,
      removal: undefined,
      answers: [answer],
    };
    this.#add(entry);
    this.#raiseCeiling();
    this.#write(entry);
    this.pump();
  }

  /** Makes `reader` the one that is pushed to, from the oldest message on. */
  attach(reader: QueueReader): void {
    if (this.#reader !== reader) this.#reader?.replaced();
    this.#reader = reader;
    this.#cursor = -1;
    this.pump();
  }

  /** The connection is gone: what it did not acknowledge waits for the next. */
  detach(reader: QueueReader): void {
    if (this.#reader === reader) this.#reader = undefined;
  }

  isReader(reader: QueueReader): boolean {
    return this.#reader === reader;
  }

  /**
   * Notes that the owner came with this generation, which must not be lower
   * than the record's. `answer` comes when it is durable.
   */
  claim(generation: number, answer: Answer): void {
    const { queueLifetime } = this.#context.limits;
    const expires = Queue.expiryAt(this.#context, queueLifetime);
    if (
      generation === this.#generation && expires === this.#expires &&
      !this.#claimLost
    ) {
      if (this.#unsettled === 0) return answer(undefined);
      // Perhaps it is that claim that is under way.
      this.#context.flusher.wait((error) =>
        answer(error === undefined && !this.#claimLost ? undefined : "busy")
      );
      return;
    }
    this.#generation = generation;
    this.#expires = expires;
    this.#writeRecord("once", (error) => {
      this.#claimLost = error !== undefined;
      answer(error === undefined ? undefined : "busy");
    });
  }

  /** Deletes everything up to `seq`, durably before the answer. What is not on disk yet never gets there. */
  acknowledge(seq: number, answer: Answer): void {
    let count = 0;
    while (count < this.#entries.length && this.#entries[count].seq <= seq) {
      count++;
    }
    for (const entry of this.#entries.splice(0, count)) this.#remove(entry);
    this.#context.counts.messagesAcknowledged += count;
    if (count === 0 && this.#unsettled === 0) return answer(undefined);
    this.#context.flusher.wait((error) =>
      answer(error === undefined ? undefined : "busy")
    );
  }

  /** Deletes the queue with all that waits in it. Messages go first: a crash in between leaves a queue, not orphans. */
  delete(answer: Answer): void {
    if (this.gone) return answer(undefined);
    this.#deleted = true;
    this.#reader = undefined;
    for (const entry of this.#entries.splice(0)) {
      for (const waiting of entry.answers.splice(0)) waiting("no-such-queue");
      this.#remove(entry);
    }
    this.deleted = new Promise((resolve) => {
      this.#context.flusher.writeEventually(
        { key: queueKey(this.id) },
        (error) => {
          resolve();
          answer(error === undefined ? undefined : "busy");
        },
        [{ bytes: -QUEUE_BYTES, expires: this.#recordExpires }],
      );
    });
  }

  /** Pushes what waits, in order, as long as the reader has room. */
  pump(): void {
    const reader = this.#reader;
    if (reader === undefined || this.#reading) return;
    this.#forgetExpired();
    for (
      let i = this.#indexAfter(this.#cursor);
      i < this.#entries.length;
      i++
    ) {
      const entry = this.#entries[i];
      if (entry.seq >= this.#safeSeq) return; // the counter's write pumps again
      if (!reader.room) return reader.stalled(this);
      if (entry.expires <= this.#context.now()) {
        this.#cursor = entry.seq;
      } else if (entry.record !== undefined) {
        this.#push(reader, entry.seq, entry.record);
      } else {
        this.#readAndPush(i);
        return;
      }
    }
  }

  #push(reader: QueueReader, seq: number, record: Uint8Array): void {
    const { id, envelope } = decodeMessage(record);
    this.#cursor = seq;
    reader.push(seq, id, envelope);
  }

  /** Reads what is on disk from the entry at `from` on, about as much as a socket takes at once. */
  #readAndPush(from: number): void {
    let bytes = 0;
    let limit = 0;
    while (
      from + limit < this.#entries.length &&
      (limit === 0 || bytes < this.#context.limits.bufferedBytes)
    ) {
      bytes += this.#entries[from + limit].size;
      limit++;
    }
    const wanted = this.#entries.slice(from, from + limit).filter((entry) =>
      entry.record === undefined
    );
    this.#reading = true;
    this.#context.store.list([MESSAGES, this.id], {
      start: wanted[0].seq,
      limit,
    }).then((page) => {
      this.#reading = false;
      const records = new Map(
        page.map(({ key, value }) => [seqOf(key), value]),
      );
      const end = page.length === limit ? seqOf(page[limit - 1].key) : Infinity;
      for (const entry of wanted) {
        if (this.#byId?.get(entry.id) !== entry) continue; // acknowledged meanwhile
        const record = records.get(entry.seq);
        if (record !== undefined) this.#pushIfNext(entry, record);
        else if (entry.seq < end) this.#forget(entry); // the store cleaned up what had expired
      }
      this.pump();
    }, (error: unknown) => {
      // The messages stay, and the next BIND or message tries again.
      this.#reading = false;
      this.#context.failed(error);
    });
  }

  /** What was read may be late: there can be a new reader, which begins with the oldest, or no room left. */
  #pushIfNext(entry: Entry, record: Uint8Array): void {
    if (!this.#reader?.room || entry.expires <= this.#context.now()) return;
    if (this.#entries[this.#indexAfter(this.#cursor)] === entry) {
      this.#push(this.#reader, entry.seq, record);
    }
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    this.#byId ??= new Map();
    this.#byId.set(entry.id, entry);
    this.#bytes += entry.size;
  }

  #write(entry: Entry): void {
    const { flusher } = this.#context;
    // encodeMessage made it above: an entry that is written has its record.
    const value = entry.record as Uint8Array;
    this.#unsettled++;
    entry.pending = flusher.write(
      this.#mutation(entry.seq, value),
      (error) => {
        this.#unsettled--;
        entry.pending = undefined;
        entry.record = undefined;
        const acknowledged = this.#byId?.get(entry.id) !== entry;
        if (error === undefined || acknowledged) {
          this.#context.counts.messagesAccepted++;
        }
        if (error !== undefined) {
          if (!acknowledged) this.#forget(entry);
          else if (entry.removal !== undefined) entry.removal.kept = [];
        }
        for (const answer of entry.answers.splice(0)) {
          answer(error === undefined || acknowledged ? undefined : "busy");
        }
      },
      [{ bytes: messageBytes(entry.size), expires: entry.expires }],
    );
  }

  #mutation(seq: number, value: Uint8Array): Mutation {
    const expireIn = this.#context.limits.messageLifetime * 1_000;
    // A seq is never used twice.
    return { key: messageKey(this.id, seq), value, expireIn, fresh: true };
  }

  /** Takes an entry that is no longer in `#entries` off the disk, or keeps it from getting there. */
  #remove(entry: Entry): void {
    this.#byId?.delete(entry.id);
    this.#bytes -= entry.size;
    this.#recent ??= new Set();
    this.#recent.add(entry.id);
    if (this.#recent.size > RECENT_IDS) {
      for (const oldest of this.#recent) {
        this.#recent.delete(oldest);
        break;
      }
    }
    if (
      entry.pending !== undefined && this.#context.flusher.elide(entry.pending)
    ) return;
    this.#unsettled++;
    entry.removal = this.#context.flusher.writeEventually(
      { key: messageKey(this.id, entry.seq) },
      () => this.#unsettled--,
      [{ bytes: -messageBytes(entry.size), expires: entry.expires }],
    );
  }

  /** Of a message that the store does not have: a sender may repeat it. */
  #forget(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#byId?.delete(entry.id);
    this.#bytes -= entry.size;
  }

  #forgetExpired(): void {
    const now = this.#context.now();
    let count = 0;
    while (
      count < this.#entries.length && this.#entries[count].expires <= now
    ) count++;
    for (const entry of this.#entries.splice(0, count)) this.#remove(entry);
  }

  /** Half a block ahead, so that a push seldom waits for the counter. */
  #raiseCeiling(): void {
    if (this.#raising || this.#nextSeq < this.#safeSeq - SEQ_BLOCK / 2) return;
    this.#raising = true;
    this.#ceiling = this.#nextSeq + SEQ_BLOCK;
    const ceiling = this.#ceiling;
    this.#writeRecord("eventually", (error) => {
      this.#raising = false;
      if (error !== undefined) return; // the relay has stopped
      this.#safeSeq = ceiling;
      this.#raiseCeiling();
      this.pump();
    });
  }

  #writeRecord(
    how: "once" | "eventually",
    settle: (error?: unknown) => void,
  ): void {
    const { flusher, now } = this.#context;
    const mutation = {
      key: queueKey(this.id),
      value: encodeQueue({
        receiveKey: this.key("receive"),
        sendKey: this.key("send"),
        removeKey: this.key("remove"),
        generation: this.#generation,
        ceiling: this.#ceiling,
        expires: this.#expires,
      }),
      expireIn: Math.max(this.#expires - now(), DAY_MS),
    };
    const done = (error?: unknown) => {
      this.#unsettled--;
      settle(error);
    };
    const kept: Kept[] = [];
    if (this.#recordExpires !== this.#expires) {
      kept.push({ bytes: QUEUE_BYTES, expires: this.#expires });
      if (this.#recordExpires !== 0) {
        kept.push({ bytes: -QUEUE_BYTES, expires: this.#recordExpires });
      }
    }
    this.#recordExpires = this.#expires;
    this.#unsettled++;
    if (how === "once") flusher.write(mutation, done, kept);
    else flusher.writeEventually(mutation, done, kept);
  }

  /** Where the first entry after `seq` is. */
  #indexAfter(seq: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle].seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function seqOf(key: readonly (string | number | Uint8Array)[]): number {
  const seq = key[key.length - 1];
  if (typeof seq !== "number") {
    throw new TypeError("a message in the store has no number");
  }
  return seq;
}
