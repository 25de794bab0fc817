/** Screens that show only when something is in the way: no room, no storage, a long past. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { expectAccessible, screenshot, type Visitor } from "../harness/mod.ts";
import {
  connect,
  createAccount,
  message,
  messengerIsOpen,
  textsOf,
  write,
} from "./conversation_steps.ts";
import { withConversation, withVisitors } from "./support_visitors.ts";

/** Where no database is opened. */
const ELSEWHERE = { path: "/nothing-here" };

Deno.test("when the disk is full it is said, nothing written is lost, and trying again goes on", () =>
  withVisitors([ELSEWHERE, {}], async (ada, bjorn) => {
    const { page } = ada;
    // Chromium asks how much room there is when a page opens a database, and then not for half a minute:
    // so the room is made small from a page that opens none, once the program is stored.
    const used = await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      return (await navigator.storage.estimate()).usage ?? 0;
    });
    const session = await ada.context.newCDPSession(page);
    const { origin } = new URL(page.url());
    const setRoom = (quotaSize: number) =>
      session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
    await setRoom(used + 600_000);
    await page.goto(origin);
    await createAccount(ada, "Ada");
    await createAccount(bjorn, "Björn");
    await connect(ada, bjorn);

    const full = page.getByRole("heading", { name: "There is no room left" });
    const written: string[] = [];
    let writing: Promise<void> | undefined;
    while (!await full.isVisible()) {
      const text = `${written.length + 1} ${"to fill the disk ".repeat(1500)}`
        .trim();
      written.push(text);
      // There can be no room for the draft already: then it is sent when there is again.
      writing = write(ada, text);
      await Promise.race([writing, full.waitFor()]);
      // Either it is stored and shown, or there is no room for it.
      await full.or(message(ada, new RegExp(`^You: ${written.length} to`)))
        .waitFor();
    }
    await expectAccessible(page);
    await screenshot(page, "storage-full");

    await setRoom(500_000_000);
    await page.getByRole("button", { name: "Try again" }).click();
    await messengerIsOpen(page);
    await writing;
    // Enter can have been pressed just as the field went: then what was written is still there to be sent.
    const field = page.getByRole("textbox", { name: "Message" });
    if (await field.inputValue() !== "") await field.press("Enter");
    await message(bjorn, new RegExp(`^Ada: ${written.length} to`)).waitFor();
    deepEqual(await textsOf(bjorn), written);
  }, /status of 404/));

/** Has the browser promise to keep what this window stores, as it does for who has installed the page. */
async function promiseToKeep({ context, page }: Visitor): Promise<void> {
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send("Target.getTargetInfo");
  await session.send("Browser.grantPermissions", {
    permissions: ["durableStorage"],
    origin: new URL(page.url()).origin,
    browserContextId: targetInfo.browserContextId,
  });
}

Deno.test("the browser is asked to keep what is stored; what it means that it did not promise is said once, and stays to be read", () =>
  withVisitors([{}, {}], async (ada, bjorn) => {
    await promiseToKeep(bjorn);
    await Promise.all([
      createAccount(ada, "Ada"),
      createAccount(bjorn, "Björn"),
    ]);
    await connect(ada, bjorn);
    const notice = ({ page }: Visitor) =>
      page.getByRole("status").getByText("This browser may clear");
    const settings = async ({ page }: Visitor, words: RegExp) => {
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("dialog").getByText(words).waitFor();
      await page.keyboard.press("Escape");
    };
    await notice(ada).waitFor();
    await ada.page.getByText("What this means").click();
    await ada.page.getByText(/It did not promise to keep/).waitFor();
    await expectAccessible(ada.page);
    await ada.page.getByRole("button", { name: "Dismiss" }).click();
    await notice(ada).waitFor({ state: "detached" });
    await ada.page.reload();
    await settings(ada, /It did not promise to keep/);
    equal(await notice(ada).count(), 0);

    await settings(bjorn, /The browser has promised to keep/);
    equal(await notice(bjorn).count(), 0);
  }));

