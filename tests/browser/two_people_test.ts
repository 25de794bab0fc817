/** Two people in two fresh browsers, everything real: the built server, its relay, Chromium. */
import { deepEqual, equal, match } from "node:assert/strict";
import { freshPerson, type Person, startRelay } from "../harness/mod.ts";
import {
  connect,
  createAccount,
  enterCode,
  entry,
  generateCode,
  message,
  messengerIsOpen,
  textsOf,
  write,
} from "./conversation_steps.ts";

const PHONE = { width: 390, height: 844 };

interface Story {
  readonly ada: Person;
  readonly bjorn: Person;
  /** Ada's access key. */
  readonly key: string;
  /** Ends the relay without warning. `revive` starts it again, on the same port and data. */
  kill(): Promise<void>;
  revive(): Promise<void>;
}

/** Ada at a desk and Björn on a phone, at a relay of their own, both with an account. */
async function withTwo(
  tell: (story: Story) => Promise<void>,
  ...expectedProblems: RegExp[]
): Promise<void> {
  let relay = await startRelay();
  const revive = async () => {
    relay = await relay.restart();
  };
  let dead = false;
  const people: Person[] = [];
  try {
    const ada = await freshPerson({ url: relay.url });
    people.push(ada);
    const bjorn = await freshPerson({ url: relay.url, viewport: PHONE });
    people.push(bjorn);
    const key = await createAccount(ada, "Ada");
    await createAccount(bjorn, "Björn");
    await tell({
      ada,
      bjorn,
      key,
      kill: async () => {
        await relay.kill9();
        dead = true;
      },
      revive: async () => {
        await revive();
        dead = false;
      },
    });
    for (const person of people) person.expectNoProblems(...expectedProblems);
  } finally {
    for (const person of people) await person.close();
    if (dead) await revive();
    await relay.stop();
  }
}

Deno.test("two strangers meet by a code, talk, and see each message come all the way", () =>
  withTwo(async ({ ada, bjorn }) => {
    await connect(ada, bjorn);
    await write(ada, "Hello from the desk");
    await message(bjorn, /^Ada: Hello from the desk, /).waitFor();
    await message(ada, /^You: Hello from the desk, .*, read$/).waitFor();
    await write(bjorn, "Two\nlines & <b>no markup</b>");
    await message(ada, /^Björn: Two\s+lines & <b>no markup<\/b>, /).waitFor();
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
    await message(bjorn, /^Ada: Still here, /).waitFor();
  }));

Deno.test("ten messages wait for someone who is away, and come in order, counted as unread", () =>
  withTwo(async ({ ada, bjorn }) => {
    await connect(ada, bjorn);
    await write(bjorn, "I am off");
    await message(ada, /^Björn: I am off/).waitFor();
    await bjorn.leave();
    const sent = Array.from({ length: 10 }, (_, i) => `message ${i + 1}`);
    for (const text of sent) await write(ada, text);
    await message(ada, /^You: message 10, .*, sent$/).waitFor();
    equal(await message(ada, /, delivered$|, read$/).count(), 0);

    await bjorn.reopen("/chat");
    await entry(bjorn, "Ada").waitFor();
    await bjorn.page.getByRole("button", { name: /10 unread messages/ })
      .click();
    await message(bjorn, /^Ada: message 10, /).waitFor();
    deepEqual(await textsOf(bjorn), ["I am off", ...sent]);
    equal(
      await bjorn.page.locator("[data-unread-divider]").innerText(),
      "10 unread messages",
    );
    await message(ada, /^You: message 10, .*, read$/).waitFor();
  }));

Deno.test("what is written while the relay is gone is kept, said honestly, and sent once it is back", () =>
  withTwo(
    async ({ ada, bjorn, kill, revive }) => {
      await connect(ada, bjorn);
      await write(ada, "before");
      await message(bjorn, /^Ada: before/).waitFor();
      await kill();
      await ada.page.getByText("The server can't be reached").waitFor();
      await write(ada, "during");
      await message(ada, /^You: during, .*, sending$/).waitFor();
      await ada.page.reload();
      await message(ada, /^You: during, .*, sending$/).waitFor();

      await revive();
      await message(bjorn, /^Ada: during, /).waitFor();
      await message(ada, /^You: during, .*, read$/).waitFor();
      deepEqual(await textsOf(bjorn), ["before", "during"]);
    },
    // The browser notes each attempt that found nobody.
    /WebSocket|ERR_CONNECTION_REFUSED/,
  ));

Deno.test("a code that can't work is refused in words that say what to do", () =>
  withTwo(async ({ ada, bjorn }) => {
    const alert = (person: Person) =>
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
  withTwo(async ({ ada, bjorn }) => {
    const code = await generateCode(ada);
    await ada.page.getByRole("button", { name: "Close" }).click();
    await enterCode(bjorn, code);
    await ada.page.getByText("You are connected with Björn.").first().waitFor();
    await ada.page.getByRole("button", { name: "Open chat" }).click();
    await ada.page.getByRole("log", { name: "Messages" }).waitFor();
    await write(ada, "There you are");
    await message(bjorn, /There you are/).waitFor();
  }));

Deno.test("logging out seals the account: only its own key opens it, and a slip is located", () =>
  withTwo(async ({ ada, bjorn, key }) => {
    await connect(ada, bjorn);
    await write(ada, "kept");
    await message(bjorn, /kept/).waitFor();
    const { page } = ada;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Log out" })
      .click();
    const field = page.getByRole("textbox", { name: "Access key" });
    await field.waitFor();
    equal(await page.getByText("kept").count(), 0);

    const logIn = async (text: string) => {
      await field.fill(text);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    // The last character of the fifth group, mistyped.
    const at = 4 * 5 + 3;
    const slip = key.slice(0, at) + (key[at] === "7" ? "8" : "7") +
      key.slice(at + 1);
    await logIn(slip);
    match(await page.getByRole("alert").innerText(), /group 5/);
    await logIn("HELLO");
    await page.getByText("32 letters and digits").waitFor();

    await page.reload();
    await field.waitFor();
    await logIn(key.toLowerCase().replaceAll("-", " "));
    await messengerIsOpen(page);
    await entry(ada, "Björn").click();
    await message(ada, /^You: kept/).waitFor();
  }));

Deno.test("on a phone one pane shows at a time, and going back leads to the list", () =>
  withTwo(async ({ ada, bjorn }) => {
    await connect(ada, bjorn);
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

Deno.test("a second tab waits its turn, and takes over when asked", () =>
  withTwo(async ({ ada, bjorn }) => {
    await connect(ada, bjorn);
    const second = await ada.context.newPage();
    await second.goto(ada.page.url());
    await second.getByRole("button", { name: "Use here" }).click();
    await second.getByRole("list", { name: "Conversations" }).waitFor();
    await ada.page.getByRole("button", { name: "Use here" }).waitFor();
  }));
