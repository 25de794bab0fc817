/** Meeting by a link: given out as text and as a code for a camera, opened in the address bar or pasted. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Dialog, Page } from "playwright-core";
import {
  expectAccessible,
  freshPerson,
  freshVisitor,
  screenshot,
  startRelay,
  type Visitor,
} from "../harness/mod.ts";
import {
  createAccount,
  entry,
  message,
  messengerIsOpen,
  write,
} from "./conversation_steps.ts";
import { cameraFlags, film } from "./support_camera.ts";
import { withAccounts, withVisitors } from "./support_visitors.ts";

const button = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name });

/** Makes a link in the invite dialog, which stays open. */
async function createLink({ page }: Visitor): Promise<string> {
  await button(page, "Invite a friend").first().click();
  // Twice is once.
  await button(page, "Create link").dblclick();
  const link = page.getByRole("status", { name: "Invite link" });
  await link.waitFor();
  return (await link.innerText()).trim();
}

/** What the page keeps where it would outlive it in the open. */
function keptInTheOpen(page: Page): Promise<string> {
  return page.evaluate(() =>
    JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      history.state,
      location.href,
      document.cookie,
    ])
  );
}

/** Whether the page asks when it is left by `leave`. It is left all the same. */
async function asksBeforeLeaving(
  page: Page,
  leave: () => Promise<unknown>,
): Promise<boolean> {
  const kinds: string[] = [];
  const note = (dialog: Dialog) => {
    kinds.push(dialog.type());
    void dialog.accept();
  };
  page.on("dialog", note);
  await leave();
  page.off("dialog", note);
  return kinds.includes("beforeunload");
}