Deno.test("while what is stored is not open yet, that is said", () =>
  withVisitors([{}], async ({ page }) => {
    // Another tab that is about to let go, for ever.
    await page.addInitScript(() => {
      navigator.locks.request = () => new Promise(() => {});
    });
    await page.goto(new URL("/chat", page.url()).href);
    await page.locator("is-land[data-ready]").waitFor({ state: "attached" });
    const words = page.getByText("Opening your conversations…");
    // They come only if it takes long.
    await words.evaluate((element) =>
      Promise.all(element.getAnimations().map(({ finished }) => finished))
    );
    await expectAccessible(page);
    await screenshot(page, "starting");
  }));

Deno.test("back does not give up a new account whose access key is shown", () =>
  withVisitors([{}], async ({ page }) => {
    await page.getByRole("button", { name: "Create new account" }).click();
    await page.getByRole("textbox", { name: "Display name" }).fill("Ada");
    await page.getByRole("button", { name: "Create account" }).click();
    const key = page.getByRole("status", { name: "Access key" });
    const shown = await key.innerText();
    const stored = page.getByRole("checkbox", {
      name: "I have stored my access key",
    });
    await stored.check();
    for (let i = 0; i < 3; i++) {
      await page.evaluate(() => {
        const heard = new Promise((resolve) =>
          addEventListener("popstate", resolve, { once: true })
        );
        history.back();
        return heard;
      });
      equal(await key.innerText(), shown);
      equal(await stored.isChecked(), true);
    }
    await page.getByRole("button", { name: "Continue" }).click();
    await messengerIsOpen(page);
  }));

Deno.test("a browser that stores nothing is told so, and offered no account", () =>
  withVisitors([{}], async ({ page }) => {
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, "indexedDB", { value: undefined });
    });
    await page.reload();
    await page.getByRole("heading", {
      name: "This browser does not let Whisper store anything",
    }).waitFor();
    await expectAccessible(page);
    equal(
      await page.getByRole("button", { name: "Create new account" }).count(),
      0,
    );
  }));

Deno.test("when the browser has cleared the account it is said, and the access key brings it back; whoever erases is not told so", () =>
  withVisitors([{}], async (ada) => {
    const { page } = ada;
    const accessKey = await createAccount(ada, "Ada");
    const { origin } = new URL(page.url());
    const cleared = page.getByRole("alert").getByText(/has cleared/);
    // The backup is at the relay by then.
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText(/sealed: only your access key opens them/).waitFor();
    // What Chromium takes when the disk runs full.
    await page.goto("about:blank");
    const session = await ada.context.newCDPSession(page);
    await session.send("Storage.clearDataForOrigin", {
      origin,
      storageTypes: "indexeddb,cache_storage,service_workers",
    });
    await page.goto(origin);
    await cleared.waitFor();
    await expectAccessible(page);
    await screenshot(page, "cleared");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("textbox", { name: "Access key" }).fill(accessKey);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: "Your account was found" })
      .waitFor();
    await page.getByRole("button", { name: "Replace what I had" }).click();
    await messengerIsOpen(page);

    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Erase everything" }).click();
    // The page comes anew from the server, as for someone who never was here.
    await Promise.all([
      page.waitForEvent("load"),
      page.getByRole("button", { name: "Erase everything" }).click(),
    ]);
    await page.locator("is-land[data-ready]").waitFor({ state: "attached" });
    await page.waitForFunction(async () =>
      (await indexedDB.databases()).length > 0
    );
    equal(await cleared.count(), 0);
  }, /status of 404/));

