import type { Mutation, Store, StoreKey } from "../store.ts";

/** A store whose disk takes its time: what is said too early is said long before it is true. */
export class SlowStore implements Store {
  readonly #inner: Store;
  readonly #delay: number;

  /** Every commit begins `delay` ms late. */
  constructor(inner: Store, delay: number) {
    this.#inner = inner;
    this.#delay = delay;
  }

  get(key: StoreKey): Promise<Uint8Array | undefined> {
    return this.#inner.get(key);
  }

  list(
    prefix: StoreKey,
    options: { start?: number; limit: number },
  ): Promise<{ key: StoreKey; value: Uint8Array }[]> {
    return this.#inner.list(prefix, options);
  }

  scan(
    prefix: StoreKey,
  ): AsyncIterable<{ key: StoreKey; value: Uint8Array }> {
    return this.#inner.scan(prefix);
  }

  async commit(mutations: readonly Mutation[]): Promise<void> {
    await new Promise((resume) => setTimeout(resume, this.#delay));
    await this.#inner.commit(mutations);
  }
}
