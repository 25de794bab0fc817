/** Messages edited and deleted for everyone: by pointer, keyboard and finger. */
import { deepEqual, equal, match } from "node:assert/strict";
import { expectAccessible, screenshot, type Visitor } from "../harness/mod.ts";
import {
  entry,
  message,
  messengerIsOpen,
  textsOf,
  write,
} from "./conversation_steps.ts";
import { withConversation } from "./support_visitors.ts";

const field = ({ page }: Visitor) =>
  page.getByRole("textbox", { name: "Message" });

const options = (person: Visitor, name: RegExp) =>
  message(person, name).getByRole("button", { name: "Message options" });

const item = ({ page }: Visitor, name: string) =>
  page.getByRole("menu", { name: "Message options" })
    .getByRole("menuitem", { name });

/** Looks at what is shown now; axe too, in as many of both themes as `looks` says. */
async function look(
  { page }: Visitor,
  name: string,
  looks = 2,
): Promise<void> {
  for (const [i, theme] of ["light", "dark"].entries()) {
    await page.evaluate((chosen) => {
      document.documentElement.dataset.theme = chosen;
    }, theme);
    if (i < looks) await expectAccessible(page);
    await screenshot(page, `editing-${theme}-${name}`);
  }
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  equal(content, window);
}

/** A finger that stays on a message for a while, and is lifted. */
async function hold(person: Visitor, name: RegExp): Promise<void> {
  const box = await message(person, name).boundingBox();
  if (!box) throw new Error("nothing to hold");
  const session = await person.context.newCDPSession(person.page);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await session.send("Input.dispatchTouchEvent", {
    type: "touchStart",
    touchPoints: [{ x, y }],
  });
  await message(person, name).and(person.page.locator("[data-held]"))
    .waitFor();
  await session.send("Input.dispatchTouchEvent", {
    type: "touchEnd",
    touchPoints: [],
  });
  await session.detach();
}

Deno.test("messages are edited and deleted for everyone by pointer, keyboard and finger; the draft waits, a reload loses nothing, and both sides read the same", () =>
  withConversation(
    { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true },
    async (ada, bjorn) => {
      const { page } = ada;
      await write(ada, "See you tomorow");
      await write(ada, "not for you");
      await message(bjorn, /^Ada: not for you, /).waitFor();

      // By the pointer, with a draft begun.
      await field(ada).fill("half a thou");
      await message(ada, /tomorow/).hover();
      await options(ada, /tomorow/).click();
      await look(ada, "menu");
      await item(ada, "Edit").click();
      await page.getByText("Editing message").waitFor();
      equal(await field(ada).inputValue(), "See you tomorow");
      await page.locator("textarea:focus").waitFor();
      await field(ada).fill("See you tomorrow");
      await look(ada, "bar");
      await page.reload();
      await messengerIsOpen(page);
      await page.getByText("Editing message").waitFor();
      equal(await field(ada).inputValue(), "See you tomorrow");
      await field(ada).press("Enter");
      await message(ada, /^You: See you tomorrow, .*, edited, read$/).waitFor();
      await message(bjorn, /^Ada: See you tomorrow, .*, edited$/).waitFor();
      equal(await field(ada).inputValue(), "half a thou");
      await page.getByText("Editing message").waitFor({ state: "detached" });

      // By the keyboard: the last one from the empty field, and given up.
      await field(ada).fill("");
      await field(ada).press("ArrowUp");
      await page.getByText("Editing message").waitFor();
      equal(await field(ada).inputValue(), "not for you");
      await field(ada).pressSequentially(" at all");
      await field(ada).press("Escape");
      await page.getByText("Editing message").waitFor({ state: "detached" });
      equal(await field(ada).inputValue(), "");
      // Back from the field, and up to the one before.
      await field(ada).press("Shift+Tab");
      await options(ada, /not for you/).and(page.locator(":focus")).waitFor();
      await page.keyboard.press("ArrowUp");
      await options(ada, /tomorrow/).and(page.locator(":focus")).waitFor();
      await page.keyboard.press("End");
      await page.keyboard.press("Enter");
      await item(ada, "Edit").and(page.locator(":focus")).waitFor();
      await page.keyboard.press("End");
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", {
        name: "Delete this message for everyone?",
      });
      await dialog.getByText(/Björn may have read or kept it/).waitFor();
      await look(ada, "dialog");
      await dialog.getByRole("button", { name: "Delete for everyone" })
        .press("Enter");
      await message(ada, /^You deleted this message, /).waitFor();
      await message(bjorn, /^Ada: This message was deleted, /).waitFor();
      await page.getByRole("log").and(page.locator(":focus")).waitFor();
      await look(ada, "deleted", 1);

      // By a finger, on the smallest phone.
      await field(bjorn).fill("from a phoen");
      const send = bjorn.page.getByRole("button", { name: "Send" });
      await send.tap();
      await message(ada, /phoen/).waitFor();
      await hold(bjorn, /phoen/);
      await look(bjorn, "phone-menu", 1);
      await item(bjorn, "Edit").tap();
      await field(bjorn).fill("from a phone");
      await look(bjorn, "phone-bar", 1);
      await send.tap();
      await message(ada, /^Björn: from a phone, .*, edited$/).waitFor();
      await hold(bjorn, /tomorrow/);
      await item(bjorn, "Copy text").waitFor();
      deepEqual(
        await bjorn.page.getByRole("menuitem").allInnerTexts(),
        ["Copy text"],
      );
      await bjorn.page.keyboard.press("Escape");
      await hold(bjorn, /from a phone/);
      await item(bjorn, "Delete for everyone").tap();
      await look(bjorn, "phone-dialog", 0);
      await bjorn.page.getByRole("button", { name: "Cancel" }).tap();

      // A right click, held down for a while.
      await message(ada, /tomorrow/).click({ button: "right", delay: 300 });
      await page.context().grantPermissions([
        "clipboard-read",
        "clipboard-write",
      ]);
      await item(ada, "Copy text").click();
      await page.getByText("The text was copied.").waitFor({
        state: "attached",
      });
      await field(ada).press("Control+v");
      equal(await field(ada).inputValue(), "See you tomorrow");

      for (
        const [person, deleted] of [
          [ada, "You deleted this message"],
          [bjorn, "This message was deleted"],
        ] as const
      ) {
        await person.page.reload();
        await message(person, /from a phone/).waitFor();
        deepEqual(await textsOf(person), [
          "See you tomorrow",
          deleted,
          "from a phone",
        ]);
      }
      await look(bjorn, "phone", 0);
      await bjorn.page.getByRole("button", { name: "Back to conversations" })
        .tap();
      match(await entry(bjorn, "Ada").innerText(), /from a phone/);
    },
  ));