Deno.test("with a clock wrong by a year people meet and talk as ever, and it is said that it is wrong", () =>
  withVisitors([ELSEWHERE, {}], async (ada, bjorn) => {
    const { page } = ada;
    await page.addInitScript(() => {
      const { now } = Date;
      Date.now = () => now() - 365 * 86_400_000;
    });
    await page.goto(new URL("/", page.url()).href);
    await createAccount(ada, "Ada");
    await createAccount(bjorn, "Björn");
    await page.getByText("This device's clock is 365 days behind the server's.")
      .waitFor();
    await expectAccessible(page);
    await screenshot(page, "clock-off");
    await connect(ada, bjorn);
    await write(ada, "What year is it?");
    await message(bjorn, /^Ada: What year is it\?/).waitFor();
    await write(bjorn, "A later one than you think");
    await message(ada, /^Björn: A later one/).waitFor();
    await message(ada, /^You: What year is it\?, .*, read$/).waitFor();
    await message(bjorn, /^You: A later one .*, read$/).waitFor();
    await page.reload();
    await message(ada, /^Björn: A later one/).waitFor();
    await write(bjorn, "It is");
    await message(ada, /^Björn: It is/).waitFor();
    equal(await bjorn.page.getByText("This device's clock").count(), 0);
  }, /status of 404/));

Deno.test("when what reads messages does not arrive, that is said, and nothing is taken in until it has", () =>
  withVisitors(
    [{}, {}],
    async (ada, bjorn) => {
      await createAccount(ada, "Ada");
      await createAccount(bjorn, "Björn");
      await connect(ada, bjorn);
      const { page } = bjorn;
      // As on a first visit: the browser has kept nothing of the program.
      await page.evaluate(async () => {
        for (const it of await navigator.serviceWorker.getRegistrations()) {
          await it.unregister();
        }
        for (const name of await caches.keys()) await caches.delete(name);
      });
      await page.route(/\/assets\/sessions-/, (route) => route.abort());
      await page.reload();
      await page.getByRole("heading", { name: "Whisper could not start" })
        .waitFor();
      await expectAccessible(page);
      await write(ada, "this waits at the relay");
      await page.unroute(/\/assets\/sessions-/);
      await page.getByRole("button", { name: "Reload" }).click();
      await message(bjorn, /^Ada: this waits at the relay/).waitFor();
    },
    /Failed to load resource|could not be loaded|closed before the connection/,
  ));

Deno.test("a long conversation opens at its end, grows as one scrolls up, and leads back", () =>
  withConversation({}, async (ada, bjorn) => {
    const sent = Array.from({ length: 75 }, (_, i) => `line ${i + 1}`);
    for (const text of sent) await write(ada, text);
    await message(bjorn, /^Ada: line 75, /).waitFor();
    await bjorn.page.reload();
    const { page } = bjorn;
    await message(bjorn, /^Ada: line 75, /).waitFor();
    const log = page.getByRole("log", { name: "Messages" });
    const scrollTop = () => log.evaluate((element) => element.scrollTop);
    equal(await scrollTop(), 0);
    ok((await textsOf(bjorn)).length < sent.length);

    await log.focus();
    while ((await textsOf(bjorn)).length < sent.length) {
      await page.keyboard.press("Home");
    }
    deepEqual(await textsOf(bjorn), sent);
    await log.evaluate((element) => element.scrollTo({ top: -900 }));
    await page.getByRole("button", { name: "Jump to newest" }).waitFor();

    // What arrives moves nothing under the eyes of who is reading.
    const middle = () =>
      page.evaluate(() =>
        document.elementFromPoint(innerWidth * 0.5, innerHeight / 2)
          ?.closest("article")?.getBoundingClientRect().top
      );
    const before = await middle();
    await write(ada, "one more");
    await page.getByRole("button", { name: "Jump to newest, 1 new message" })
      .waitFor();
    equal(await middle(), before);
    await page.getByRole("button", { name: "Jump to newest" }).click();
    await page.waitForFunction(() =>
      document.querySelector(".log")?.scrollTop === 0
    );
    equal(
      await page.getByRole("button", { name: "Jump to newest" }).count(),
      0,
    );
  }));
