import type { Mutation, Store, StoreKey } from "./store.ts";

/** A commit that takes longer is a disk that hangs. */
const STUCK_MS = 5_000;

/** A store, and whether it can be written at present. */
export class WatchedStore implements Store {
  /** Commits that succeeded, and that failed. */
  commits = 0;
  failures = 0;
  readonly #inner: Store;
  readonly #elapsed: () => number;
  #failing = false;
  /** When the commits under way began. */
  readonly #running = new Set<{ since: number }>();

  /** `elapsed` is a clock that never jumps, in ms. */
  constructor(inner: Store, elapsed: () => number = () => performance.now()) {
    this.#inner = inner;
    this.#elapsed = elapsed;
  }

  /** The last commit that ended succeeded, and none hangs. */
  get writable(): boolean {
    const now = this.#elapsed();
    return !this.#failing &&
      [...this.#running].every(({ since }) => now - since < STUCK_MS);
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
    const running = { since: this.#elapsed() };
    this.#running.add(running);
    try {
      await this.#inner.commit(mutations);
      this.#failing = false;
      this.commits++;
    } catch (error) {
      this.#failing = true;
      this.failures++;
      throw error;
    } finally {
      this.#running.delete(running);
    }
  }
}
