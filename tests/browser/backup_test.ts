/** The backup as a person sees it: what the settings say, and coming back in a browser that has nothing. */
import { equal } from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import {
  expectAccessible,
  freshVisitor,
  screenshot,
  startRelay,
} from "../harness/mod.ts";
import {
  connect,
  createAccount,
  entry,
  message,
  write,
} from "./conversation_steps.ts";
import { CONNECTION_NOTES } from "./support_two.ts";

Deno.test("the access key alone brings an account back in a fresh browser, and its contacts follow by themselves", async () => {
  const relay = await startRelay();
  const fresh = () => freshVisitor({ url: relay.url });
  const [ada, bob, anew] = [await fresh(), await fresh(), await fresh()];
  try {
    const accessKey = await createAccount(ada, "Ada");
    await createAccount(bob, "Bob");
    await connect(ada, bob);
    await ada.page.getByRole("button", { name: "Settings", exact: true })
      .click();
    await ada.page.getByText(/sealed: only your access key opens them/)
      .waitFor();
    await expectAccessible(ada.page);
    await ada.close();

    const { page } = anew;
    await page.getByRole("button", { name: "Log in" }).first().click();
    await page.getByLabel("Access key").fill(accessKey);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: "Your account was found" })
      .waitFor();
    await page.getByText("Ada, with 1 contact and 1 device.").waitFor();
    for (const colorScheme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
      await screenshot(page, `found-${colorScheme}`);
    }
    await page.getByRole("button", { name: "Replace what I had" }).click();
    await entry(anew, "Bob").click();
    await write(anew, "I am back");
    await message(bob, /I am back/).waitFor();
    await write(bob, "there you are");
    await message(anew, /there you are/).waitFor();
    anew.expectNoProblems();
    bob.expectNoProblems();
  } finally {
    for (const person of [ada, bob, anew]) await person.close();
    await relay.stop();
  }
});

Deno.test("that the server gave out an older backup is said in the settings until the person has seen it", async () => {
  let relay = await startRelay();
  const before = await Deno.makeTempDir({ prefix: "whisper-before-" });
  const ada = await freshVisitor({ url: relay.url });
  const { page } = ada;
  const settings = async () => {
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await page.getByText(/sealed: only your access key opens them/).waitFor();
  };
  const receipts = page.getByRole("switch", {
    name: "Tell when messages are read",
  });
  const alarm = page.getByRole("alert").getByText(/gave out an older one/);
  try {
    await createAccount(ada, "Ada");
    await settings();
    await relay.kill9();
    await copy(relay.dataDir, before);
    relay = await relay.restart();
    await receipts.uncheck();
    await page.getByText(/still to be stored/).waitFor();
    await page.getByText(/sealed: only your access key opens them/).waitFor();
    await relay.kill9();
    await copy(before, relay.dataDir);
    relay = await relay.restart();
    await receipts.check();
    await alarm.waitFor();
    await expectAccessible(page);
    await screenshot(page, "went-back");
    await page.getByRole("button", { name: "Dismiss" }).focus();
    await page.keyboard.press("Enter");
    await alarm.waitFor({ state: "detached" });
    await page.waitForFunction(() =>
      document.activeElement?.textContent === "Backup"
    );
    await page.reload();
    await settings();
    equal(await alarm.count(), 0);
    ada.expectNoProblems(CONNECTION_NOTES);
  } finally {
    await ada.close();
    await relay.stop();
    await Deno.remove(before, { recursive: true });
  }
});

/** What is in a folder takes the place of what is in another. */
async function copy(from: string, to: string): Promise<void> {
  for await (const { name } of Deno.readDir(to)) {
    await Deno.remove(join(to, name), { recursive: true });
  }
  await cp(from, to, { recursive: true });
}
