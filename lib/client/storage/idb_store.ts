/**
 * The vault's disk in a browser: one IndexedDB database with the records and,
 * beside them, the device key and the mark of who may write.
 */
import {
  type DBSchema,
  deleteDB,
  type IDBPDatabase,
  openDB,
  unwrap,
} from "idb";
import { newDeviceKey, unwrapWith, wrapWith } from "./device_key.ts";
import {
  NewerVersionError,
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

interface Schema extends DBSchema {
  records: { key: Uint8Array<ArrayBuffer>; value: Uint8Array };
  /**
   * "owner": the number of the store opened last, the only one that may write. "gone 7": number 7 may
   * not. "key": the device key.
   */
  device: {
    key: "owner" | "key" | `gone ${number}`;
    value: string | number | CryptoKey;
  };
}

/** The two object stores never change; what is in them carries the vault's own schema. */
const DATABASE_VERSION = 1;
const DURABLE = { durability: "strict" } as const;
/** Stores that are known not to be the owner any more: far more than there can be pages that slept through it. */
const GONE_KEPT = 1_000;

export interface BrowserPlatformOptions {
  /** The database's name. */
  name?: string;
  /** How long opening may take, in ms, before it counts as failed. */
  patience?: number;
}

/**
 * Opens the database, makes it if there is none, and takes over the right to
 * write from whoever opened it before: hold `OneTab` first.
 * @throws {StorageUnavailableError} {@link StorageFullError} {@link NewerVersionError}
 */
export async function openBrowserPlatform(
  { name = "whisper", patience = 10_000 }: BrowserPlatformOptions = {},
): Promise<Platform> {
  if (!globalThis.indexedDB) {
    throw new StorageUnavailableError("this browser has none");
  }
  const closed = new Closed();
  const database = await translated(() => open(name, patience, closed));
  const owner = await translated(() => claim(database));
  const store = new IdbStore(database, owner, closed);
  return {
    store,
    deviceKey: store.deviceKey(),
    erase: async () => {
      await store.erase();
      store.close();
      // An empty database is left where another page keeps it open; what was in it is gone either way.
      await withPatience(patience, translated(() => deleteDB(name)));
    },
  };
}

/** Why a connection can't be used any more, once it can't. */
class Closed {
  why: string | undefined;
}

async function open(name: string, patience: number, closed: Closed) {
  let database: IDBPDatabase<Schema> | undefined;
  const opening = openDB<Schema>(name, DATABASE_VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("records");
      fresh.createObjectStore("device");
    },
    blocking() {
      // Another tab deletes the database or brings a newer version: don't stand in its way.
      closed.why ??= "another tab changes it";
      database?.close();
    },
    terminated() {
      closed.why ??= "the browser closed it";
    },
  });
  try {
    return database = await withPatience(patience, opening);
  } catch (error) {
    // If it opens after all, nobody waits for it any more. That it may fail instead is told below.
    opening.then((unwanted) => unwanted.close(), () => undefined);
    throw error;
  }
}

/** What can hang: behind a deletion that another tab blocks, or on a sick disk. */
async function withPatience<T>(
  patience: number,
  work: Promise<T>,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new StorageUnavailableError("it does not answer")),
    patience,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Makes a new store the one that may write, and no other. Gives its number. */
async function claim(database: IDBPDatabase<Schema>): Promise<number> {
  const { store, done } = database.transaction("device", "readwrite", DURABLE);
  const before = await store.get("owner");
  // Until now there was a random text, which only its own page still asks for.
  const former = typeof before === "number" ? before : 0;
  await Promise.all([
    store.put(former + 1, "owner"),
    store.put(0, `gone ${former}`),
    store.delete(`gone ${former - GONE_KEPT}`),
    done,
  ]);
  return former + 1;
}

class IdbStore implements Store {
  readonly #database: IDBPDatabase<Schema>;
  readonly #owner: number;
  readonly #closed: Closed;

  constructor(database: IDBPDatabase<Schema>, owner: number, closed: Closed) {
    this.#database = database;
    this.#owner = owner;
    this.#closed = closed;
  }

