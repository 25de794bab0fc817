import { queueId } from "../wire/mod.ts";
import { same, textOf } from "./byte_text.ts";
import { Queue } from "./queue.ts";
import { type Answer, expiryAt, type QueueContext } from "./queue_context.ts";
import { decodeQueue, QUEUE_BYTES, queueKey } from "./records.ts";

export type QueueKeys = {
  receiveKey: Uint8Array;
  sendKey: Uint8Array;
  removeKey: Uint8Array;
};

/** The queues in use: each is in memory once, from first use until nobody holds a handle of it. */
export class Queues {
  readonly #context: QueueContext;
  readonly #loaded = new Map<string, Queue>();
  readonly #loading = new Map<string, Promise<Queue | undefined>>();

  constructor(context: QueueContext) {
    this.#context = context;
  }

  /** Bits of work that a new queue costs on top of the price. */
  get surcharge(): number {
    const { stored } = this.#context;
    // Without any room nobody is to work in vain.
    return stored.hasRoom(QUEUE_BYTES) ? stored.surcharge : 0;
  }

  /** The queue of this id, or undefined when there is none or it has expired. */
  async find(id: Uint8Array): Promise<Queue | undefined> {
    const name = textOf(id);
    const loaded = this.#loaded.get(name);
    if (loaded !== undefined) {
      await loaded.made;
      return loaded.gone ? undefined : loaded;
    }
    let loading = this.#loading.get(name);
    if (loading === undefined) {
      loading = this.#load(id, name).finally(() => this.#loading.delete(name));
      this.#loading.set(name, loading);
    }
    return await loading;
  }

  /** Makes a queue. The same keys again are OK; `conflict` when the send key has a queue with others. */
  async create(keys: QueueKeys, answer: Answer): Promise<void> {
    const id = queueId(keys.sendKey);
    const name = textOf(id);
    const existing = await this.find(id);
    if (existing !== undefined) {
      return this.#answerForExisting(existing, keys, answer);
    }
    await this.#loaded.get(name)?.deleted;
    const { unboundQueueLifetime } = this.#context.limits;
    const queue = new Queue(this.#context, name, {
      ...keys,
      generation: 0,
      ceiling: 0,
      expires: expiryAt(this.#context, unboundQueueLifetime),
    }, false);
    await queue.load();
    // Another connection may have made it while this one waited.
    const made = this.#loaded.get(name);
    if (made !== undefined && !made.gone) {
      return this.#answerForExisting(made, keys, answer);
    }
    if (!this.#context.stored.hasRoom(QUEUE_BYTES)) return answer("busy");
    this.#loaded.set(name, queue);
    queue.create((error) => {
      if (error !== undefined && this.#loaded.get(name) === queue) {
        this.#loaded.delete(name);
      }
      answer(error);
    });
  }

  delete(queue: Queue, answer: Answer): void {
    const name = textOf(queue.id);
    queue.delete((error) => {
      if (this.#loaded.get(name) === queue) this.#loaded.delete(name);
      answer(error);
    });
  }

  /** Lets go of queues that the store alone can answer for. */
  sweep(): void {
    for (const [name, queue] of this.#loaded) {
      if (queue.idle) this.#loaded.delete(name);
    }
  }

  #answerForExisting(queue: Queue, keys: QueueKeys, answer: Answer): void {
    const [receiveKey, removeKey] = [queue.key("receive"), queue.key("remove")];
    if (
      !same(receiveKey, keys.receiveKey) || !same(removeKey, keys.removeKey)
    ) return answer("conflict");
    // It may be another connection's, on its way to the disk.
    this.#context.flusher.wait((error) =>
      answer(error === undefined && !queue.gone ? undefined : "busy")
    );
  }

  async #load(id: Uint8Array, name: string): Promise<Queue | undefined> {
    const value = await this.#context.store.get(queueKey(id));
    if (value === undefined) return undefined;
    const record = decodeQueue(value);
    if (record.expires <= this.#context.now()) return undefined;
    const queue = new Queue(this.#context, name, record, true);
    await queue.load();
    this.#loaded.set(name, queue);
    return queue;
  }
}
