/** The vault's adapters in a real browser: IndexedDB, Web Locks, a full disk, closed pages. */
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { openBrowser, openWindow } from "../harness/mod.ts";
import { serveScript, type Site } from "./storage_site.ts";
import type { StorageTests } from "./storage_page.ts";

let site: Site;

interface Window {
  readonly context: BrowserContext;
  newPage(): Promise<Page>;
}

interface OwnBrowser extends Window {
  readonly profile: string;
}

/** Runs `work` in a browser of its own, with a fresh profile on disk. */
async function inBrowser(
  work: (browser: OwnBrowser) => Promise<void>,
): Promise<void> {
  const profile = await Deno.makeTempDir({ prefix: "whisper-storage-" });
  const context = await openBrowser({ profile });
  try {
    await work({ profile, context, newPage: () => openPage(context) });
  } finally {
    await context.close();
    await Deno.remove(profile, { recursive: true });
  }
}

/** Runs `work` in a window of its own, which keeps what it stores in memory. */
async function inWindow(
  work: (window: Window) => Promise<void>,
): Promise<void> {
  const { context, close } = await openWindow({});
  try {
    await work({ context, newPage: () => openPage(context) });
  } finally {
    await close();
  }
}

async function openPage(context: BrowserContext): Promise<Page> {
  site ??= await serveScript("./storage_page.ts");
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => "storageTests" in globalThis);
  return page;
}

/** Calls one of the functions of storage_page.ts in the page. */
function call<Name extends keyof StorageTests>(
  page: Page,
  name: Name,
  ...args: Parameters<StorageTests[Name]>
): Promise<Awaited<ReturnType<StorageTests[Name]>>> {
  return page.evaluate(
    ({ name, args }) =>
      // The page's function of that name, with the arguments that its type asks for.
      (globalThis.storageTests[name] as (...args: unknown[]) => never)(...args),
    { name, args },
  );
}

async function openVault(page: Page): Promise<void> {
  await call(page, "openPlatform");
  await call(page, "openVault");
}

async function createVault(page: Page): Promise<void> {
  await call(page, "openPlatform");
  await call(page, "createVault");
}

// The site is shared by all tests of this file, so its server outlives the one that started it.
const SHARED = { sanitizeResources: false, sanitizeOps: false };

function diskTest(
  name: string,
  work: (browser: OwnBrowser) => Promise<void>,
): void {
  Deno.test({ ...SHARED, name, fn: () => inBrowser(work) });
}

function tabTest(name: string, work: (window: Window) => Promise<void>): void {
  Deno.test({ ...SHARED, name, fn: () => inWindow(work) });
}

diskTest(
  "IndexedDB keeps every promise of a platform",
  async ({ newPage }) => {
    const page = await newPage();
    const names = await call(page, "platformCases");
    assert.ok(names.length > 5);
    for (const [i, name] of names.entries()) {
      await call(page, "platformCase", i).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
    }
  },
);

tabTest(
  "Web Locks keep every promise of the one tab",
  async ({ newPage }) => {
    const page = await newPage();
    const names = await call(page, "tabCases");
    assert.ok(names.length > 4);
    for (const [i, name] of names.entries()) {
      await call(page, "tabCase", i).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
    }
  },
);

diskTest(
  "a page closed while it writes loses nothing it had committed, and leaves no half commit",
  async ({ newPage }) => {
    let page = await newPage();
    await createVault(page);
    for (let round = 0; round < 3; round++) {
      const reached = await countSome(page);
      await page.close();
      page = await newPage();
      await openVault(page);
      const [left, right] = await call(page, "counts");
      assert.equal(left, right);
      assert.ok(
        left !== undefined && left >= reached,
        `${left} after ${reached}`,
      );
    }
  },
);

diskTest(
  "what was committed is there when the whole browser crashed at once",
  async ({ profile, context, newPage }) => {
    const page = await newPage();
    await createVault(page);
    const reached = await countSome(page);
    const devtools = await context.newCDPSession(page);
    const closed = new Promise((resolve) => context.on("close", resolve));
    // Ends the browser's process on the spot; the answer never comes.
    devtools.send("Browser.crash").catch(() => undefined);
    await closed;

    const again = await openBrowser({ profile });
    try {
      const page = await openPage(again);
      await openVault(page);
      const [left, right] = await call(page, "counts");
      assert.equal(left, right);
      assert.ok(
        left !== undefined && left >= reached,
        `${left} after ${reached}`,
      );
    } finally {
      await again.close();
    }
  },
);

