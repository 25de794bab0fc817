/** Every screen before axe, in both themes, at a desk and on the smallest phone; and the whole way by keyboard alone. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Page } from "playwright-core";
import { expectAccessible, screenshot } from "../harness/mod.ts";
import {
  connect,
  createAccount,
  generateCode,
  message,
  messengerIsOpen,
  write,
} from "./conversation_steps.ts";
import { withConversation, withVisitors } from "./support_visitors.ts";

const SIZES = {
  desk: { width: 1280, height: 800 },
  phone: { width: 320, height: 568 },
} as const;

/** No screen may be wider than what it is shown on. */
async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  ok(content <= window, `${content} px in a window of ${window} px`);
}

for (const [size, viewport] of Object.entries(SIZES)) {
  Deno.test(`axe finds nothing on any screen, dark and light: ${size}`, () =>
    withVisitors([{ viewport }, {}], async (ada, bjorn) => {
      const { page } = ada;
      const look = async (name: string) => {
        for (const theme of ["light", "dark"]) {
          // The same attribute that the setting sets. Who wants no motion gets all of it at once.
          const moving = await page.evaluate((chosen) => {
            document.documentElement.dataset.theme = chosen;
            return document.getAnimations().filter((one) =>
              one instanceof CSSTransition
            ).length;
          }, theme);
          equal(moving, 0);
          await expectAccessible(page);
          await screenshot(page, `${size}-${theme}-${name}`);
        }
        await expectNoSidewaysScroll(page);
      };
      const button = (name: string) => page.getByRole("button", { name });

      await look("1-landing");
      await button("Log in").click();
      await button("Log in").click();
      await page.getByRole("alert").waitFor();
      await look("2-log-in-mistake");
      await page.goBack();
      await button("Create new account").click();
      await page.getByRole("textbox", { name: "Display name" })
        .fill("Ada Lovelace");
      await look("3-create");
      await button("Create account").click();
      const key = page.getByRole("status", { name: "Access key" });
      await key.waitFor();
      await look("4-access-key");
      await page.getByRole("checkbox").check();
      await button("Continue").click();
      await messengerIsOpen(page);
      await look("5-nobody-yet");

      await button("Invite a friend").click();
      await look("6-invite");
      await page.getByRole("textbox", { name: "Enter a code" }).fill("ABC");
      await button("Connect").click();
      await page.getByRole("alert").waitFor();
      await button("Generate code").click();
      await page.getByRole("status", { name: "Invite code" }).waitFor();
      await look("7-invite-code");
      await button("Close").click();

      await createAccount(bjorn, "Björn");
      await connect(bjorn, ada);
      await look("8-first-conversation");
      await write(bjorn, "How did you find this place?");
      await write(ada, "You told me a code. That was all it took.");
      await write(ada, "السلام عليكم، هل هذا النص في الاتجاه الصحيح؟");
      await write(ada, "x".repeat(200));
      await write(bjorn, "Two lines:\nhere is the second.");
      await message(ada, /^Björn: Two lines/).waitFor();
      await message(ada, /^You: x+, .*, read$/).waitFor();
      await page.getByRole("textbox", { name: "Message" }).fill(
        "A draft that grows\nover more\nthan one line",
      );
      await look("9-conversation");
      if (viewport.width < 720) {
        await button("Back to conversations").click();
        await look("10-list");
      }
      const second = await ada.context.newPage();
      await second.goto(page.url());
      await second.getByRole("button", { name: "Use here" }).waitFor();
      await expectAccessible(second);
      await screenshot(second, `${size}-elsewhere`);
      await second.close();
      await button("Settings").click();
      await look("11-settings");
      await button("Log out").click();
      await look("12-log-out");
      await page.getByRole("dialog").getByRole("button", { name: "Log out" })
        .click();
      await page.getByRole("textbox", { name: "Access key" }).waitFor();
      await look("13-logged-out");
    }));
}

