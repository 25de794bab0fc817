/// <reference lib="webworker" />
/**
 * The service worker: keeps every file of one version of the program, pages included, and answers
 * with them first, so that the program opens offline and never mixes versions. A newer version is
 * downloaded whole and then waits until the person agrees to it. The browser itself starts a newer
 * worker as soon as no page is open, agreed to or not: one that was not goes on with the files of the
 * version that was.
 */

/** Set by the build: URL paths and the integrity (`sha256-…`) of what they must hold. */
declare const FILES: Readonly<Record<string, string>>;
/** Set by the build: changes whenever a file changes. */
declare const VERSION: string;

// A service worker's global is one; the project's types are those of a page.
const worker = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = "whisper-";
const CACHE = PREFIX + VERSION;
/** In the cache of a version that the person agreed to. No page can ask for it, and nobody is asked. */
const AGREED = "https://agreed.invalid/";
/** The cache whose files are shown, once it is known. */
let used: Promise<string> | undefined;

worker.addEventListener("install", (event) => event.waitUntil(download()));
worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));
worker.addEventListener("message", (event) => {
  switch (event.data) {
    // To a worker that waits: it takes the pages over, and they load anew.
    case "apply":
      return event.waitUntil(agree().then(() => worker.skipWaiting()));
    // To one that has the pages already.
    case "agree":
      return event.waitUntil(agree().then(tellAll));
    case "waits?":
      return event.waitUntil(tell(event.source));
  }
});
worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== worker.location.origin) return;
  event.respondWith(answer(event.request, pathname));
});

/** Every file, each checked against its hash: a half-replaced server never makes a mixed version. */
async function download(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    Object.entries(FILES).map(async ([path, integrity]) => {
      const response = await fetch(path, { cache: "no-cache", integrity });
      if (!response.ok) {
        throw new Error(`${path} was answered ${response.status}`);
      }
      await cache.put(path, response);
    }),
  );
  // The first version is what the person came for.
  if (!worker.registration.active) await agree();
}

async function agree(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.put(AGREED, new Response());
  used = undefined;
}

/** Whether the cache of this name is of a version that was agreed to. */
async function isAgreed(name: string): Promise<boolean> {
  return await caches.match(AGREED, { cacheName: name }) !== undefined;
}

/** The cache of the version that was agreed to; this one's if it was, or if none is known. */
function inUse(): Promise<string> {
  return used ??= findUsed();
}

async function findUsed(): Promise<string> {
  if (await isAgreed(CACHE)) return CACHE;
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && await isAgreed(name)) return name;
  }
  return CACHE;
}

async function takeOver(): Promise<void> {
  const shown = await inUse();
  const old = (await caches.keys()).filter((name) =>
    name.startsWith(PREFIX) && name !== CACHE && name !== shown
  );
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** The person agreed to this version, in one page of perhaps several. */
async function tellAll(): Promise<void> {
  await takeOver();
  for (const client of await worker.clients.matchAll()) {
    client.postMessage("agreed");
  }
}

/** Tells a page that asks whether this version still waits to be agreed to. */
async function tell(page: ExtendableMessageEvent["source"]): Promise<void> {
  if (await inUse() !== CACHE) page?.postMessage("waits");
}

async function answer(request: Request, path: string): Promise<Response> {
  return await caches.match(path, { cacheName: await inUse() }) ??
    fetch(request);
}
