/**
 * A disk in memory, for tests: it outlives the stores opened on it as a real
 * disk outlives a page, can be full, and can cut the power around any commit.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { newDeviceKey, unwrapWith, wrapWith } from "./device_key.ts";
import {
  StorageFullError,
  StorageUnavailableError,
  TakenOverError,
} from "./errors.ts";
import type {
  DeviceKey,
  Platform,
  Store,
  StoreChange,
  StoreEntry,
} from "./store.ts";

/**
 * Called around every commit that could succeed, `commit` counting them from 0
 * over the life of the disk. When it throws, the power is cut at that moment:
 * the commit has not happened ("before") or has ("after"), the caller gets what
 * was thrown, and every store opened until then fails with it from there on.
 */
export type CommitHook = (moment: "before" | "after", commit: number) => void;

export class MemoryDisk {
  readonly #records = new Map<string, Uint8Array>();
  #deviceKey: CryptoKey | undefined;
  /** Commits and key changes fail with `StorageFullError` while true. */
  full = false;
  onCommit: CommitHook | undefined;
  /** Commits that reached the disk. */
  commits = 0;
  #owner: MemoryStore | undefined;

  /** What a page gets when it opens the disk; pages before it can't write any more. */
  platform(): Platform {
    const store = new MemoryStore(this);
    this.#owner = store;
    const deviceKey: DeviceKey = {
      wrap: async (secret) => {
        this.#assertWritable(store);
        this.#deviceKey = await newDeviceKey();
        return await wrapWith(this.#deviceKey, secret);
      },
      unwrap: async (wrapped) => {
        store.assertUsable();
        return this.#deviceKey && await unwrapWith(this.#deviceKey, wrapped);
      },
      forget: async () => {
        await Promise.resolve();
        this.#assertWritable(store);
        this.#deviceKey = undefined;
      },
    };
    const erase = async () => {
      await store.clear();
      this.#deviceKey = undefined;
      store.close();
    };
    return { store, deviceKey, erase };
  }

  /** Everything as it lies on the disk, keys and values, in the order of the keys. */
  entries(): StoreEntry[] {
    return [...this.#records].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([key, value]) => ({ key: hexToBytes(key), value: value.slice() }));
  }

  /** Puts entries on the disk as they are, and a device key: how a fixture gets there. */
  load(entries: readonly StoreEntry[], deviceKey?: CryptoKey): void {
    for (const { key, value } of entries) {
      this.#records.set(bytesToHex(key), value.slice());
    }
    this.#deviceKey = deviceKey;
  }

  /** Puts here what lies on another disk, its device key included: all that a thief of it has. */
  copy(other: MemoryDisk): void {
    this.load(other.entries(), other.#deviceKey);
  }

  /** For `MemoryStore`. */
  read(key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(bytesToHex(key))?.slice();
  }

  /** For `MemoryStore`. */
  write(
    store: MemoryStore,
    change: (records: Map<string, Uint8Array>) => void,
  ): void {
    this.#assertWritable(store);
    this.#cutPowerWhenTold("before", store);
    change(this.#records);
    this.commits++;
    this.#cutPowerWhenTold("after", store);
  }

  #assertWritable(store: MemoryStore): void {
    store.assertUsable();
    if (store !== this.#owner) throw new TakenOverError();
    if (this.full) throw new StorageFullError();
  }

  #cutPowerWhenTold(moment: "before" | "after", store: MemoryStore): void {
    try {
      this.onCommit?.(
        moment,
        moment === "before" ? this.commits : this.commits - 1,
      );
    } catch (cause) {
      store.fail(cause);
      throw cause;
    }
  }
}

class MemoryStore implements Store {
  readonly #disk: MemoryDisk;
  #failure: { cause: unknown } | undefined;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  async get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    await this.#turn();
    return keys.map((key) => this.#disk.read(key));
  }

  async commit(changes: readonly StoreChange[]): Promise<void> {
    await this.#turn();
    this.#disk.write(this, (records) => {
      for (const { key, value } of changes) {
        if (value) records.set(bytesToHex(key), value.slice());
        else records.delete(bytesToHex(key));
      }
    });
  }

  async scan(
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<StoreEntry[]> {
    await this.#turn();
    const from = after && bytesToHex(after);
    return this.#disk.entries()
      .filter(({ key }) => from === undefined || bytesToHex(key) > from)
      .slice(0, limit);
  }

  async count(): Promise<number> {
    await this.#turn();
    return this.#disk.entries().length;
  }

  async keys(
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<Uint8Array[]> {
    return (await this.scan(after, limit)).map(({ key }) => key);
  }

  async clear(): Promise<void> {
    await this.#turn();
    this.#disk.write(this, (records) => records.clear());
  }

  close(): void {
    this.fail(new StorageUnavailableError("it was closed"));
  }

  /** From here on everything fails with `cause`; the first one counts. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
  }

  assertUsable(): void {
    if (this.#failure) throw this.#failure.cause;
  }

  /** A real disk answers later; what is due before that must be let happen in tests too. */
  async #turn(): Promise<void> {
    this.assertUsable();
    await Promise.resolve();
    this.assertUsable();
  }
}
