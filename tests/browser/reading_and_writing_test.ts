/** What a conversation does for who reads and writes in it, beside carrying messages. */
import { deepEqual, equal, ok } from "node:assert/strict";

import {
  entry,
  message,
  messengerIsOpen,
  textsOf,
  write,
} from "./conversation_steps.ts";
import { withConversation } from "./support_visitors.ts";

Deno.test("a conversation opens at its first unread message, further back than one page too", () =>
  withConversation({}, async (ada, bjorn) => {
    const { page } = bjorn;
    for (let i = 1; i <= 10; i++) await write(ada, `seen ${i}`);
    await message(bjorn, /^Ada: seen 10, /).waitFor();
    // Away from the conversation, and with none of it in memory.
    await page.evaluate(() => history.replaceState(null, ""));
    await page.reload();
    await messengerIsOpen(page);
    for (let i = 1; i <= 60; i++) {
      await write(
        ada,
        i % 9 ? `new ${i}` : `new ${i} ${"and more ".repeat(60)}`,
      );
    }
    await entry(bjorn, "Ada").filter({ hasText: "60 unread messages" })
      .click();

    const log = page.getByRole("log", { name: "Messages" });
    const divider = log.getByText("60 unread messages");
    await divider.waitFor();
    const above = async () =>
      ((await divider.boundingBox())?.y ?? NaN) -
      ((await log.boundingBox())?.y ?? NaN);
    ok(Math.abs(await above()) < 24, `${await above()} px below the top`);
    equal(await message(bjorn, /^Ada: new 1, /).count(), 1);

    // What is written ends the catching up: the divider goes, and the newest is in view.
    await write(bjorn, "I have read it all");
    await message(bjorn, /^You: I have read it all/).waitFor();
    equal(await divider.count(), 0);
    equal(await log.evaluate((element) => element.scrollTop), 0);
  }));

Deno.test("what waited while an open conversation was reloaded is marked as new", () =>
  withConversation({}, async (ada, bjorn) => {
    await write(ada, "seen");
    await message(bjorn, /^Ada: seen, /).waitFor();
    const { page } = bjorn;
    // In the same place of the history, with no messenger in it.
    await page.goto("about:blank");
    for (let i = 1; i <= 3; i++) await write(ada, `waited ${i}`);
    await page.goBack();
    const log = page.getByRole("log", { name: "Messages" });
    await log.getByText("3 unread messages").waitFor();
    const rows = await log.locator(".log-unread, .bubble-words")
      .allInnerTexts();
    deepEqual(rows, [
      "seen",
      "3 unread messages",
      "waited 1",
      "waited 2",
      "waited 3",
    ]);
    // What comes while the person looks is not marked.
    await write(ada, "live");
    await message(bjorn, /^Ada: live, /).waitFor();
    equal(await log.getByText("3 unread messages").count(), 1);
  }));

Deno.test("a web address in a message is a link that tells nothing of this page, and nothing is fetched", () =>
  withConversation({}, async (ada, bjorn) => {
    const text = "Look (https://example.org/a_(b)?c=d). <b>javascript:x</b>";
    await write(ada, text);
    for (const [person, name] of [[ada, "You"], [bjorn, "Ada"]] as const) {
      const received = message(person, new RegExp(`^${name}: Look`));
      await received.waitFor();
      const link = received.getByRole("link");
      deepEqual(
        await link.evaluate((a: HTMLAnchorElement) => [
          a.textContent,
          a.getAttribute("href"),
          a.target,
          a.rel,
        ]),
        [
          "https://example.org/a_(b)?c=d",
          "https://example.org/a_(b)?c=d",
          "_blank",
          "noopener noreferrer",
        ],
      );
      deepEqual(await textsOf(person), [text]);
    }
  }));