  get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#run(async () => {
      const { store, done } = this.#database.transaction("records");
      // A value that was read is good before its transaction has ended: one answer less to wait for.
      done.catch(() => undefined);
      return await Promise.all(keys.map((key) => store.get(key.slice())));
    });
  }

  commit(changes: readonly StoreChange[]): Promise<void> {
    return this.#write((records) => {
      for (const { key, value } of changes) {
        // A view would be stored with all of its buffer.
        if (value) records.put(value.slice(), key.slice());
        else records.delete(key.slice());
      }
    });
  }

  scan(after: Uint8Array | undefined, limit: number): Promise<StoreEntry[]> {
    return this.#run(async () => {
      const { store, done } = this.#database.transaction("records");
      const [keys, values] = await Promise.all([
        store.getAllKeys(beyond(after), limit),
        store.getAll(beyond(after), limit),
        done,
      ]);
      return keys.map((key, i) => ({
        key: new Uint8Array(key),
        value: values[i],
      }));
    });
  }

  keys(after: Uint8Array | undefined, limit: number): Promise<Uint8Array[]> {
    return this.#run(async () => {
      const keys = await this.#database.getAllKeys(
        "records",
        beyond(after),
        limit,
      );
      return keys.map((key) => new Uint8Array(key));
    });
  }

  clear(): Promise<void> {
    return this.#write((records) => void records.clear());
  }

  count(): Promise<number> {
    return this.#run(() => this.#database.count("records"));
  }

  /** Everything, with the device key. The marks of who may write stay: a page that slept may wake up. */
  erase(): Promise<void> {
    return this.#write((records, device) => {
      records.clear();
      device.delete("key");
    });
  }

  close(): void {
    this.#closed.why ??= "it was closed";
    this.#database.close();
  }

  deviceKey(): DeviceKey {
    return {
      wrap: async (secret) => {
        const key = await newDeviceKey();
        await this.#write((_, device) => void device.put(key, "key"));
        return await wrapWith(key, secret);
      },
      unwrap: async (wrapped) => {
        const key = await this.#run(() => this.#database.get("device", "key"));
        return key instanceof CryptoKey
          ? await unwrapWith(key, wrapped)
          : undefined;
      },
      forget: () => this.#write((_, device) => void device.delete("key")),
    };
  }

  /** One durable transaction, refused when another store was opened since. */
  #write(
    ask: (records: IDBObjectStore, device: IDBObjectStore) => void,
  ): Promise<void> {
    return this.#run(async () => {
      // The database itself: a promise for each answer would take as long as to ask for it.
      const transaction = unwrap(this.#database).transaction(
        ["records", "device"],
        "readwrite",
        DURABLE,
      );
      const ended = endOf(transaction);
      // All is asked for at once, and the database itself takes it back if another one is the owner:
      // then the mark is there, and can't be added. Each answer waited for is a moment at which the
      // page may be busy, and a message waits for this commit.
      const mark = `gone ${this.#owner}` as const;
      const device = transaction.objectStore("device");
      device.add(0, mark);
      device.delete(mark);
      ask(transaction.objectStore("records"), device);
      transaction.commit();
      try {
        await ended;
      } catch (error) {
        const refused = error instanceof DOMException &&
          error.name === "ConstraintError";
        throw refused ? new TakenOverError() : error;
      }
    });
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed.why) throw new StorageUnavailableError(this.#closed.why);
    return await translated(work);
  }
}

/** Resolves when all of it is on disk; rejects with why nothing of it is. */
function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException("ended", "AbortError"));
  });
}

function beyond(key: Uint8Array | undefined): IDBKeyRange | undefined {
  return key && IDBKeyRange.lowerBound(key.slice(), true);
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    if (cause.name === "QuotaExceededError") {
      throw new StorageFullError({ cause });
    }
    if (cause.name === "VersionError") throw new NewerVersionError({ cause });
    throw new StorageUnavailableError(`it answers ${cause.name}`, { cause });
  }
}
