import type { Role } from "../wire/mod.ts";
import { bytesOf, textOf } from "./byte_text.ts";
import { DAY_MS, type QueueContext } from "./queue_context.ts";
import {
  encodeQueue,
  QUEUE_BYTES,
  queueKey,
  type QueueRecord,
} from "./records.ts";
import type { Kept } from "./stored_bytes.ts";

/** Where each key begins. */
const AT: Readonly<Record<Role, number>> = { receive: 0, send: 32, remove: 64 };

/**
 * What the store has of a queue beside its messages. There are many in memory: its keys are one
 * string of bytes, for an array of 32 bytes takes six times as much, and times are days, for a number
 * above 2^31 is an object of its own.
 */
export class Registration {
  readonly #keys: string;
  /** The highest generation that its owner came with. */
  generation: number;
  /** No seq that was pushed is as high, whatever happens. */
  ceiling: number;
  /** The day since 1970 at whose beginning it expires. */
  #expires: number;
  /** The day that the record last written says; 0 when there is none. */
  #written: number;

  /** `durable`: it was read from the store. */
  constructor(record: QueueRecord, durable: boolean) {
    const { receiveKey, sendKey, removeKey } = record;
    const keys = new Uint8Array(96);
    keys.set(receiveKey, AT.receive);
    keys.set(sendKey, AT.send);
    keys.set(removeKey, AT.remove);
    this.#keys = textOf(keys);
    this.generation = record.generation;
    this.ceiling = record.ceiling;
    this.#expires = Math.ceil(record.expires / DAY_MS);
    this.#written = durable ? this.#expires : 0;
  }

  /** When the queue expires: ms, on a day boundary. */
  get expires(): number {
    return this.#expires * DAY_MS;
  }

  set expires(ms: number) {
    this.#expires = Math.ceil(ms / DAY_MS);
  }

  /** The public key of a role, 32 bytes. */
  key(role: Role): Uint8Array {
    return bytesOf(this.#keys.slice(AT[role], AT[role] + 32));
  }

  /** Queues the record as it is now. `eventually`: it is tried until it succeeds. */
  write(
    { flusher, now }: QueueContext,
    id: Uint8Array,
    how: "once" | "eventually",
    settle: (error?: unknown) => void,
  ): void {
    const mutation = {
      key: queueKey(id),
      value: encodeQueue({
        receiveKey: this.key("receive"),
        sendKey: this.key("send"),
        removeKey: this.key("remove"),
        generation: this.generation,
        ceiling: this.ceiling,
        expires: this.expires,
      }),
      expireIn: Math.max(this.expires - now(), DAY_MS),
    };
    const kept: Kept[] = [];
    if (this.#written !== this.#expires) {
      kept.push({ bytes: QUEUE_BYTES, expires: this.expires });
      if (this.#written !== 0) kept.push(...this.#gone());
    }
    this.#written = this.#expires;
    if (how === "once") flusher.write(mutation, settle, kept);
    else flusher.writeEventually(mutation, settle, kept);
  }

  /** Queues its deletion, tried until it succeeds. */
  delete(
    { flusher }: QueueContext,
    id: Uint8Array,
    settle: (error?: unknown) => void,
  ): void {
    flusher.writeEventually({ key: queueKey(id) }, settle, this.#gone());
  }

  #gone(): Kept[] {
    return [{ bytes: -QUEUE_BYTES, expires: this.#written * DAY_MS }];
  }
}
