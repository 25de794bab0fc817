import { bytesToHex } from "@noble/hashes/utils.js";
import { KeyFilter } from "./key_filter.ts";
import type { Store, StoreChange, StoreEntry } from "./store.ts";

/** Entries remembered; a step of the messenger touches about ten. */
const MAX_ENTRIES = 1_000;
/** Larger values are read again: few are, and they would take the room of many. */
const MAX_VALUE = 16_384;
/** Keys listed at once, so that the page has its turn in between. */
const KEYS_AT_ONCE = 1_000;

/**
 * A store that remembers what it read and wrote last, as it lies on disk: sealed. One read of a
 * browser's disk takes longer than everything else that a message needs, and each step reads the
 * same few records. It also knows which keys are on the disk: each message that arrives is looked up
 * by keys that nearly always are not. Only the owner of a disk can write to it, so nobody changes it
 * behind this.
 */
export class CachedStore implements Store {
  readonly #store: Store;
  /** The one used last comes last. undefined: there is none on disk. */
  readonly #entries = new Map<string, Uint8Array | undefined>();
  /** Changes under way, and those that ended: what is read meanwhile may be of before or after. */
  #changing = 0;
  #changed = 0;
  readonly #keys = new KeyFilter();
  /** Whether all keys of the disk are in `#keys`: from then on one that is not, is not there. */
  #listed: "not yet" | "begun" | "all" = "not yet";

  constructor(store: Store) {
    this.#store = store;
  }

  async get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const names = keys.map(bytesToHex);
    const missing = keys.filter((key, i) =>
      !this.#entries.has(names[i]) && !this.#isAbsent(key)
    );
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
    for (const [name, value] of known) {
      // What is not there need not be remembered one by one.
      if (value || this.#listed !== "all") this.#remember(name, value);
    }
    return names.map((name) => known.get(name));
  }

  async commit(changes: readonly StoreChange[]): Promise<void> {
    const names = changes.map(({ key }) => bytesToHex(key));
    await this.#change(() => {
      // Should it fail, only the disk knows what is on it.
      for (const name of names) this.#entries.delete(name);
      for (const { key } of changes) this.#keys.add(key);
      return this.#store.commit(changes);
    });
    for (const [i, { value }] of changes.entries()) {
      this.#remember(names[i], value);
    }
    if (this.#listed === "not yet") this.#listKeys();
  }

  keys(after: Uint8Array | undefined, limit: number): Promise<Uint8Array[]> {
    return this.#store.keys(after, limit);
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

  #isAbsent(key: Uint8Array): boolean {
    return this.#listed === "all" && !this.#keys.mayHave(key);
  }

  /** In the background. What is written meanwhile is added by who writes it. */
  #listKeys(): void {
    this.#listed = "begun";
    const list = async () => {
      let after: Uint8Array | undefined;
      while (true) {
        const keys = await this.#store.keys(after, KEYS_AT_ONCE);
        for (const key of keys) this.#keys.add(key);
        if (keys.length < KEYS_AT_ONCE) break;
        after = keys[keys.length - 1];
      }
      this.#listed = "all";
    };
    // Then each key is asked for, and a disk that can't be read says so there.
    list().catch(() => undefined);
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