Deno.test("a newcomer opens a link, makes an account, sees who invites, asks, and is accepted", () =>
  withVisitors([{}, {}], async (ada, bjorn) => {
    await createAccount(ada, "Ada");
    const link = await createLink(ada);
    match(link, /^http:\/\/localhost:\d+\/#invite=[\w-]{66}$/);
    await button(ada.page, "Close").click();

    const asked: string[] = [];
    bjorn.page.on("request", (request) => asked.push(request.url()));
    await bjorn.page.goto(link);
    await bjorn.page.getByText(/A friend has invited you/).waitFor();
    equal(new URL(bjorn.page.url()).hash, "");
    // Nothing encrypted is here yet: who leaves is asked, and opens the link again.
    await bjorn.page.getByText(/open the link again/).waitFor();
    await bjorn.page.getByRole("heading").first().click();
    equal(await asksBeforeLeaving(bjorn.page, () => bjorn.page.reload()), true);
    await bjorn.page.goto(link);
    await createAccount(bjorn, "Björn");
    const dialog = bjorn.page.getByRole("dialog", {
      name: "Connect with Ada?",
    });
    await dialog.waitFor();
    equal(await ada.page.getByText(/asks to connect/).count(), 0);
    await button(bjorn.page, "Not now").waitFor();
    const secret = link.slice(-43);
    ok(!(await keptInTheOpen(bjorn.page)).includes(secret));
    // From here on the vault has it.
    equal(
      await asksBeforeLeaving(bjorn.page, () => bjorn.page.reload()),
      false,
    );
    await button(bjorn.page, "Open the invitation from Ada").click();
    await button(bjorn.page, "Not now").click();
    await button(bjorn.page, "Open the invitation from Ada").click();
    await button(bjorn.page, "Ask to connect").dblclick();
    await button(bjorn.page, "Done").click();
    equal(await bjorn.page.getByText("Ada has invited you").count(), 0);
    await bjorn.page.getByText("You have asked Ada to connect").waitFor();

    await ada.page.getByText("Björn asks to connect").waitFor();
    await button(ada.page, "Accept Björn").click();
    await entry(ada, "Björn").waitFor();
    await entry(bjorn, "Ada").click();
    await write(bjorn, "By your link");
    await entry(ada, "Björn").click();
    await message(ada, /^Björn: By your link/).waitFor();
    equal(await bjorn.page.getByText(/You have asked Ada/).count(), 0);

    // The secret was in no request, and is kept nowhere in the open.
    ok(asked.length > 0);
    ok(asked.every((url) => !url.includes(secret)));
    for (const { page } of [ada, bjorn]) {
      ok(!(await keptInTheOpen(page)).includes(secret));
    }
  }));

Deno.test("a link is pasted where a code goes; who is refused is told; a link can be revoked", () =>
  withAccounts({}, async (ada, bjorn) => {
    const link = await createLink(ada);
    await button(ada.page, "Close").click();
    const paste = async (text: string) => {
      await button(bjorn.page, "Invite a friend").first().click();
      await bjorn.page.getByRole("textbox", { name: "Enter a code" })
        .fill(text);
      await button(bjorn.page, "Connect").click();
    };
    await paste(`Ada says: ${link}`);
    await button(bjorn.page, "Ask to connect").click();
    await button(bjorn.page, "Done").click();
    await button(ada.page, "Refuse Björn").click();
    await bjorn.page.getByText(/They said no/).waitFor();
    await button(bjorn.page, "Dismiss").click();
    await bjorn.page.getByText(/They said no/).waitFor({ state: "detached" });

    const second = await createLink(ada);
    equal(await button(ada.page, /^Revoke/).count(), 1);
    await button(ada.page, /^Revoke/).click();
    await button(ada.page, /^Revoke/).waitFor({ state: "detached" });
    await button(ada.page, "Close").click();
    await paste(second);
    await bjorn.page.getByRole("alert").getByText(/has been withdrawn/)
      .waitFor();
    await button(bjorn.page, "Close").first().click();
    await paste(second.slice(0, -5));
    await bjorn.page.getByRole("alert").getByText(/not a whole link/)
      .waitFor();
    const field = bjorn.page.getByRole("textbox", { name: "Enter a code" });
    equal(await field.inputValue(), second.slice(0, -5));
    await field.fill("https://elsewhere.example/#part");
    await button(bjorn.page, "Connect").click();
    await bjorn.page.getByRole("alert").getByText(/not a Whisper link/)
      .waitFor();
    equal(await field.inputValue(), "https://elsewhere.example/#part");
    await button(bjorn.page, "Close").first().click();
    await paste(second.replace(/^http:\/\/[^/]*/, "https://elsewhere.example"));
    await bjorn.page.getByRole("alert").getByText(/can't be reached now/)
      .waitFor();
    await button(bjorn.page, "Close").first().click();
    deepEqual(await entry(ada, "Björn").count(), 0);
  }));

Deno.test("a link is scanned from the other's screen", async () => {
  const relay = await startRelay();
  const path = await Deno.makeTempFile({ suffix: ".y4m" });
  const ada = await freshPerson({ url: relay.url, flags: cameraFlags(path) });
  const bjorn = await freshVisitor({ url: relay.url });
  try {
    await createAccount(ada, "Ada");
    await createAccount(bjorn, "Björn");
    await createLink(bjorn);
    await film(bjorn.page, path);
    // A browser looks at its cameras when it starts.
    await ada.reopen("/chat");
    await messengerIsOpen(ada.page);
    await button(ada.page, "Invite a friend").first().click();
    await button(ada.page, "Scan a QR code").click();
    await ada.page.getByRole("dialog", { name: "Connect with Björn?" })
      .waitFor();
    await button(ada.page, "Ask to connect").click();
    await button(bjorn.page, "Close").click();
    await button(bjorn.page, "Accept Ada").click();
    await ada.page.getByRole("log", { name: "Messages" }).waitFor();
    ada.expectNoProblems();
    bjorn.expectNoProblems();
  } finally {
    await ada.close();
    await bjorn.close();
    await relay.stop();
    await Deno.remove(path);
  }
});

/** Goes on with the Tab key until what is named so has the focus, and presses it. */
async function pressByKeyboard(page: Page, name: RegExp): Promise<void> {
  const steps: string[] = [];
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const { activeElement: element } = document;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });
    if (name.test(at)) return await page.keyboard.press("Enter");
    steps.push(at);
  }
  throw new Error(`the keyboard does not lead to ${name}: ${steps}`);
}

