/// <reference lib="webworker" />
/**
 * The service worker: keeps every file of one version of the program, pages included, and answers
 * with them first, so that the program opens offline and never mixes versions. A newer version is
 * downloaded whole and then waits until the person agrees to it.
 */

/** Set by the build: URL paths and the integrity (`sha256-…`) of what they must hold. */
declare const FILES: Readonly<Record<string, string>>;
/** Set by the build: changes whenever a file changes. */
declare const VERSION: string;

// A service worker's global is one; the project's types are those of a page.
const worker = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = "whisper-";
const CACHE = PREFIX + VERSION;

worker.addEventListener("install", (event) => event.waitUntil(download()));
worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));
worker.addEventListener("message", (event) => {
  if (event.data === "apply") event.waitUntil(worker.skipWaiting());
});
worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (
    method !== "GET" || origin !== worker.location.origin ||
    !Object.hasOwn(FILES, pathname)
  ) return;
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
}

async function takeOver(): Promise<void> {
  const old = (await caches.keys()).filter((name) =>
    name.startsWith(PREFIX) && name !== CACHE
  );
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return await cache.match(path) ?? fetch(request);
}
