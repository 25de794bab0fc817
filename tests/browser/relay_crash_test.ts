/** The relay ends with kill -9, at bad moments. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { freshPerson, freshVisitor } from "../harness/mod.ts";
import { message, textsOf, write } from "./conversation_steps.ts";
import {
  allAre,
  allAreSent,
  comeBack,
  CONNECTION_NOTES,
  hurry,
  saidToBeSent,
  shows,
  withFriends,
} from "./support_two.ts";

const numbered = (what: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${what} ${i + 1}.`);

const UNREACHABLE = "The server can't be reached.";

Deno.test("what was said to be sent when the relay was killed is there when it is back, without its sender", () =>
  withFriends(freshPerson, async ({ ada, bjorn, kill, revive }) => {
    await write(bjorn, "I am off");
    await message(ada, /I am off/).waitFor();
    await bjorn.leave();
    const texts = numbered("waiting", 20);
    const writing = (async () => {
      for (const text of texts) await write(ada, text);
    })();
    await message(ada, /^You: waiting 9\., .*, sent$/).waitFor();
    await kill();
    await writing;
    // Shown is written down: she may leave.
    await shows(ada, texts[texts.length - 1]);
    await ada.page.getByText(UNREACHABLE).waitFor();
    const sent = await saidToBeSent(ada);
    ok(sent.length >= 9, `${sent.length} were sent`);
    ok(sent.length < 20, "the relay was killed too late to cut anything off");
    // Ada can't help: only the relay's disk has them.
    await ada.leave();
    await revive();
    await comeBack(bjorn, "Ada");
    await shows(bjorn, sent[sent.length - 1]);
    const got = (await textsOf(bjorn)).slice(1);
    deepEqual(got.slice(0, sent.length), sent);
    // An answer can be lost with the relay, a message not.
    deepEqual(got, texts.slice(0, got.length));

    await comeBack(ada, "Björn");
    await allAre(ada, texts, "read");
    deepEqual(await textsOf(bjorn), ["I am off", ...texts]);
    deepEqual(await textsOf(ada), ["I am off", ...texts]);
  }, CONNECTION_NOTES));

Deno.test("killed again and again while both write, the relay loses and doubles nothing, and both come back by themselves", () =>
  withFriends(freshVisitor, async ({ ada, bjorn, kill, revive }) => {
    const hers = numbered("hers", 18);
    const his = numbered("his", 18);
    for (let round = 0; round < 3; round++) {
      const part = (texts: string[]) => texts.slice(6 * round, 6 * round + 6);
      const writing = Promise.all([
        (async () => {
          for (const text of part(hers)) await write(ada, text);
        })(),
        (async () => {
          for (const text of part(his)) await write(bjorn, text);
        })(),
      ]);
      // At another moment each time: before anything was sent, in the middle, near the end.
      const seen = message(ada, new RegExp(`^You: hers ${6 * round + 2}\\.`));
      await seen.waitFor();
      if (round === 1) await allAreSent(ada, [part(hers)[0]]);
      if (round === 2) await writing;
      await kill();
      await writing;
      for (const { page } of [ada, bjorn]) {
        await page.getByText(UNREACHABLE).waitFor();
        await page.getByText(/Next try in \d+ s/).waitFor();
      }
      // Nothing is called sent that nobody took.
      const before = await saidToBeSent(ada);
      await write(ada, `nobody is there ${round}`);
      await message(
        ada,
        new RegExp(`^You: nobody is there ${round}, .*, sending$`),
      )
        .waitFor();
      deepEqual(await saidToBeSent(ada), before);
      // Neither is it forgotten when she looks again.
      if (round === 0) {
        await ada.page.reload();
        await message(ada, /^You: nobody is there 0, .*, sending$/).waitFor();
      }
      await revive();
      // The first time without a hand moved; then faster.
      if (round > 0) { for (const person of [ada, bjorn]) await hurry(person); }
      await shows(bjorn, `nobody is there ${round}`);
      for (const { page } of [ada, bjorn]) {
        await page.getByText(UNREACHABLE).waitFor({ state: "detached" });
      }
    }
    await allAre(ada, hers, "read");
    await allAre(bjorn, his, "read");
    const shown = [await textsOf(ada), await textsOf(bjorn)];
    for (const texts of shown) {
      const of = (what: string) =>
        texts.filter((text) => text.startsWith(what));
      deepEqual(of("hers"), hers);
      deepEqual(of("his"), his);
      equal(of("nobody").length, 3);
      equal(texts.length, 39);
    }
  }, CONNECTION_NOTES));
