import { bytesToHex } from "@noble/hashes/utils.js";
import type { Store, StoreChange, StoreEntry } from "./store.ts";

/** Entries remembered; a step of the messenger touches about ten. */
const MAX_ENTRIES = 1_000;
/** Larger values are read again: few are, and they would take the room of many. */
const MAX_VALUE = 16_384;

/**
 * A store that remembers what it read and wrote last, as it lies on disk: sealed. One read of a
 * browser's disk takes longer than everything else that a message needs, and each step reads the
 * same few records. Only the owner of a disk can write to it, so nobody changes it behind this.
 */
export class CachedStore implements Store {
  readonly #store: Store;
  /** The one used last comes last. undefined: there is none on disk. */
  readonly #entries = new Map<string, Uint8Array | undefined>();
  /** Changes under way, and those that ended: what is read meanwhile may be of before or after. */
  #changing = 0;
  #changed = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const names = keys.map(bytesToHex);
    const missing = keys.filter((_, i) => !this.#entries.has(names[i]));
    const known = new Map(
      names.map((name) => [name, this.#entries.get(name)]),
    );
    if (missing.length > 0) {
      const changed = this.#changed;
      const quiet = this.#changing === 0;
      const read = await this.#store.get(missing);
      // What is known and what was just read may be of two moments: then the disk is asked for all.
      if (!quiet || this.#changing > 0 || changed !== this.#changed) {
        return await this.#store.get(keys);
      }
      for (const [i, key] of missing.entries()) {
        known.set(bytesToHex(key), read[i]);
      }
    }
    for (const [name, value] of known) this.#remember(name, value);
    return names.map((name) => known.get(name));
  }

  async commit(changes: readonly StoreChange[]): Promise<void> {
    const names = changes.map(({ key }) => bytesToHex(key));
    await this.#change(() => {
      // Should it fail, only the disk knows what is on it.
      for (const name of names) this.#entries.delete(name);
      return this.#store.commit(changes);
    });
    for (const [i, { value }] of changes.entries()) {
      this.#remember(names[i], value);
    }
  }

  scan(after: Uint8Array | undefined, limit: number): Promise<StoreEntry[]> {
    return this.#store.scan(after, limit);
  }

  count(): Promise<number> {
    return this.#store.count();
  }

  clear(): Promise<void> {
    return this.#change(() => {
      this.#entries.clear();
      return this.#store.clear();
    });
  }

  close(): void {
    this.#entries.clear();
    this.#store.close();
  }

  async #change(work: () => Promise<void>): Promise<void> {
    this.#changing++;
    try {
      await work();
    } finally {
      this.#changing--;
      this.#changed++;
    }
  }

  #remember(name: string, value: Uint8Array | undefined): void {
    this.#entries.delete(name);
    if (value && value.length > MAX_VALUE) return;
    this.#entries.set(name, value);
    if (this.#entries.size <= MAX_ENTRIES) return;
    const [eldest] = this.#entries.keys();
    this.#entries.delete(eldest);
  }
}
