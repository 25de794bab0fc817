/** What one does about a contact: verifying, renaming, muting, archiving, blocking, deleting, exporting. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import {
  expectAccessible,
  freshPerson,
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
import { cameraFlags, film } from "./support_camera.ts";
import { withConversation } from "./support_visitors.ts";

const button = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name, exact: typeof name === "string" });

async function choose(page: Page, what: string): Promise<void> {
  await button(page, "Options").click();
  await page.getByRole("menuitem", { name: what, exact: true }).click();
}

/** Opens Verify and gives the digits, once they are there. */
async function digitsOf(page: Page): Promise<string> {
  await button(page, "Verify").click();
  const digits = page.getByRole("list", { name: "Safety number" });
  await page.getByRole("img", { name: "QR code of the safety number" })
    .waitFor();
  const groups = await digits.locator("[aria-hidden=true]").allInnerTexts();
  equal(groups.length, 12);
  for (const group of groups) match(group, /^\d{5}$/);
  return groups.join(" ");
}

Deno.test("both see the same sixty digits; who says so is marked as verified, and can take it back", () =>
  withConversation({}, async (ada, bjorn) => {
    // A shield without a check mark, which is of one path more.
    const shield = button(ada.page, "Verify").locator("svg path");
    equal(await shield.count(), 1);
    const mine = await digitsOf(ada.page);
    equal(await digitsOf(bjorn.page), mine);
    await button(ada.page, "Mark as verified").click();
    await ada.page.getByText("You have verified Björn.").waitFor();
    await button(ada.page, "Close").click();
    await ada.page.locator(".conversation-name")
      .getByRole("img", { name: "Verified" }).waitFor();
    equal(await shield.count(), 2);
    match(await entry(ada, "Björn").innerText(), /Björn/);

    await ada.page.reload();
    await ada.page.getByRole("img", { name: "Verified" }).first().waitFor();
    await button(ada.page, "Verify").click();
    await button(ada.page, "Remove the mark").click();
    await button(ada.page, "Mark as verified").waitFor();
    await button(ada.page, "Close").click();
    await ada.page.getByRole("img", { name: "Verified" }).first()
      .waitFor({ state: "detached" });
  }));

Deno.test("who scans the other's code has them verified; where there is no camera it says so", async () => {
  const relay = await startRelay();
  const path = await Deno.makeTempFile({ suffix: ".y4m" });
  const ada = await freshPerson({ url: relay.url, flags: cameraFlags(path) });
  const bjorn = await freshVisitor({ url: relay.url });
  try {
    await createAccount(ada, "Ada");
    await createAccount(bjorn, "Björn");
    await connect(ada, bjorn);
    await digitsOf(bjorn.page);
    await film(bjorn.page, path);
    // A browser looks at its cameras when it starts.
    await ada.reopen("/chat");
    await entry(ada, "Björn").click();
    await button(ada.page, "Verify").click();
    await button(ada.page, "Scan their code").click();
    await ada.page.getByText("The numbers are the same. Björn is verified.")
      .waitFor();

    await button(bjorn.page, "Scan their code").click();
    await bjorn.page.getByRole("alert").getByText(/There is no camera here/)
      .waitFor();
    await button(bjorn.page, "Stop scanning").click();
    await button(bjorn.page, "Scan their code").waitFor();
    ada.expectNoProblems();
    bjorn.expectNoProblems();
  } finally {
    await ada.close();
    await bjorn.close();
    await relay.stop();
    await Deno.remove(path);
  }
});

Deno.test("a contact is renamed, muted and archived, and comes back with their next message", () =>
  withConversation({}, async (ada, bjorn) => {
    const { page } = ada;
    await choose(page, "Rename");
    await page.getByRole("textbox", { name: "Name" }).fill("Little brother");
    await button(page, "Save").click();
    await entry(ada, "Little brother").waitFor();
    await page.getByRole("heading", { name: "Little brother" }).waitFor();

    await choose(page, "Mute");
    await page.getByRole("img", { name: "muted" }).first().waitFor();
    await button(page, "Undo").click();
    await page.getByRole("img", { name: "muted" }).first()
      .waitFor({ state: "detached" });

    await choose(page, "Archive");
    const archive = page.locator("summary", { hasText: "Archived" });
    await archive.waitFor();
    equal(await entry(ada, "Little brother").count(), 0);
    await archive.click();
    await page.getByRole("list", { name: "Archived" })
      .getByRole("button", { name: /^Little brother/ }).waitFor();
    await write(bjorn, "Anybody there?");
    await archive.waitFor({ state: "detached" });
    await entry(ada, "Little brother").waitFor();
  }));