diskTest(
  "the browser's storage holds ciphertext under blinded keys, and one key that no code can read",
  async ({ profile, context, newPage }) => {
    const page = await newPage();
    await createVault(page);
    const secret = "the password is swordfish";
    await call(page, "talk", secret);

    const found = await page.evaluate(async () => {
      const databases = await indexedDB.databases();
      const open = indexedDB.open("whisper");
      await new Promise((resolve) => open.onsuccess = resolve);
      const database = open.result;
      const all = <T>(request: IDBRequest<T[]>) =>
        new Promise<T[]>((resolve) =>
          request.onsuccess = () => resolve(request.result)
        );
      const transaction = database.transaction(["records", "device"]);
      const [records, device] = [
        transaction.objectStore("records"),
        transaction.objectStore("device"),
      ];
      const [keys, values, deviceKeys, deviceValues] = await Promise.all([
        all(records.getAllKeys()),
        all(records.getAll()),
        all(device.getAllKeys()),
        all(device.getAll()),
      ]);
      const key = deviceValues.find((value) => value instanceof CryptoKey);
      const exported = await crypto.subtle.exportKey("raw", key as CryptoKey)
        .then(() => "exported", (error: DOMException) => error.name);
      return {
        databases: databases.map(({ name }) => name),
        stores: [...database.objectStoreNames],
        keys: keys.map((key) => [...new Uint8Array(key as ArrayBuffer)]),
        values: values.map((value) => [...value as Uint8Array]),
        deviceKeys,
        extractable: key?.extractable,
        exported,
        elsewhere: [
          localStorage.length,
          sessionStorage.length,
          document.cookie,
          (await caches.keys()).length,
        ],
      };
    });

    assert.deepEqual(found.databases, ["whisper"]);
    assert.deepEqual(found.stores, ["device", "records"]);
    assert.deepEqual(found.deviceKeys, ["gone 0", "key", "owner"]);
    assert.equal(found.extractable, false);
    assert.equal(found.exported, "InvalidAccessError");
    assert.deepEqual(found.elsewhere, [0, 0, "", 0]);
    const header = new TextEncoder().encode("whisper vault header");
    assert.equal(
      found.keys.length,
      5,
      "header, entry, order, summary, counter",
    );
    for (const [i, key] of found.keys.entries()) {
      if (key.length === header.length) assert.deepEqual(key, [...header]);
      else {
        assert.equal(key.length, 16);
        assert.equal((found.values[i].length - 42) % 128, 0);
        assert.ok(entropy(found.values[i].slice(2)) > 6, "looks random");
      }
    }
    await context.close();
    const everything = await filesBelow(profile);
    const database = await filesBelow(`${profile}/Default/IndexedDB`);
    assert.ok(contains(database, header), "the test reads the right files");
    for (const encoded of [new TextEncoder().encode(secret), utf16(secret)]) {
      assert.ok(
        !contains(everything, encoded),
        "what was said lies on the disk",
      );
    }
    for (const table of ["counters", "log entry", "log order", "log summary"]) {
      assert.ok(
        !contains(database, new TextEncoder().encode(table)),
        `${table} lies in the database`,
      );
    }
  },
);

diskTest(
  "a full disk refuses a commit whole, and takes it when there is room again",
  async ({ context, newPage }) => {
    const page = await newPage();
    const devtools = await context.newCDPSession(page);
    const origin = new URL(site.url).origin;
    const setRoom = (quotaSize: number) =>
      devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
    // Before the first write: Chromium remembers for a while how much room it had left.
    await setRoom(200_000);
    await createVault(page);
    await call(page, "count", 1);
    await assert.rejects(call(page, "fill", 20), /StorageFullError/u);
    assert.deepEqual(await call(page, "counts"), [1, 1]);
    await setRoom(100_000_000);
    await call(page, "fill", 20);
    await call(page, "count", 2);
    assert.deepEqual(await call(page, "counts"), [2, 2]);
  },
);