Deno.test("Enter that takes a word over from an input method sends nothing", () =>
  withConversation({}, async (ada, bjorn) => {
    const { page } = ada;
    const field = page.getByRole("textbox", { name: "Message" });
    await field.focus();
    const session = await ada.context.newCDPSession(page);
    const enter = (init: { isComposing?: boolean; keyCode?: number }) =>
      field.evaluate(
        (element, init) =>
          element.dispatchEvent(
            new KeyboardEvent("keydown", {
              key: "Enter",
              bubbles: true,
              cancelable: true,
              ...init,
            }),
          ),
        init,
      );
    await session.send("Input.imeSetComposition", {
      text: "にほん",
      selectionStart: 3,
      selectionEnd: 3,
    });
    await enter({ isComposing: true });
    await session.send("Input.insertText", { text: "日本" });
    // Safari tells of the key after the composition, with the code of keys an input method took.
    await enter({ keyCode: 229 });
    equal(await field.inputValue(), "日本");
    deepEqual(await textsOf(ada), []);
    await field.press("Enter");
    await message(bjorn, /^Ada: 日本, /).waitFor();
    deepEqual(await textsOf(bjorn), ["日本"]);
  }));

Deno.test("Send pressed twice, Enter pressed often and keys pressed after it send each message once", () =>
  withConversation({}, async (ada, bjorn) => {
    const field = ada.page.getByRole("textbox", { name: "Message" });
    await field.fill("twice");
    await ada.page.getByRole("button", { name: "Send", exact: true })
      .dblclick();
    const sent = Array.from({ length: 20 }, (_, i) => `quick ${i}`);
    for (const text of sent) {
      await field.pressSequentially(text);
      await field.press("Enter");
      await field.press("Enter");
    }
    await message(bjorn, /^Ada: quick 19, /).waitFor();
    deepEqual(await textsOf(bjorn), ["twice", ...sent]);

    // Keys that come before the message is on disk, while it is still in the field.
    await field.pressSequentially("first");
    const { keyboard } = ada.page;
    await Promise.all(
      ["Enter", "n", "e", "x", "t"].map((key) => keyboard.press(key)),
    );
    await message(bjorn, /^Ada: first, /).waitFor();
    deepEqual(await field.inputValue(), "next");
    deepEqual(await textsOf(bjorn), ["twice", ...sent, "first"]);
  }));

Deno.test("however long a word, whatever its script: it is shown whole, in its direction; and the field grows with what is written, so far", () =>
  withConversation(
    { viewport: { width: 320, height: 568 } },
    async (ada, bjorn) => {
      const field = ada.page.getByRole("textbox", { name: "Message" });
      const height = async () => (await field.boundingBox())?.height ?? NaN;
      const heights = [await height()];
      for (const lines of [3, 30, 60]) {
        await field.fill("line\n".repeat(lines));
        heights.push(await height());
      }
      const [empty, few, many, more] = heights;
      ok(empty < few && few < many && many === more, heights.join());

      const text = `${"long".repeat(80)}\nשלום!\nabc?`;
      await write(ada, text);
      await ada.page.waitForFunction(
        (height) =>
          document.querySelector("textarea")?.getBoundingClientRect().height ===
            height,
        empty,
      );
      for (const [person, name] of [[ada, "You"], [bjorn, "Ada"]] as const) {
        const received = message(person, new RegExp(`^${name}: long`));
        await received.waitFor();
        const { box, rects } = await received.locator(".bubble-words").evaluate(
          (words) => {
            const { firstChild } = words;
            const bubble = words.closest("article")?.getBoundingClientRect();
            if (!firstChild?.textContent || !bubble) {
              throw new Error("no words");
            }
            const rects = [...firstChild.textContent].map((_, at) => {
              const range = document.createRange();
              range.setStart(firstChild, at);
              range.setEnd(firstChild, at + 1);
              const { left, right } = range.getBoundingClientRect();
              return { left, right };
            });
            return { box: { left: bubble.left, right: bubble.right }, rects };
          },
        );
        ok(box.left >= 0, "the bubble begins in view");
        const outside = rects.filter(({ left, right }) =>
          left < box.left || right > box.right
        );
        deepEqual(outside, []);
        const at = (character: string) => rects[text.indexOf(character)];
        ok(at("!").right <= at("ש").left, "Hebrew runs from right to left");
        ok(at("?").left >= at("a").right, "and the next line does not");
        const { content, window } = await person.page.evaluate(() => ({
          content: document.documentElement.scrollWidth,
          window: document.documentElement.clientWidth,
        }));
        ok(content <= window, `${content} px in a window of ${window} px`);
      }
    },
  ));