Deno.test("who is blocked reaches nobody and is not told why; unblocked, both meet anew and their words are still there", () =>
  withConversation({}, async (ada, bjorn) => {
    const { page } = ada;
    await write(ada, "one last word");
    await message(bjorn, /one last word/).waitFor();
    await choose(page, "Block");
    await button(page, "Block").click();
    await page.getByText("You have blocked Björn. They can't reach you.")
      .waitFor();
    equal(
      await page.getByRole("textbox", { name: "Message" }).count(),
      0,
      "nothing can be written",
    );
    await write(bjorn, "hello?");
    await message(bjorn, /^You: hello\?, .*, failed$/).waitFor();
    equal(await message(ada, /hello\?/).count(), 0);
    const lost = bjorn.page.getByText("Ada can't be reached here any more.");
    await lost.waitFor();

    await button(page, "Unblock").click();
    await button(page, "Meet anew").waitFor();
    await connect(ada, bjorn);
    // The log was there before: what ends is the dialog.
    for (const one of [ada, bjorn]) {
      await one.page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await lost.waitFor({ state: "detached" });
    await write(bjorn, "there you are");
    await message(ada, /there you are/).waitFor();
    await message(ada, /one last word/).waitFor();
  }));

Deno.test("clearing empties the chat here and not there; deleting leaves nobody and nothing", () =>
  withConversation({}, async (ada, bjorn) => {
    const { page } = ada;
    await write(ada, "to be forgotten");
    await message(bjorn, /to be forgotten/).waitFor();
    await choose(page, "Clear chat");
    await button(page, "Clear chat").click();
    await message(ada, /to be forgotten/).waitFor({ state: "detached" });
    equal(await message(bjorn, /to be forgotten/).count(), 1);
    await choose(page, "Archive");
    await button(page, "Undo").waitFor();

    await choose(page, "Delete contact");
    await button(page, "Delete contact").click();
    await entry(ada, "Björn").waitFor({ state: "detached" });
    // Shown, and not only said aloud; that the chat can be taken out of the archive is over with it.
    await page.locator(".undo-bar").getByText(/Björn/).waitFor();
    equal(await button(page, "Undo").count(), 0);
    await page.locator("h2:focus", { hasText: "Chats" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "No one here yet" }).waitFor();
  }));

Deno.test("one's own data comes as a file that says what was said", () =>
  withConversation({}, async (ada, bjorn) => {
    const { page } = ada;
    await write(bjorn, "mind the lamp");
    await message(ada, /mind the lamp/).waitFor();
    await button(page, "Settings").click();
    await button(page, "Export…").click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      button(page, "Export").click(),
    ]);
    const pieces: Uint8Array[] = [];
    for await (const piece of await download.createReadStream()) {
      pieces.push(piece);
    }
    const file = JSON.parse(new TextDecoder().decode(Buffer.concat(pieces)));
    ok(JSON.stringify(file).includes("mind the lamp"));
    ok(JSON.stringify(file).includes("Björn"));
    ok(!/private|secret|seed/i.test(JSON.stringify(Object.keys(file))));
  }));

Deno.test("the contact's screens are accessible on a small phone, dark and light", () =>
  withConversation(
    { viewport: { width: 320, height: 568 } },
    async (_ada, { page }) => {
      const look = async (name: string) => {
        for (const theme of ["light", "dark"]) {
          await page.evaluate((chosen) => {
            document.documentElement.dataset.theme = chosen;
          }, theme);
          await expectAccessible(page);
          await screenshot(page, `contact-${theme}-${name}`);
        }
        const widths = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.clientWidth,
        ]);
        deepEqual(widths, [320, 320]);
      };
      await digitsOf(page);
      await look("1-verify");
      // In sight without scrolling, and the same once it is the other button.
      for (const mark of ["Mark as verified", "Remove the mark"]) {
        const box = await button(page, mark).boundingBox();
        ok(box && box.y > 0 && box.y + box.height <= 568, mark);
        await look(mark === "Remove the mark" ? "2-marked" : "2-unmarked");
        await button(page, mark).click();
      }
      await button(page, "Close").click();
      await button(page, "Options").click();
      await look("3-menu");
      await page.keyboard.press("Escape");
      await choose(page, "Rename");
      await look("4-rename");
      await button(page, "Cancel").click();
      await choose(page, "Block");
      await look("5-block");
      await button(page, "Block").click();
      await button(page, "Unblock").waitFor();
      await look("6-blocked");
    },
  ));