Deno.test("by the keyboard alone a link is made, asked by and accepted, and the focus is never lost", () =>
  withAccounts({}, async (ada, bjorn) => {
    const focus = (page: Page) =>
      page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
    await pressByKeyboard(ada.page, /^Invite a friend$/);
    await ada.page.getByRole("dialog", { name: "Invite a friend" }).waitFor();
    await pressByKeyboard(ada.page, /^Create link$/);
    const made = ada.page.getByRole("status", { name: "Invite link" });
    await made.waitFor();
    const link = (await made.innerText()).trim();
    equal(await focus(ada.page), link);
    await pressByKeyboard(ada.page, /^Copy link$/);
    await ada.page.keyboard.press("Escape");
    await made.waitFor({ state: "detached" });
    equal(await focus(ada.page), "Invite a friend");

    await bjorn.page.goto(link);
    await button(bjorn.page, "Ask to connect").waitFor();
    await pressByKeyboard(bjorn.page, /^Ask to connect$/);
    await button(bjorn.page, "Done").waitFor();
    equal(await focus(bjorn.page), "You have asked Ada");
    await pressByKeyboard(bjorn.page, /^Done$/);

    await button(ada.page, "Accept Björn").waitFor();
    await pressByKeyboard(ada.page, /^Accept Björn$/);
    equal(await focus(ada.page), "Chats");
    await entry(ada, "Björn").waitFor();
    await entry(bjorn, "Ada").waitFor();
  }));

const SIZES = {
  desk: { width: 1280, height: 800 },
  phone: { width: 320, height: 568 },
} as const;

for (const [size, viewport] of Object.entries(SIZES)) {
  Deno.test(`axe finds nothing on the screens of a link, dark and light, and nothing is too wide: ${size}`, () =>
    withVisitors(
      [{ viewport }, {}],
      async (ada, bjorn) => {
        const { page } = ada;
        const look = async (name: string) => {
          for (const theme of ["light", "dark"]) {
            await page.evaluate((chosen) => {
              document.documentElement.dataset.theme = chosen;
            }, theme);
            await expectAccessible(page);
            await screenshot(page, `${size}-${theme}-links-${name}`);
          }
          ok(
            await page.evaluate(() => {
              const { scrollWidth, clientWidth } = document.documentElement;
              return scrollWidth <= clientWidth;
            }),
          );
        };
        await createAccount(bjorn, "Björn");
        const theirs = await createLink(bjorn);
        await button(bjorn.page, "Close").click();
        await page.goto(theirs);
        await page.getByText(/A friend has invited you/).waitFor();
        await look("1-invited");
        await createAccount(ada, "Ada");
        await button(page, "Ask to connect").waitFor();
        await look("2-found");
        await button(page, "Ask to connect").click();
        await button(page, "Done").waitFor();
        await look("3-asked");
        await button(page, "Done").click();
        await page.getByText("They have not answered yet.").waitFor();
        await look("4-waiting");
        await button(bjorn.page, "Refuse Ada").click();
        await page.getByText(/They said no/).waitFor();
        await look("5-refused");
        await button(page, "Dismiss").click();

        const link = await createLink(ada);
        await look("6-made");
        await page.getByRole("heading", { name: "Links that still work" })
          .scrollIntoViewIfNeeded();
        await look("7-open");
        await button(page, "Close").click();
        await bjorn.page.goto(link);
        await button(bjorn.page, "Ask to connect").click();
        await button(page, "Accept Björn").waitFor();
        await look("8-request");
      },
    ));
}
