/** Everything a page has stored in its browser, as structured as the browser gives it. */
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";

export type Stored =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "key"; readonly extractable: boolean }
  | { readonly kind: "other"; readonly json: string };

export interface StoredRecord {
  readonly database: string;
  readonly store: string;
  readonly key: Stored;
  readonly value: Stored;
}

export interface BrowserStorage {
  readonly records: readonly StoredRecord[];
  readonly local: Readonly<Record<string, string>>;
  readonly session: Readonly<Record<string, string>>;
  readonly cookies: string;
  /** URL and body of what is cached. */
  readonly cached: readonly { readonly url: string; readonly body: string }[];
  /** Names in the origin's private file system. */
  readonly files: readonly string[];
}

/** Reads all of it. The page may go on working meanwhile. */
export async function readStorage(page: Page): Promise<BrowserStorage> {
  const { records, ...rest } = await page.evaluate(readInPage);
  return {
    ...rest,
    records: records.map(({ database, store, key, value }) => ({
      database,
      store,
      key: stored(key),
      value: stored(value),
    })),
  };
}

/** What crosses to the test is JSON: bytes travel in hex. */
type Told = { kind: "bytes" | "text" | "key" | "other"; told: string };

function stored({ kind, told }: Told): Stored {
  switch (kind) {
    case "bytes":
      return { kind, bytes: new Uint8Array(Buffer.from(told, "hex")) };
    case "text":
      return { kind, text: told };
    case "key":
      return { kind, extractable: told === "true" };
    case "other":
      return { kind, json: told };
  }
}

/** Runs in the page: nothing from outside is in its reach. */
async function readInPage() {
  const answer = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const tell = (value: unknown): Told => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const bytes = value instanceof ArrayBuffer
        ? new Uint8Array(value)
        : new Uint8Array(value.buffer); // all of it, also what a view leaves out
      const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0"));
      return { kind: "bytes", told: hex.join("") };
    }
    if (value instanceof CryptoKey) {
      return { kind: "key", told: String(value.extractable) };
    }
    if (typeof value === "string") return { kind: "text", told: value };
    return { kind: "other", told: String(JSON.stringify(value)) };
  };
  const records: {
    database: string;
    store: string;
    key: Told;
    value: Told;
  }[] = [];
  for (const { name = "" } of await indexedDB.databases()) {
    const database = await answer(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const objects = database.transaction(store).objectStore(store);
      const [keys, values] = await Promise.all([
        answer(objects.getAllKeys()),
        answer(objects.getAll()),
      ]);
      keys.forEach((key, i) =>
        records.push({
          database: name,
          store,
          key: tell(key),
          value: tell(values[i]),
        })
      );
    }
    database.close();
  }
  const cached = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      cached.push({ url: request.url, body: await response?.text() ?? "" });
    }
  }
  const files = [];
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) files.push(name);
  return {
    records,
    local: { ...localStorage },
    session: { ...sessionStorage },
    cookies: document.cookie,
    cached,
    files,
  };
}

/** What IndexedDB calls the one record in clear. */
const HEADER = "whisper vault header";

/** A key of the browser's own has none. */
export function bytesOf(stored: Stored): Uint8Array {
  switch (stored.kind) {
    case "bytes":
      return stored.bytes;
    case "text":
      return new TextEncoder().encode(stored.text);
    case "other":
      return new TextEncoder().encode(stored.json);
    case "key":
      return new Uint8Array();
  }
}

/** All that a page can get at, as bytes. */
export function everything(storage: BrowserStorage): Uint8Array {
  const { records, local, session, cookies, cached, files } = storage;
  return Buffer.concat([
    ...records.flatMap(({ key, value }) => [bytesOf(key), bytesOf(value)]),
    Buffer.from(JSON.stringify({ local, session, cookies, cached, files })),
  ]);
}

/** Whether a record is the vault's header. */
export function isHeader(key: Stored): boolean {
  return Buffer.from(bytesOf(key)).toString() === HEADER;
}

/** The records of "device", beside the vault's. */
export function deviceRecords(
  { records }: BrowserStorage,
): Map<string, Stored> {
  return new Map(
    records.filter(({ store }) => store === "device")
      .map(({ key, value }) => [key.kind === "text" ? key.text : "?", value]),
  );
}
