import type { Role } from "../wire/mod.ts";
import { bytesOf, textOf } from "./byte_text.ts";
import { type Entry, Mail } from "./mail.ts";
import { type Answer, expiryAt, type QueueContext } from "./queue_context.ts";
import {
  decodeMessage,
  encodeMessage,
  messageBytes,
  messageKey,
  type QueueRecord,
} from "./records.ts";
import { Registration } from "./registration.ts";
import type { Mutation } from "./store.ts";
import { headsOfMessages, readMessages } from "./stored_messages.ts";

/** How many seqs one write of the counter makes available. */
const SEQ_BLOCK = 1_024;

/** What every queue may hold, however little room is left: some hundred texts. */
const SMALLEST_SHARE = 64 * 1024;

/**
 * Bytes that one queue may hold now. The fuller the store, the fewer: whoever fills it needs ever more queues
 * for it, while those that hold little go on.
 */
function shareOf({ stored, limits }: QueueContext): number {
  const { bytesPerQueue } = limits;
  const share = bytesPerQueue * stored.free ** 2;
  return Math.min(bytesPerQueue, Math.max(SMALLEST_SHARE, share));
}

/** The connection that a queue pushes to. */
export interface QueueReader {
  /** Whether its socket can take more now. */
  readonly room: boolean;
  push(seq: number, id: Uint8Array, envelope: Uint8Array): void;
  /** There was no room: wants `pump` called when there is. */
  stalled(queue: Queue): void;
  /** For now there is no more to push. */
  rested(): void;
  /** A higher or equal generation took over. */
  replaced(): void;
}

/**
 * One queue while somebody uses it. Memory is ahead of the disk by at most one
 * unanswered flush; what it says is what counts.
 */
export class Queue {
  readonly #context: QueueContext;
  /** Its id as `textOf` makes it; shared with the map that it is in. */
  readonly #name: string;
  readonly #registration: Registration;
  /** Made when there is something in it: most queues in use are empty. */
  #mail: Mail | undefined;
  #deleted = false;
  /** The record on disk is behind: what was claimed last could not be written. */
  #claimLost = false;
  /** When deletion is on disk; a queue of the same keys may be made again then. */
  deleted: Promise<void> | undefined;
  /** When making it has succeeded or, then it is gone, failed. */
  made: Promise<void> | undefined;
  /** Handles that connections hold. */
  handles = 0;

  #nextSeq: number;
  /** Only seqs below this are pushed: after a crash none of them is given out again. */
  #safeSeq: number;
  #raising = false;
  #unsettled = 0;
  #reader: QueueReader | undefined;

  /** A new queue, not yet written, or one whose record was read. `name` is its id as `textOf` makes it. */
  constructor(
    context: QueueContext,
    name: string,
    record: QueueRecord,
    durable: boolean,
  ) {
    this.#context = context;
    this.#name = name;
    this.#registration = new Registration(record, durable);
    this.#nextSeq = durable ? record.ceiling : 1;
    this.#safeSeq = durable ? record.ceiling : 0;
  }

