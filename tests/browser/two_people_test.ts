/** Two people who come to know each other, everything real: the built server, its relay, Chromium. */
import { deepEqual, equal, match } from "node:assert/strict";
import {
  freshPerson,
  type Visitor,
  type VisitorOptions,
} from "../harness/mod.ts";
import {
  enterCode,
  generateCode,
  message,
  textsOf,
  write,
} from "./conversation_steps.ts";
import { withFriends } from "./support_two.ts";
import { withAccounts, withConversation } from "./support_visitors.ts";

/** Browsers of their own, with all that moves. */
const animated = (options: VisitorOptions) =>
  freshPerson({ ...options, reducedMotion: "no-preference" });

const PHONE = { viewport: { width: 390, height: 844 } };

Deno.test("two strangers meet by a code, talk, and see each message come all the way", () =>
  withFriends(animated, async ({ ada, bjorn }) => {
    await write(ada, "Hello from the desk");
    await message(bjorn, /^Ada Lovelace: Hello from the desk, /).waitFor();
    await message(ada, /^You: Hello from the desk, .*, read$/).waitFor();
    await write(bjorn, "Two\nlines & <b>no markup</b>");
    await message(ada, /^Björn Ångström: Two\s+lines & <b>no markup<\/b>, /)
      .waitFor();
    deepEqual(await textsOf(ada), [
      "Hello from the desk",
      "Two\nlines & <b>no markup</b>",
    ]);

    // A reload of either side shows the same, in the same conversation.
    for (const person of [ada, bjorn]) {
      await person.page.reload();
      await message(person, /Hello from the desk/).waitFor();
      deepEqual(await textsOf(person), [
        "Hello from the desk",
        "Two\nlines & <b>no markup</b>",
      ]);
    }
    await write(ada, "Still here");
    await message(bjorn, /^Ada Lovelace: Still here, /).waitFor();
  }));

Deno.test("a code that can't work is refused in words that say what to do", () =>
  withAccounts(PHONE, async (ada, bjorn) => {
    const alert = (person: Visitor) =>
      person.page.getByRole("alert").innerText();
    await enterCode(bjorn, "ABC");
    match(await alert(bjorn), /ten letters and digits/);
    await enterCode(bjorn, "00000-00000");
    await bjorn.page.getByText("expired or never existed").waitFor();

    const code = await generateCode(ada);
    await enterCode(ada, code);
    match(await alert(ada), /your own code/);

    // One character off: the right rendezvous with the wrong secret burns the code on both sides.
    const wrong = code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
    await enterCode(bjorn, wrong);
    await bjorn.page.getByText("not the right code").waitFor();
    await ada.page.getByText("this one was burnt").waitFor();
    await enterCode(bjorn, code);
    await bjorn.page.getByText(
      /used already|expired or never existed|not the right code/,
    )
      .first().waitFor();

    await ada.page.getByRole("button", { name: "Generate code" }).click();
    const next = await ada.page.getByRole("status", { name: "Invite code" })
      .innerText();
    await enterCode(bjorn, ` ${next.toLowerCase().replace("-", " ")} `);
    await bjorn.page.getByRole("log", { name: "Messages" }).waitFor();
  }));

Deno.test("an inviter who closed the dialog is told who came, and not torn away", () =>
  withAccounts(PHONE, async (ada, bjorn) => {
    const code = await generateCode(ada);
    await ada.page.getByRole("button", { name: "Close" }).click();
    await enterCode(bjorn, code);
    await ada.page.getByText("You are connected with Björn.").first().waitFor();
    const open = ada.page.getByRole("button", { name: "Open chat" });
    await open.waitFor();
    // Opened in another way, it is nothing to be told any more.
    await ada.page.getByRole("list", { name: "Conversations" })
      .getByRole("button", { name: /^Björn/ }).click();
    await ada.page.getByRole("log", { name: "Messages" }).waitFor();
    await open.waitFor({ state: "detached" });
    await write(ada, "There you are");
    await message(bjorn, /There you are/).waitFor();
  }));

Deno.test("on a phone one pane shows at a time, and going back leads to the list", () =>
  withConversation(PHONE, async (ada, bjorn) => {
    const { page } = bjorn;
    const list = page.getByRole("list", { name: "Conversations" });
    const log = page.getByRole("log", { name: "Messages" });
    equal(await list.isVisible(), false);
    await page.getByRole("textbox", { name: "Message" }).fill("half a thou");
    await page.getByRole("button", { name: "Back to conversations" }).click();
    await list.waitFor();
    equal(await log.isVisible(), false);
    await page.getByText("Draft:").waitFor();

    await write(ada, "ping");
    await page.getByRole("button", { name: /^Ada.*1 unread message$/ }).click();
    await log.waitFor();
    equal(
      await page.getByRole("textbox", { name: "Message" }).inputValue(),
      "half a thou",
    );
    await page.goBack();
    await list.waitFor();
    equal(new URL(page.url()).pathname, "/chat");
  }));
