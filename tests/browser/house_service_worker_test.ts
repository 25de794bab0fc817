import { deepEqual, equal } from "node:assert/strict";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { join } from "node:path";
import { Hono } from "hono";
import type { Page } from "playwright-core";
import { staticFiles } from "../../lib/web/build/bundle.ts";
import { buildServiceWorker } from "../../lib/web/build/service_worker.ts";
import { securityHeaders } from "../../lib/web/security_headers.ts";
import { serveFile } from "../../lib/web/static_files.ts";
import { createHttpServer, listen } from "../../server/http_server.ts";
import { freshPerson, freshVisitor, startRelay } from "../harness/mod.ts";

/** Waits until the service worker has everything and answers for this page. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) =>
        navigator.serviceWorker.addEventListener("controllerchange", resolve)
      );
    }
  });
}

Deno.test("the browser would install it; and without the server and without a network, every page opens and its islands start", async () => {
  const relay = await startRelay();
  const person = await freshPerson({ url: relay.url });
  try {
    await settled(person.page);
    const session = await person.context.newCDPSession(person.page);
    deepEqual(await session.send("Page.getInstallabilityErrors"), {
      installabilityErrors: [],
    });
    await relay.kill9();
    await person.context.setOffline(true);
    for (const path of ["/", "/chat", "/?some=query"]) {
      await person.page.goto(relay.url + path);
      await person.page.locator("is-land[data-ready]").waitFor({
        state: "attached",
      });
    }
    await person.reopen("/chat");
    await person.page.locator("is-land[data-ready]").waitFor({
      state: "attached",
    });
  } finally {
    await person.close();
    await Deno.remove(relay.dataDir, { recursive: true });
  }
});

/** The built client with every page's title changed to `title`, as its own version. */
async function release(root: string, title: string): Promise<void> {
  const client = join(root, "dist/client");
  await rm(client, { recursive: true, force: true });
  await mkdir(join(root, "dist"), { recursive: true });
  await cp("dist/client", client, { recursive: true });
  for (const name of ["sw.js", "build.json"]) await rm(join(client, name));
  for (const name of ["index.html", "chat.html"]) {
    await retitle(join(client, name), title);
  }
  await buildServiceWorker(root);
}

async function retitle(file: string, title: string): Promise<void> {
  await writeFile(
    file,
    (await readFile(file, "utf8")).replace(
      /<title>.*?<\/title>/,
      `<title>${title}</title>`,
    ),
  );
}

async function serveClient(
  root: string,
): Promise<{ server: Server; url: string; reload: () => void }> {
  let files = staticFiles(root);
  const app = new Hono();
  app.all("*", (context) => serveFile(files, context) ?? context.notFound());
  const server = createHttpServer({
    fetch: app.fetch,
    headers: securityHeaders({ tls: false }),
  });
  const url = `http://localhost:${await listen(server, 0, "127.0.0.1")}`;
  return { server, url, reload: () => files = staticFiles(root) };
}

/** Looks for a newer version, and says whether one waits now. */
const looksForUpdate = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update().catch((error: unknown) => {
      // The answer for a version whose files do not fit together; it must not be installed.
      if (!(error instanceof TypeError)) throw error;
    });
    const { installing } = registration;
    if (installing) {
      await new Promise<void>((resolve) =>
        installing.addEventListener("statechange", () => resolve(), {
          once: true,
        })
      );
    }
    return registration.waiting !== null;
  });

/** Loads the page anew, and says by which title, once `act` was done in it. */
async function loadedBy(
  page: Page,
  act: () => Promise<unknown>,
): Promise<string> {
  const loaded = page.waitForEvent("load");
  await page.evaluate(act);
  await loaded;
  return await page.title();
}

/** Closes the page, so that none is open, and opens it again, until no worker waits any more. */
async function openedAgain(page: Page, title: string): Promise<Page> {
  const context = page.context();
  let again = page;
  for (;;) {
    const url = again.url();
    await again.close();
    again = await context.newPage();
    await again.goto(url);
    equal(await again.title(), title);
    const waits = await again.evaluate(async () =>
      (await navigator.serviceWorker.ready).waiting !== null
    );
    if (!waits) return again;
  }
}

Deno.test("a newer version waits for consent, however often the page is loaded or closed and opened; a broken one is never taken", async () => {
  const root = await Deno.makeTempDir();
  await release(root, "First");
  const { server, url, reload } = await serveClient(root);
  const visitor = await freshVisitor({ url });
  let { page } = visitor;
  try {
    await settled(page);
    equal(await page.title(), "First");
    equal(await looksForUpdate(page), false);

    await release(root, "Broken");
    await retitle(
      join(root, "dist/client/chat.html"),
      "Not what the list says",
    );
    reload();
    equal(await looksForUpdate(page), false);
    await page.reload();
    equal(await page.title(), "First");

    await release(root, "Second");
    reload();
    equal(await looksForUpdate(page), true);
    for (let times = 0; times < 2; times++) {
      await page.reload();
      equal(await page.title(), "First");
    }
    page = await openedAgain(page, "First");
    await page.reload();
    equal(await page.title(), "First");
    const answer = await page.evaluate(() =>
      new Promise((resolve) => {
        const { serviceWorker } = navigator;
        serviceWorker.addEventListener("message", ({ data }) => resolve(data));
        serviceWorker.controller?.postMessage("waits?");
      })
    );
    equal(answer, "waits");
    // What applyUpdate of lib/web/service_worker_client.ts does when the person agrees.
    const second = await loadedBy(
      page,
      async () =>
        (await navigator.serviceWorker.ready).active?.postMessage("agree"),
    );
    equal(second, "Second");
    equal((await page.evaluate(() => caches.keys())).length, 1);

    await release(root, "Third");
    reload();
    equal(await looksForUpdate(page), true);
    await page.reload();
    equal(await page.title(), "Second");
    const third = await loadedBy(
      page,
      async () =>
        (await navigator.serviceWorker.ready).waiting?.postMessage("apply"),
    );
    equal(third, "Third");
    equal((await page.evaluate(() => caches.keys())).length, 1);
  } finally {
    await visitor.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await Deno.remove(root, { recursive: true });
  }
});