  /** 16 bytes */
  get id(): Uint8Array {
    return bytesOf(this.#name);
  }

  /** The public key of a role, 32 bytes. */
  key(role: Role): Uint8Array {
    return this.#registration.key(role);
  }

  /** The highest generation that its owner came with. */
  get generation(): number {
    return this.#registration.generation;
  }

  /** Deleted, expired, or never made durable: whoever still holds a handle is told so. */
  get gone(): boolean {
    return this.#deleted || this.#registration.expires <= this.#context.now();
  }

  /** Nobody holds a handle and nothing is under way to the disk: the store alone can answer. */
  get idle(): boolean {
    return this.handles === 0 && this.#unsettled === 0 && !this.#deleted;
  }

  /** Fills a queue that was just constructed with what the store has for it. */
  async load(): Promise<void> {
    const { store, now, limits } = this.#context;
    const latest = now() + limits.messageLifetime * 1_000;
    for await (const head of headsOfMessages(store, this.id)) {
      // The counter is behind what nobody was there to be told.
      this.#nextSeq = Math.max(this.#nextSeq, head.seq + 1);
      this.#mail ??= new Mail();
      this.#mail.add({
        seq: head.seq,
        id: textOf(head.id),
        size: head.size,
        // A clock that was ahead for a while must not keep messages longer than promised.
        expires: Math.min(head.expires, latest),
        record: undefined,
        pending: undefined,
        removal: undefined,
        answers: [],
      });
    }
  }

  /** Writes a new queue's record, after taking away what a queue of this name left that expired. */
  create(answer: Answer): void {
    for (const entry of this.#mail?.takeAll() ?? []) this.#remove(entry);
    this.#mail = undefined;
    this.#registration.ceiling = SEQ_BLOCK;
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
    const { limits, flusher, stored, now } = this.#context;
    const mail = this.#mail ??= new Mail();
    const text = textOf(id);
    const known = mail.find(text);
    if (known?.pending !== undefined) {
      known.answers.push(answer);
      return;
    }
    const crowded =
      flusher.unwrittenBytes + envelope.length > limits.unwrittenBytes;
    // Also a repeat of what is stored, or was read, is answered with a flush: the sender cannot tell which.
    if (known !== undefined || mail.recognises(text)) {
      if (crowded) return answer("busy");
      flusher.pretend(
        this.#mutation(0, encodeMessage(0, id, envelope)),
        (error) => answer(error === undefined ? undefined : "busy"),
      );
      return;
    }
    this.#forgetExpired();
    if (
      mail.count >= limits.messagesPerQueue ||
      mail.bytes + envelope.length > shareOf(this.#context)
    ) return answer("full");
    if (crowded || !stored.hasRoom(messageBytes(envelope.length))) {
      return answer("busy");
    }
    const expires = now() + limits.messageLifetime * 1_000;
    const record = encodeMessage(expires, id, envelope);
    const entry: Entry = {
      seq: this.#nextSeq++,
      id: text,
      size: envelope.length,
      expires,
      record,
      pending: undefined,
      removal: undefined,
      answers: [answer],
    };
    mail.add(entry);
    this.#raiseCeiling();
    this.#write(mail, entry, record);
    this.pump();
  }

  /** Makes `reader` the one that is pushed to, from the oldest message on. */
  attach(reader: QueueReader): void {
    if (this.#reader !== reader) this.#reader?.replaced();
    this.#reader = reader;
    if (this.#mail !== undefined) this.#mail.cursor = -1;
    this.#raiseCeiling();
    this.pump();
  }

  /** Whether it is this one that is pushed to. */
  isReadBy(reader: QueueReader): boolean {
    return this.#reader === reader;
  }

  /** The connection is gone: what it did not acknowledge waits for the next. */
  detach(reader: QueueReader): void {
    if (this.#reader === reader) this.#reader = undefined;
  }

  /**
   * Notes that the owner came with this generation, which must not be lower
   * than the record's. `answer` comes when it is durable.
   */
  claim(generation: number, answer: Answer): void {
    const registration = this.#registration;
    const { limits, flusher } = this.#context;
    const expires = expiryAt(this.#context, limits.queueLifetime);
    if (
      generation === registration.generation &&
      expires === registration.expires && !this.#claimLost
    ) {
      if (this.#unsettled === 0) return answer(undefined);
      // Perhaps it is that claim that is under way.
      flusher.wait((error) =>
        answer(error === undefined && !this.#claimLost ? undefined : "busy")
      );
      return;
    }
    registration.generation = generation;
    registration.expires = expires;
    const ceiling = this.#nextCeiling();
    this.#writeRecord("once", (error) => {
      this.#claimLost = error !== undefined;
      if (error === undefined) this.#safeSeq = Math.max(this.#safeSeq, ceiling);
      answer(error === undefined ? undefined : "busy");
    });
  }

  /** Deletes everything up to `seq`, durably before the answer. What is not on disk yet never gets there. */
  acknowledge(seq: number, answer: Answer): void {
    const taken = this.#mail?.takeUpTo(seq) ?? [];
    for (const entry of taken) this.#remove(entry);
    this.#context.counts.messagesAcknowledged += taken.length;
    if (taken.length === 0 && this.#unsettled === 0) return answer(undefined);
    this.#context.flusher.wait((error) =>
      answer(error === undefined ? undefined : "busy")
    );
  }

  /** Deletes the queue with all that waits in it. Messages go first: a crash in between leaves a queue, not orphans. */
  delete(answer: Answer): void {
    if (this.gone) return answer(undefined);
    this.#deleted = true;
    this.#reader?.rested();
    this.#reader = undefined;
    for (const entry of this.#mail?.takeAll() ?? []) {
      for (const waiting of entry.answers.splice(0)) waiting("no-such-queue");
      this.#remove(entry);
    }
    this.deleted = new Promise((resolve) => {
      this.#registration.delete(this.#context, this.id, (error) => {
        resolve();
        answer(error === undefined ? undefined : "busy");
      });
    });
  }

  /** Pushes what waits, in order, as long as the reader has room. */
  pump(): void {
    const [reader, mail] = [this.#reader, this.#mail];
    if (reader === undefined || mail?.reading) return;
    if (mail === undefined) return reader.rested();
    this.#forgetExpired();
    for (;;) {
      const entry = mail.after(mail.cursor);
      // From the safe seq on the counter's write pumps again.
      if (entry === undefined) return reader.rested();
      if (entry.seq >= this.#safeSeq) return;
      if (!reader.room) return reader.stalled(this);
      if (entry.expires <= this.#context.now()) {
        mail.cursor = entry.seq;
      } else if (entry.record !== undefined) {
        push(reader, mail, entry.seq, entry.record);
      } else {
        this.#readAndPush(mail);
        return;
      }
    }
  }

  /** Reads what comes next and is on disk, about as much as a socket takes at once. */
  #readAndPush(mail: Mail): void {
    const { store, limits, failed } = this.#context;
    const batch = mail.batchAfter(mail.cursor, limits.bufferedBytes);
    const wanted = batch.filter(({ record }) => record === undefined);
    mail.reading = true;
    readMessages(store, this.id, wanted[0].seq, batch.length).then((page) => {
      mail.reading = false;
      const records = new Map(page.map(({ seq, record }) => [seq, record]));
      const end = page.length === batch.length
        ? page[page.length - 1].seq
        : Infinity;
      for (const entry of wanted) {
        if (!mail.has(entry)) continue; // acknowledged meanwhile
        const record = records.get(entry.seq);
        if (record !== undefined) this.#pushIfNext(mail, entry, record);
        else if (entry.seq < end) mail.forget(entry); // the store cleaned up what had expired
      }
      this.pump();
    }, (error: unknown) => {
      // The messages stay, and the next BIND or message tries again.
      mail.reading = false;
      failed(error);
      this.#reader?.rested();
    });
  }

  /** What was read may be late: there can be a new reader, which begins with the oldest, or no room left. */
  #pushIfNext(mail: Mail, entry: Entry, record: Uint8Array): void {
    if (!this.#reader?.room || entry.expires <= this.#context.now()) return;
    if (mail.after(mail.cursor) === entry) {
      push(this.#reader, mail, entry.seq, record);
    }
  }

  #write(mail: Mail, entry: Entry, record: Uint8Array): void {
    const { flusher, counts } = this.#context;
    this.#unsettled++;
    entry.pending = flusher.write(
      this.#mutation(entry.seq, record),
      (error) => {
        this.#unsettled--;
        entry.pending = undefined;
        entry.record = undefined;
        const accepted = error === undefined || !mail.has(entry);
        if (accepted) counts.messagesAccepted++;
        if (error !== undefined) {
          if (!accepted) mail.forget(entry);
          else if (entry.removal !== undefined) entry.removal.kept = [];
        }
        for (const answer of entry.answers.splice(0)) {
          answer(accepted ? undefined : "busy");
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

  /** Takes an entry that no longer waits off the disk, or keeps it from getting there. */
  #remove(entry: Entry): void {
    const { flusher } = this.#context;
    if (entry.pending !== undefined && flusher.elide(entry.pending)) return;
    this.#unsettled++;
    entry.removal = flusher.writeEventually(
      { key: messageKey(this.id, entry.seq) },
      () => this.#unsettled--,
      [{ bytes: -messageBytes(entry.size), expires: entry.expires }],
    );
  }

  #forgetExpired(): void {
    const expired = this.#mail?.takeExpired(this.#context.now()) ?? [];
    for (const entry of expired) this.#remove(entry);
  }

  /** While there is somebody to push to: half a block ahead, so that a push seldom waits for the counter. */
  #raiseCeiling(): void {
    if (
      this.#raising || this.#reader === undefined ||
      this.#nextSeq < this.#safeSeq - SEQ_BLOCK / 2
    ) return;
    this.#raising = true;
    const ceiling = this.#nextCeiling();
    this.#writeRecord("eventually", (error) => {
      this.#raising = false;
      if (error !== undefined) return; // the relay has stopped
      this.#safeSeq = Math.max(this.#safeSeq, ceiling);
      this.#raiseCeiling();
      this.pump();
    });
  }

  /** The ceiling that the record says when it is written next. */
  #nextCeiling(): number {
    const registration = this.#registration;
    registration.ceiling = Math.max(
      registration.ceiling,
      this.#nextSeq + SEQ_BLOCK,
    );
    return registration.ceiling;
  }

  #writeRecord(
    how: "once" | "eventually",
    settle: (error?: unknown) => void,
  ): void {
    this.#unsettled++;
    this.#registration.write(this.#context, this.id, how, (error) => {
      this.#unsettled--;
      settle(error);
    });
  }
}

function push(
  reader: QueueReader,
  mail: Mail,
  seq: number,
  record: Uint8Array,
): void {
  const { id, envelope } = decodeMessage(record);
  mail.cursor = seq;
  reader.push(seq, id, envelope);
}
