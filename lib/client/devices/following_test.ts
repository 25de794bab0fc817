import assert from "node:assert/strict";
import {
  done,
  fresh,
  meet,
  newcomer,
  only,
  saved,
  textsOf,
  withWorld,
} from "../testing/people.ts";
import { attempt } from "../testing/scenario.ts";
import type { Person, World } from "../testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** Ada, lost, with a message from Bob that never reached her. */
async function lost(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  await saved(world, ada);
  await world.settle();
  await ada.close();
  await (await only(bob)).send("to the lost one");
  await world.settle();
  return { ada, bob };
}

async function revive(world: World, person: Person): Promise<void> {
  while (!person.alive) await attempt(world, person, () => person.start());
}

/** Until both have said to each other what they have to say, whoever dies meanwhile. */
async function talk(world: World, ada: Person, bob: Person): Promise<void> {
  for (
    const [person, text] of [[ada, "from Ada"], [bob, "from Bob"]] as const
  ) {
    while (true) {
      await revive(world, person);
      await attempt(world, person, async () => {
        const conversation = await only(person);
        const said = textsOf(conversation.messages.value).includes(text);
        if (!said) await conversation.send(text);
      });
      if (person.alive) break;
    }
  }
  const all = ["from Ada", "from Bob", "to the lost one"];
  const has = (person: Person) => {
    const [summary] = person.messenger.conversations.value;
    const messages = person.messenger.conversation(summary.id)?.messages.value;
    return messages?.length === all.length;
  };
  while (true) {
    for (const person of [ada, bob]) {
      await revive(world, person);
      await attempt(world, person, () => only(person));
    }
    const dead = () => !ada.alive || !bob.alive;
    await world.until(() => dead() || has(ada) && has(bob), "both have it all");
    if (dead()) continue;
    for (const person of [ada, bob]) {
      const { messages } = await only(person);
      assert.deepEqual(textsOf(messages.value).sort(), all);
    }
    return;
  }
}

async function withDeaths(
  world: World,
  who: "who came back" | "the contact",
): Promise<void> {
  let fatal = 0;
  for (let died = true; died; fatal += SLOW ? 1 : 5) {
    const { ada, bob } = await lost(world);
    const anew = await fresh(world);
    if (who === "the contact") await bob.close();
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    const mortal = who === "the contact" ? bob : anew;
    let moments = 0;
    died = false;
    mortal.onMoment = () => {
      const now = moments++ === fatal;
      died ||= now;
      return now;
    };
    await talk(world, anew, bob);
    mortal.onMoment = undefined;
    await anew.close();
    await bob.close();
  }
  assert.ok(fatal > 20, String(fatal));
}

Deno.test("a death of who came back at any moment of announcing and following loses nothing", () =>
  withWorld((world) => withDeaths(world, "who came back")));

Deno.test("a death of the contact at any moment of announcing and following loses nothing", () =>
  withWorld((world) => withDeaths(world, "the contact")));
