/** A vault of every schema there ever was, as the program of that time left it, opened with this one. */
import assert from "node:assert/strict";
import schema1 from "./fixtures/schema_1.json" with { type: "json" };
import { only, sees, withWorld } from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import type { Person, World } from "./testing/world.ts";

/** The device on which a vault of schema 1 lies: Ada, who has met Bob and said hello. */
function deviceOfSchema1(world: World): Person {
  const person = world.person();
  person.disk.load(schema1.entries.map(([key, value]) => ({
    key: Uint8Array.fromBase64(key),
    value: Uint8Array.fromBase64(value),
  })));
  return person;
}

async function logIn({ messenger }: Person): Promise<void> {
  assert.deepEqual(await messenger.logIn(schema1.accessKey), { ok: true });
}

async function assertAsItWas(world: World, ada: Person): Promise<void> {
  const conversation = await only(ada);
  await sees(world, conversation, ["Hello Bob", "Hello Ada"]);
  assert.equal(conversation.draft.value, "half a thought");
  assert.deepEqual(conversation.contact.state.value, {
    name: "Bob",
    chosenName: "Bob",
    muted: false,
    archived: false,
    blocked: false,
    connected: true,
    verification: "unverified",
    deviceLeft: false,
    lost: false,
  });
}

Deno.test("a vault of schema 1 opens with everything in it, and nothing decided about contacts", () =>
  withWorld(async (world) => {
    const ada = deviceOfSchema1(world);
    await ada.start();
    await logIn(ada);
    await assertAsItWas(world, ada);
    // What schema 2 brought works on what schema 1 left, and stays.
    await (await only(ada)).contact.setVerified(true);
    await (await only(ada)).clear();
    await ada.messenger.close();
    await ada.start();
    const conversation = await only(ada);
    assert.equal(conversation.contact.state.value.verification, "verified");
    assert.deepEqual(conversation.messages.value, []);
  }));

Deno.test("an upgrade from schema 1 that is cut off at any commit goes on at the next opening", () =>
  withWorld(async (world) => {
    let fatal = 0;
    for (let died = true; died; fatal++) {
      died = false;
      const ada = deviceOfSchema1(world);
      await ada.start();
      let commits = 0;
      ada.onMoment = (moment) => {
        died = moment.at === "commit" && moment.when === "before" &&
          commits++ === fatal;
        return died;
      };
      await attempt(world, ada, () => logIn(ada));
      ada.onMoment = undefined;
      if (!ada.alive) {
        await ada.start();
        if (ada.phase === "logged-out") await logIn(ada);
      }
      await assertAsItWas(world, ada);
      await ada.close();
    }
    assert.ok(fatal > 4);
  }));