tabTest(
  "a tab that is taken over finishes its commits, and the other sees them all",
  async ({ newPage }) => {
    const [first, second] = [await newPage(), await newPage()];
    await createVault(first);
    assert.equal(await call(first, "hold", false), true);
    assert.equal(await call(second, "hold", false), false);
    const reached = await countSome(first);
    await call(second, "takeOver");
    await openVault(second);
    const [left, right] = await call(second, "counts");
    assert.equal(left, right);
    assert.ok(left !== undefined && left >= reached);
    await assert.rejects(call(first, "count", 1), /VaultClosedError/u);
  },
);

tabTest(
  "a tab that does not answer loses the account all the same, and can't write any more",
  async ({ newPage }) => {
    const [first, second] = [await newPage(), await newPage()];
    await createVault(first);
    await call(first, "hold", true);
    await call(second, "takeOver");
    await openVault(second);
    await call(second, "count", 7);
    await assert.rejects(call(first, "count", 1), /TakenOverError/u);
    assert.deepEqual(await call(second, "counts"), [7, 7]);
  },
);

tabTest(
  "a tab that closes without a word leaves the account free",
  async ({ newPage }) => {
    const [first, second] = [await newPage(), await newPage()];
    await createVault(first);
    await call(first, "hold", true);
    await first.close();
    await second.waitForFunction(() => globalThis.storageTests.hold(false));
    await openVault(second);
  },
);

tabTest(
  "when another tab deletes the database the vault does not stand in its way, and says what happened",
  async ({ newPage }) => {
    const [first, second] = [await newPage(), await newPage()];
    await createVault(first);
    const outcome = await second.evaluate(() =>
      new Promise((resolve) => {
        const deletion = indexedDB.deleteDatabase("whisper");
        deletion.onsuccess = () => resolve("deleted");
        deletion.onblocked = () => resolve("blocked");
      })
    );
    assert.equal(outcome, "deleted");
    await assert.rejects(call(first, "count", 1), /StorageUnavailableError/u);
    await assert.rejects(call(first, "counts"), /StorageUnavailableError/u);
  },
);

tabTest(
  "a database that does not open in time is unavailable",
  async ({ newPage }) => {
    const [first, second] = [await newPage(), await newPage()];
    // A connection that ignores being asked to close, and a deletion that waits for it.
    await first.evaluate(() =>
      new Promise((resolve) => indexedDB.open("stuck").onsuccess = resolve)
    );
    await second.evaluate(() => {
      indexedDB.deleteDatabase("stuck");
    });
    await assert.rejects(
      call(second, "openPlatform", "stuck", 300),
      /StorageUnavailableError/u,
    );
  },
);

tabTest("a database of a newer program says so", async ({ newPage }) => {
  const page = await newPage();
  await page.evaluate(() =>
    new Promise<void>((resolve) => {
      const open = indexedDB.open("later", 2);
      open.onsuccess = () => {
        open.result.close();
        resolve();
      };
    })
  );
  await assert.rejects(
    call(page, "openPlatform", "later"),
    /NewerVersionError/u,
  );
});

/** Lets the page count until it has committed a few, and leaves it counting. */
async function countSome(page: Page): Promise<number> {
  await call(page, "startCounting");
  await page.waitForFunction(() => globalThis.storageTests.reached() >= 20);
  return await call(page, "reached");
}

/** Bits per byte. */
function entropy(bytes: number[]): number {
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  return [...counts.values()].map((count) => count / bytes.length)
    .reduce((sum, share) => sum - share * Math.log2(share), 0);
}

async function filesBelow(directory: string): Promise<Uint8Array[]> {
  const files: Uint8Array[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    if (isDirectory) files.push(...await filesBelow(`${directory}/${name}`));
    if (isFile) files.push(await Deno.readFile(`${directory}/${name}`));
  }
  return files;
}

function contains(files: Uint8Array[], needle: Uint8Array): boolean {
  const text = latin1(needle);
  return files.some((file) => latin1(file).includes(text));
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

function utf16(text: string): Uint8Array {
  return new Uint8Array(
    Uint16Array.from(text, (unit) => unit.charCodeAt(0)).buffer,
  );
}
