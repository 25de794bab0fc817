/** Either side reloads, at any moment. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { freshVisitor } from "../harness/mod.ts";
import {
  enterCode,
  entry,
  generateCode,
  message,
  messengerIsOpen,
  textsOf,
  write,
} from "./conversation_steps.ts";
import {
  allAre,
  inTime,
  shows,
  type Traveller,
  withFriends,
  withTwo,
} from "./support_two.ts";
import type { Direction } from "./support_wire.ts";

/** Holds back the next PASS of a handshake on somebody's wire, and all behind it. */
function holdPass({ wire }: Traveller, way: Direction) {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<undefined>();
  wire.rule = ({ direction, commands }) => {
    const here = direction === way &&
      commands.some(({ type }) => type === "PASS");
    if (!here) return undefined;
    reached.resolve();
    return released.promise;
  };
  return {
    reached: reached.promise,
    /** What was held is lost with the connection of a page that is no more. */
    release: () => {
      wire.rule = undefined;
      released.resolve(undefined);
    },
  };
}

/** ms between keys: faster than people, slower than a disk. */
const FAST_TYPING = 40;

Deno.test("an invite is completed though both reload at every stage of it", () =>
  withTwo(freshVisitor, async ({ ada, bjorn }) => {
    const code = await generateCode(ada);
    await ada.page.reload();
    await messengerIsOpen(ada.page);
    await ada.page.getByRole("button", { name: "Invite a friend" }).click();
    equal(
      await ada.page.getByRole("status", { name: "Invite code" }).innerText(),
      code,
    );
    match(
      await ada.page.getByRole("timer", { name: "Expires in" }).innerText(),
      /^(5:00|[0-4]:\d\d)$/,
    );

    // The joiner's proof, the inviter's with her card, the joiner's card: each as it leaves and as it comes.
    const stages: readonly [Traveller, Direction][] = [
      [bjorn, "up"],
      [ada, "down"],
      [ada, "up"],
      [bjorn, "down"],
      [bjorn, "up"],
      [ada, "down"],
    ];
    let hold = holdPass(...stages[0]);
    await enterCode(bjorn, code);
    for (const [i, [person]] of stages.entries()) {
      await inTime(`stage ${i} of the invite`, hold.reached);
      for (const [one, other] of [[ada, "Björn"], [bjorn, "Ada"]] as const) {
        // Nobody is connected before the last message has arrived.
        const met = one === bjorn && i === stages.length - 1;
        if (!met) equal(await entry(one, other).count(), 0);
      }
      const next = stages[i + 1];
      const before = hold;
      await person.page.reload();
      await messengerIsOpen(person.page);
      if (next && next[0] !== person) hold = holdPass(...next);
      before.release();
      if (next && next[0] === person) hold = holdPass(...next);
      if (i === 2) {
        await bjorn.page.reload();
        await messengerIsOpen(bjorn.page);
      }
    }
    await entry(ada, "Björn").click();
    await entry(bjorn, "Ada").click();
    await write(ada, "So we met");
    await shows(bjorn, "So we met");
    await write(bjorn, "We did");
    await shows(ada, "We did");
    await allAre(ada, ["So we met"], "read");
    for (const person of [ada, bjorn]) {
      deepEqual(await textsOf(person), ["So we met", "We did"]);
      equal(
        await person.page.getByRole("list", { name: "Conversations" })
          .getByRole("listitem").count(),
        1,
      );
    }
  }));

Deno.test("a reload right after Enter leaves the message once: sent, or still to be sent as it was written", () =>
  withFriends(freshVisitor, async ({ ada, bjorn }) => {
    const field = ada.page.getByRole("textbox", { name: "Message" });
    const sent: string[] = [];
    for (let round = 0; round < 5; round++) {
      const text = `round ${round}.`;
      await field.pressSequentially(text, { delay: FAST_TYPING });
      await field.press("Enter");
      await ada.page.reload();
      await field.waitFor();
      // Loaded from disk: the conversation's rows come with its draft, or after it.
      await ada.page.getByText(/Nothing said yet|end-to-end/).first().waitFor();
      const own = message(ada, new RegExp(`^You: round ${round}\\.`));
      const draft = await field.inputValue();
      ok(draft === "" || draft === text, `the draft is "${draft}"`);
      if (draft === text) {
        equal(await own.count(), 0, "sent, and still there to be sent");
        await field.press("Enter");
      }
      sent.push(text);
      await own.waitFor();
      await shows(bjorn, `round ${round}\\.`);
    }
    await allAre(ada, sent.map((text) => text.replace(".", "\\.")), "read");
    deepEqual(await textsOf(ada), sent);
    deepEqual(await textsOf(bjorn), sent);
  }));

