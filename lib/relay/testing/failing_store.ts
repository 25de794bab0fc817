import type { Mutation, Store, StoreKey } from "../store.ts";

/** A store that fails, or takes its time, when a test says so. */
export class FailingStore implements Store {
  readonly #inner: Store;
  /** Set: commits are refused, as by a full disk. */
  full = false;
  /** Set: commits are said to have failed, and have not. */
  lying = false;
  /** Set: reads are refused. */
  unreadable = false;
  readonly commits: Mutation[][] = [];
  #gate: Promise<void> | undefined;
  #open: (() => void) | undefined;
  /** Commits until the disk is full. */
  #left = Infinity;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  /** Commits wait until `release`. */
  hold(): void {
    this.#gate = new Promise((open) => this.#open = open);
  }

  /** Refuses all commits after the next `count`. */
  fullAfter(count: number): void {
    this.#left = count;
  }

  release(): void {
    this.#open?.();
    this.#gate = undefined;
  }

  get(key: StoreKey): Promise<Uint8Array | undefined> {
    return this.unreadable
      ? Promise.reject(new Error("unreadable"))
      : this.#inner.get(key);
  }

  list(
    prefix: StoreKey,
    options: { start?: number; limit: number },
  ): Promise<{ key: StoreKey; value: Uint8Array }[]> {
    return this.unreadable
      ? Promise.reject(new Error("unreadable"))
      : this.#inner.list(prefix, options);
  }

  scan(
    prefix: StoreKey,
  ): AsyncIterable<{ key: StoreKey; value: Uint8Array }> {
    return this.#inner.scan(prefix);
  }

  async commit(mutations: readonly Mutation[]): Promise<void> {
    this.commits.push([...mutations]);
    await this.#gate;
    if (this.#left-- === 0) this.full = true;
    if (this.full) throw new Error("database or disk is full");
    await this.#inner.commit(mutations);
    if (this.lying) throw new Error("the disk is gone");
  }
}