/** Presses Tab until the focus is on what `role` and `name` say. */
async function tabTo(page: Page, role: string, name: string): Promise<void> {
  const target = page.getByRole(role as "button", { name }).first();
  await target.waitFor();
  for (let presses = 0; presses < 40; presses++) {
    const there = await target.evaluate((element) =>
      element === document.activeElement
    );
    if (there) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${role} “${name}”`);
}

Deno.test("the whole way by keyboard alone: account, code, conversation, settings", () =>
  withVisitors([{}, {}], async (ada, bjorn) => {
    const { page } = ada;
    const { keyboard } = page;
    await createAccount(bjorn, "Björn");
    const code = await generateCode(bjorn);

    await tabTo(page, "button", "Create new account");
    await keyboard.press("Enter");
    await tabTo(page, "textbox", "Display name");
    await keyboard.type("Ada");
    await keyboard.press("Enter");
    await page.getByRole("status", { name: "Access key" }).waitFor();
    await tabTo(page, "checkbox", "I have stored my access key");
    await keyboard.press("Space");
    await tabTo(page, "button", "Continue");
    await keyboard.press("Enter");
    await messengerIsOpen(page);
    // Not at the page's beginning, as if nothing had been there.
    await page.waitForFunction(() =>
      document.activeElement?.textContent?.trim() === "Chats"
    );

    await tabTo(page, "button", "Invite a friend");
    await keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Invite a friend" }).waitFor();
    await tabTo(page, "textbox", "Enter a code");
    await keyboard.type(code);
    await keyboard.press("Enter");

    // The conversation opens with the focus where writing begins.
    await page.getByRole("log", { name: "Messages" }).waitFor();
    await page.locator("textarea:focus").waitFor();
    await keyboard.type("by keyboard");
    await keyboard.press("Shift+Enter");
    await keyboard.type("alone");
    await keyboard.press("Enter");
    await message(bjorn, /^Ada: by keyboard\s+alone, /).waitFor();

    // A dialog gives the focus back to the button that opened it.
    await tabTo(page, "button", "Settings");
    await keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Settings" }).waitFor();
    await tabTo(page, "switch", "Tell when messages are read");
    await keyboard.press("Space");
    equal(
      await page.getByRole("switch", { name: "Tell when messages are read" })
        .isChecked(),
      false,
    );
    // So does one within it.
    await tabTo(page, "button", "Log out");
    await keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Log out" }).waitFor();
    await keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Settings" }).waitFor();
    await page.locator("button:focus", { hasText: "Log out" }).waitFor();
    await keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    equal(
      await page.evaluate(() =>
        document.activeElement?.getAttribute("aria-label")
      ),
      "Settings",
    );
    await tabTo(page, "button", "Björn");
    await tabTo(page, "log", "Messages");
  }));

Deno.test("what arrives is announced once, and nothing else is", () =>
  withConversation({}, async (ada, bjorn) => {
    const said = () =>
      ada.page.evaluate(() => {
        const region = document.querySelector("p[aria-live=polite]");
        return region?.textContent ?? "";
      });
    await write(ada, "my own words");
    await message(ada, /^You: my own words/).waitFor();
    const before = await said();
    ok(!before.includes("my own words"), before);
    await write(bjorn, "an answer");
    await message(ada, /^Björn: an answer/).waitFor();
    await ada.page.getByText("Björn: an answer", { exact: true }).waitFor({
      state: "attached",
    });
    deepEqual(
      await ada.page.getByRole("log", { name: "Messages" })
        .getAttribute("aria-live"),
      "off",
    );
  }));

Deno.test("at 200 % text size everything stays readable and nothing is cut off", () =>
  withVisitors([{ viewport: SIZES.phone }], async (ada) => {
    const { page } = ada;
    const enlarge = () =>
      page.evaluate(() =>
        document.documentElement.style.setProperty("font-size", "200%")
      );
    await enlarge();
    await expectNoSidewaysScroll(page);
    await page.getByRole("button", { name: "Create new account" }).click();
    await page.getByRole("textbox", { name: "Display name" }).fill("Ada");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("status", { name: "Access key" }).waitFor();
    await expectNoSidewaysScroll(page);
    await screenshot(page, "phone-200-percent-access-key");
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Invite a friend" }).click();
    await page.getByRole("button", { name: "Generate code" }).click();
    await page.getByRole("status", { name: "Invite code" }).waitFor();
    await expectNoSidewaysScroll(page);
    await screenshot(page, "phone-200-percent-invite");
  }));
