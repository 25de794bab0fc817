/** One of two closes the browser: what the other writes waits at the relay. */
import { deepEqual, equal } from "node:assert/strict";
import { freshPerson } from "../harness/mod.ts";
import { entry, message, textsOf, write } from "./conversation_steps.ts";
import { allAre, comeBack, withFriends } from "./support_two.ts";

const TEN = Array.from({ length: 10 }, (_, i) => `waiting ${i + 1} of ten`);

Deno.test("ten messages wait for a closed browser: sent, delivered when it opens, read when they are looked at", () =>
  withFriends(freshPerson, async ({ ada, bjorn }) => {
    await write(bjorn, "I am off");
    await message(ada, /^Björn Ångström: I am off, /).waitFor();
    await message(bjorn, /^You: I am off, .*, read$/).waitFor();
    await bjorn.leave();

    for (const text of TEN) await write(ada, text);
    await allAre(ada, TEN, "sent");
    // She may go too: nothing depends on her.
    await ada.leave();
    await bjorn.reopen("/chat");
    const unread = bjorn.page.getByRole("button", {
      name: /^Ada Lovelace .*waiting 10 of ten .*10 unread messages$/,
    });
    await unread.waitFor();
    equal(await bjorn.page.title(), "(10) Whisper");

    await comeBack(ada, "Björn");
    await allAre(ada, TEN, "delivered");
    // Shown in the list only: nobody has read them yet, also after another look.
    await bjorn.page.reload();
    await unread.waitFor();
    equal(await message(ada, /^You: waiting .*, read$/).count(), 0);

    await unread.click();
    await message(bjorn, /^Ada Lovelace: waiting 10 of ten, /).waitFor();
    deepEqual(await textsOf(bjorn), ["I am off", ...TEN]);
    equal(
      await bjorn.page.locator("[data-unread-divider]").innerText(),
      "10 unread messages",
    );
    await allAre(ada, TEN, "read");
    equal(await bjorn.page.title(), "Whisper");

    // Once each, also after both opened what they have on disk again.
    await Promise.all([ada.page.reload(), bjorn.page.reload()]);
    for (const person of [ada, bjorn]) {
      await message(person, /waiting 10 of ten/).waitFor();
      deepEqual(await textsOf(person), ["I am off", ...TEN]);
      await entry(person, person === ada ? "Björn" : "Ada").waitFor();
    }
    equal(await bjorn.page.getByText("unread message").count(), 0);
  }));
