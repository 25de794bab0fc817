import { deepEqual, equal } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  expectAccessible,
  freshPerson,
  freshVisitor,
  startRelay,
  type Visitor,
} from "../harness/mod.ts";

/** Somebody at a page of a server of their own, for as long as `visit` lasts. */
async function withVisitor(
  visit: (visitor: Visitor, url: string) => Promise<void>,
): Promise<void> {
  const relay = await startRelay();
  try {
    const visitor = await freshVisitor({ url: relay.url });
    try {
      await visit(visitor, relay.url);
    } finally {
      await visitor.close();
    }
  } finally {
    await relay.stop();
  }
}

/** What these files of the built client take together, gzip, in bytes. */
async function compressed(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    paths.map(async (path) =>
      gzipSync(await Deno.readFile(`dist/client${path}`)).length
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

Deno.test("every page opens under the strict headers, without an error and without asking anybody else", () =>
  withVisitor(async (visitor, url) => {
    const { page } = visitor;
    // Who has no account is shown the start, under its own address too.
    const pages = {
      "/": "Create new account",
      "/chat": "Create new account",
      "/nothing-here": "Go to the start page",
    };
    for (const [path, action] of Object.entries(pages)) {
      await page.goto(url + path);
      await page.getByText(action, { exact: true }).waitFor();
      equal(
        await page.locator("is-land:not([data-ready])").count(),
        0,
      );
      equal(await page.locator("#needs-https").isVisible(), false);
      await expectAccessible(page);
      const loaded = await page.evaluate(() =>
        performance.getEntriesByType("resource").map(({ name }) =>
          new URL(name).pathname
        )
          .filter((name) => /\.(js|css)$/.test(name))
      );
      equal(
        await compressed(loaded) <= 120 * 1024,
        true,
        `${path} loads ${loaded.join(" ")}`,
      );
      equal(loaded.length > 1, true);
    }
    visitor.expectNoProblems(/status of 404/);
  }));

Deno.test("the policy lets the page talk to its own relay over WebSocket, and to nobody else", () =>
  withVisitor(async ({ page }, url) => {
    const dial = (target: string) =>
      page.evaluate((address) =>
        new Promise<string>((resolve) => {
          document.addEventListener("securitypolicyviolation", (event) =>
            resolve(`refused by ${event.violatedDirective}`));
          try {
            const socket = new WebSocket(address);
            socket.binaryType = "arraybuffer";
            socket.onmessage = ({ data }) =>
              resolve(`${data.byteLength} bytes`);
          } catch (error) {
            resolve(String(error));
          }
        }), target);
    equal(await dial(url.replace("http", "ws") + "/relay"), "512 bytes");
    equal(await dial("ws://127.0.0.2:1/relay"), "refused by connect-src");
    const fetched = await page.evaluate(() =>
      fetch("http://127.0.0.2:1/").then(() => "answered", () => "refused")
    );
    equal(fetched, "refused");
  }));

Deno.test("text never becomes code or markup: evaluation, inline script and innerHTML are refused", () =>
  withVisitor(async ({ page }) => {
    const attempts = await page.evaluate(async () => {
      const refused = (attempt: () => unknown) =>
        // Later, because what the test itself evaluates in the page is exempt from its policy.
        new Promise<string>((resolve) =>
          setTimeout(() => {
            try {
              attempt();
              resolve("done");
            } catch (error) {
              resolve(error instanceof Error ? error.name : String(error));
            }
          })
        );
      // Not in TypeScript's DOM.
      const { trustedTypes } = globalThis as unknown as {
        trustedTypes: { createPolicy(name: string, rules: object): void };
      };
      return {
        function: await refused(() => new Function("return 1")()),
        markup: await refused(() => document.body.innerHTML = "<b>x</b>"),
        worker: await refused(() => new Worker("/assets/anything.js")),
        policy: await refused(() => trustedTypes.createPolicy("other", {})),
        samePolicy: await refused(() =>
          trustedTypes.createPolicy("whisper", {})
        ),
      };
    });
    deepEqual(attempts, {
      function: "EvalError",
      markup: "TypeError",
      worker: "TypeError",
      policy: "TypeError",
      samePolicy: "TypeError",
    });
  }));

Deno.test("of what browsers offer, the page may use the clipboard to copy, passkeys and the camera, and nothing else", () =>
  withVisitor(async ({ page }) => {
    const allowed = await page.evaluate(() =>
      // Chromium's name for the permissions policy of a document, not in TypeScript's DOM.
      (document as unknown as {
        featurePolicy: { allowedFeatures(): string[] };
      }).featurePolicy.allowedFeatures()
    );
    deepEqual(allowed.toSorted(), [
      "autoplay",
      "camera",
      "clipboard-write",
      "media-playback-while-not-visible",
      "publickey-credentials-create",
      "publickey-credentials-get",
    ]);
  }));

Deno.test("over plain http from another machine the page says that it needs https, and starts nothing", async () => {
  const relay = await startRelay({ args: ["--host", "0.0.0.0"] });
  const person = await freshPerson({
    url: `http://whisper.test:${relay.port}`,
    flags: ["--host-resolver-rules=MAP whisper.test 127.0.0.1"],
  });
  try {
    const { page } = person;
    for (const path of ["/", "/chat"]) {
      await page.goto(`http://whisper.test:${relay.port}${path}`);
      await page.getByRole("alert").getByRole("heading", {
        name: "This page needs https",
      }).waitFor();
      equal(await page.locator("is-land").isVisible(), false);
      equal(await page.locator("is-land[data-ready]").count(), 0);
      await expectAccessible(page);
    }
  } finally {
    await person.close();
    await relay.stop();
  }
});

Deno.test("a button pressed before the page has come to life does what it says once it has", () =>
  withVisitor(async ({ page }, url) => {
    const held = Promise.withResolvers<void>();
    await page.route(/\/assets\/app-.*\.js$/, async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goto(url, { waitUntil: "commit" });
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("button", { name: "Create new account" }).click();
    equal(await page.locator("is-land[data-ready]").count(), 0);
    held.resolve();
    await page.getByRole("textbox", { name: "Display name" }).waitFor();
    equal(await page.locator("[data-pressed]").count(), 0);
  }));
