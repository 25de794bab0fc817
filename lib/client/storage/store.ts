/**
 * What the vault asks of a disk: a map from bytes to bytes that changes several
 * entries at once or none, and a place for one key that code can use but not read.
 */

export interface StoreChange {
  readonly key: Uint8Array;
  /** undefined removes the entry. */
  readonly value: Uint8Array | undefined;
}

export interface StoreEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * Opening a store makes every store opened earlier on the same disk read-only:
 * their commits fail with `TakenOverError`. So two tabs can never both write,
 * even when one was frozen through a takeover. Open it after `OneTab` was got.
 */
export interface Store {
  /** One value, or undefined, per key, all of the same moment. */
  get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * All changes or none; resolves when they are on disk.
   * @throws {StorageFullError} {@link StorageUnavailableError} {@link TakenOverError}
   */
  commit(changes: readonly StoreChange[]): Promise<void>;
  /** Up to `limit` entries after the key `after`, in the order of their keys. For migrations. */
  scan(after: Uint8Array | undefined, limit: number): Promise<StoreEntry[]>;
  /** How many entries there are. */
  count(): Promise<number>;
  /** As `scan`, the keys alone. */
  keys(after: Uint8Array | undefined, limit: number): Promise<Uint8Array[]>;
  /** Removes every entry. */
  clear(): Promise<void>;
  close(): void;
}

/**
 * A key that stays in this browser: it can wrap and unwrap, and no code can
 * read it. It is what opens the vault while there is no lock.
 */
export interface DeviceKey {
  /** Makes a new key, which replaces the one before, and wraps `secret` with it. */
  wrap(secret: Uint8Array): Promise<Uint8Array>;
  /** undefined when there is no key (any more), or it is not the one that wrapped. */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array | undefined>;
  forget(): Promise<void>;
}

/** Where a vault lives. */
export interface Platform {
  readonly store: Store;
  readonly deviceKey: DeviceKey;
  /** Removes everything, the device key too, as far from the disk as can be. Nothing works here afterwards. */
  erase(): Promise<void>;
}
