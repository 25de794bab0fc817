/** Editing and deleting, cut short at every moment: it is done for everybody, or was not begun. */
import assert from "node:assert/strict";
import { meet, newcomer, only, withWorld } from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import type { Person, World } from "./testing/world.ts";
import type { ConversationView } from "./view.ts";

/** The last message, as it reads. */
function last({ messages }: ConversationView): string {
  const body = messages.value.at(-1)?.body;
  return body?.kind === "text"
    ? body.edited ? `${body.text} (edited)` : body.text
    : body?.kind ?? "";
}

async function ends(world: World, person: Person, expected: string) {
  const conversation = await only(person);
  await world.until(
    () => last(conversation) === expected,
    `the last message reads ${expected}`,
  );
}

/** What she does to her last message. */
interface Deed {
  do(conversation: ConversationView, id: string): Promise<void>;
  /** How the message reads then. */
  readonly result: (text: string) => string;
}

const EDIT: Deed = {
  do: (conversation, id) => {
    conversation.setEditing({ id, text: "better" });
    return conversation.edit(id, "better");
  },
  result: () => "better (edited)",
};

const DELETION: Deed = {
  do: (conversation, id) => {
    // What was begun of it goes with it.
    conversation.setEditing({ id, text: "better" });
    return conversation.deleteForEveryone(id);
  },
  result: () => "deleted",
};

/** Once for each moment that there is until both have it: who is mortal dies at that moment. */
function atEveryMoment(deed: Deed, who: "author" | "reader"): Promise<void> {
  return withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const mortal = who === "author" ? ada : bob;
    let fatal = 0;
    const seen = new Set<string>();
    for (let died = true; died; fatal++) {
      const text = `message ${fatal}`;
      await (await only(ada)).send(text);
      await ends(world, bob, text);
      await world.settle();
      died = false;
      let left = fatal;
      mortal.onMoment = () => {
        const now = left-- === 0;
        died ||= now;
        return now;
      };
      const { id } = (await only(ada)).messages.value.at(-1) ?? { id: "" };
      await attempt(world, ada, async () => {
        await deed.do(await only(ada), id);
        await world.settle();
      });
      mortal.onMoment = undefined;
      if (!mortal.alive) await mortal.start();
      const conversation = await only(ada);
      const now = last(conversation);
      seen.add(now === text ? "as it was" : now);
      if (now === text) {
        const { value } = conversation.editing;
        assert.ok(value === undefined || value.text === "better");
        await deed.do(conversation, id);
      } else assert.equal(now, deed.result(text));
      assert.equal(conversation.editing.value, undefined);
      for (const person of [ada, bob]) {
        await ends(world, person, deed.result(text));
      }
    }
    const dies = who === "author" ? ["as it was"] : [];
    assert.deepEqual([...seen].sort(), [...dies, deed.result("")].sort());
    assert.ok(fatal > 4, String(fatal));
  });
}

Deno.test("a death of who edits, at any moment of it, leaves the text as it was or edited for both", () =>
  atEveryMoment(EDIT, "author"));

Deno.test("a death of who deletes for everyone, at any moment of it, leaves the text there or deleted for both", () =>
  atEveryMoment(DELETION, "author"));

Deno.test("a death of who is told of an edit, at any moment of it, loses nothing of it", () =>
  atEveryMoment(EDIT, "reader"));