Deno.test("a draft survives a reload, of its writer at once and of both while messages cross", () =>
  withFriends(freshVisitor, async ({ ada, bjorn }) => {
    const field = ada.page.getByRole("textbox", { name: "Message" });
    await field.pressSequentially("half a thought", { delay: FAST_TYPING });
    await ada.page.reload();
    await field.waitFor();
    equal(await field.inputValue(), "half a thought");

    const texts = Array.from({ length: 6 }, (_, i) => `his ${i}.`);
    for (const [i, text] of texts.entries()) {
      await write(bjorn, text);
      // She reloads while they come in, he while they go out.
      if (i % 2 === 0) await ada.page.reload();
      if (i % 2 === 1) {
        await message(bjorn, new RegExp(`^You: his ${i}\\.`)).waitFor();
        await bjorn.page.reload();
      }
    }
    await shows(ada, "his 5\\.");
    await allAre(bjorn, texts.map((text) => text.replace(".", "\\.")), "read");
    deepEqual(await textsOf(ada), texts);
    deepEqual(await textsOf(bjorn), texts);
    equal(await field.inputValue(), "half a thought");
    await field.press("Enter");
    await shows(bjorn, "half a thought");
    equal(await field.inputValue(), "");
  }));

Deno.test("a second tab takes over with 'Use here' and gives back, in the middle of a conversation", () =>
  withFriends(freshVisitor, async ({ ada, bjorn }) => {
    const first = ada.page;
    await write(ada, "from the first tab");
    await shows(bjorn, "from the first tab");
    const second = await ada.context.newPage();
    await second.goto(first.url());
    await second.getByRole("heading", { name: /another tab/ }).waitFor();
    equal(await second.getByText("from the first tab").count(), 0);
    await second.getByRole("button", { name: "Use here" }).click();
    await second.getByRole("list", { name: "Conversations" })
      .getByRole("button", { name: /^Björn/ }).click();
    await first.getByRole("heading", { name: /another tab/ }).waitFor();
    equal(await first.getByText("from the first tab").count(), 0);

    const there = { ...ada, page: second };
    await write(there, "from the second tab");
    await shows(bjorn, "from the second tab");
    await write(bjorn, "to whichever");
    await shows(there, "to whichever");
    // Not waited for: it is sent from wherever the account is open next.
    await write(there, "just before going back");
    await first.getByRole("button", { name: "Use here" }).click();
    await entry(ada, "Björn").waitFor();
    await second.getByRole("button", { name: "Use here" }).waitFor();
    if (!await message(ada, /to whichever/).isVisible()) {
      await entry(ada, "Björn").click();
    }
    await write(ada, "first again");
    await shows(bjorn, "first again");
    await allAre(ada, [
      "from the first tab",
      "from the second tab",
      "just before going back",
      "first again",
    ], "read");
    const said = [
      "from the first tab",
      "from the second tab",
      "to whichever",
      "just before going back",
      "first again",
    ];
    deepEqual(await textsOf(ada), said);
    deepEqual(await textsOf(bjorn), said);
    await second.close();
  }));

Deno.test("logged out, the account opens with its own key only, and has what came meanwhile", () =>
  withFriends(freshVisitor, async ({ ada, bjorn }) => {
    await write(ada, "kept");
    await shows(bjorn, "kept");
    const { page } = ada;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Log out" })
      .click();
    const field = page.getByRole("textbox", { name: "Access key" });
    await field.waitFor();
    await write(bjorn, "while you were out");
    await message(bjorn, /^You: while you were out, .*, sent$/).waitFor();

    const refused = async (key: string, why: RegExp) => {
      await field.fill(key);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("alert").filter({ hasText: why }).waitFor();
      equal(await page.getByRole("list", { name: "Conversations" }).count(), 0);
    };
    const { accessKey } = ada;
    for (const group of [1, 5, 8]) {
      const at = 5 * (group - 1) + 2;
      const slip = accessKey[at] === "7" ? "8" : "7";
      await refused(
        accessKey.slice(0, at) + slip + accessKey.slice(at + 1),
        new RegExp(`\\bgroup ${group}\\b`),
      );
    }
    await refused(bjorn.accessKey, /another account/);
    await refused("HELLO", /32 letters and digits/);
    await page.reload();
    await field.waitFor();
    equal(await field.inputValue(), "");
    await field.fill(accessKey);
    await page.getByRole("button", { name: "Log in" }).click();
    await messengerIsOpen(page);
    await entry(ada, "Björn").click();
    await shows(ada, "while you were out");
    deepEqual(await textsOf(ada), ["kept", "while you were out"]);
    await allAre(bjorn, ["while you were out"], "read");
    await write(ada, "back again");
    await shows(bjorn, "back again");
  }));
