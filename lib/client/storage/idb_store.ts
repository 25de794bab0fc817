/**
 * The vault's disk in a browser: one IndexedDB database with the records and,
 * beside them, the device key and the mark of who may write.
 */
import {
  type DBSchema,
  deleteDB,
  type IDBPDatabase,
  type IDBPObjectStore,
  openDB,
} from "idb";
import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
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
  /** "owner": the store opened last, the only one that may write. "key": the device key. */
  device: { key: "owner" | "key"; value: string | CryptoKey };
}

/** The two object stores never change; what is in them carries the vault's own schema. */
const DATABASE_VERSION = 1;
const DURABLE = { durability: "strict" } as const;

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
  const store = new IdbStore(database, bytesToHex(randomBytes(16)), closed);
  await store.claim();
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

class IdbStore implements Store {
  readonly #database: IDBPDatabase<Schema>;
  readonly #owner: string;
  readonly #closed: Closed;

  constructor(database: IDBPDatabase<Schema>, owner: string, closed: Closed) {
    this.#database = database;
    this.#owner = owner;
    this.#closed = closed;
  }

  claim(): Promise<void> {
    return this.#run(async () => {
      const transaction = this.#database.transaction(
        "device",
        "readwrite",
        DURABLE,
      );
      await Promise.all([
        transaction.store.put(this.#owner, "owner"),
        transaction.done,
      ]);
    });
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
    return this.#write((records) =>
      changes.map(({ key, value }) =>
        // A view would be stored with all of its buffer.
        value
          ? records.put(value.slice(), key.slice())
          : records.delete(key.slice())
      )
    );
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
    return this.#write((records) => [records.clear()]);
  }

  count(): Promise<number> {
    return this.#run(() => this.#database.count("records"));
  }

  /** Everything, with the device key and the mark of who may write. */
  erase(): Promise<void> {
    return this.#write((records, device) => [records.clear(), device.clear()]);
  }

  close(): void {
    this.#closed.why ??= "it was closed";
    this.#database.close();
  }

  deviceKey(): DeviceKey {
    return {
      wrap: async (secret) => {
        const key = await newDeviceKey();
        await this.#write((_, device) => [device.put(key, "key")]);
        return await wrapWith(key, secret);
      },
      unwrap: async (wrapped) => {
        const key = await this.#run(() => this.#database.get("device", "key"));
        return key instanceof CryptoKey
          ? await unwrapWith(key, wrapped)
          : undefined;
      },
      forget: () => this.#write((_, device) => [device.delete("key")]),
    };
  }

  /** One durable transaction, refused when another store was opened since. */
  #write(
    requests: (
      records: Writing<"records">,
      device: Writing<"device">,
    ) => Promise<unknown>[],
  ): Promise<void> {
    return this.#run(async () => {
      const transaction = this.#database.transaction(
        ["records", "device"],
        "readwrite",
        DURABLE,
      );
      const device = transaction.objectStore("device");
      // All is asked for at once and taken back if the owner turns out to be another one: each answer
      // waited for is a moment at which the page may be busy, and a message waits for this commit.
      const owner = device.get("owner");
      const written = Promise.all([
        ...requests(transaction.objectStore("records"), device),
        transaction.done,
      ]);
      // Its failure is told below; here it only must not count as told to nobody.
      written.catch(() => undefined);
      if (await owner !== this.#owner) {
        transaction.abort();
        await transaction.done.catch(() => undefined);
        throw new TakenOverError();
      }
      transaction.commit();
      await written;
    });
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed.why) throw new StorageUnavailableError(this.#closed.why);
    return await translated(work);
  }
}

type Writing<Name extends "records" | "device"> = IDBPObjectStore<
  Schema,
  ("records" | "device")[],
  Name,
  "readwrite"
>;

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
