import assert from "node:assert/strict";
import {
  meet,
  newcomer,
  online,
  only,
  queuesAre,
  sees,
  withWorld,
} from "./testing/people.ts";
import {
  accepts,
  asks,
  DAY,
  HOUR,
  invitationsOf,
  linkOf,
  opened,
} from "./testing/links.ts";
import type { Person, World } from "./testing/world.ts";
import type { InvitationFailure } from "./view.ts";

const failed = (reason: InvitationFailure) => ({ at: "failed", reason });

async function requestsOf(person: Person) {
  return (await invitationsOf(person)).requests.value;
}

/** What became of what somebody has asked. */
async function askedOf(person: Person) {
  return (await invitationsOf(person)).asked.value.map(({ state }) => state);
}

async function untilConnected(world: World, person: Person, people = 1) {
  await world.until(
    () => person.messenger.conversations.value.length === people,
    "someone is connected",
  );
}

Deno.test("a link works while who gave it out is away: they are asked when they are back, and both write", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada);
    await ada.messenger.close();

    assert.deepEqual(await opened(world, bob, link), {
      at: "found",
      name: "Ada",
    });
    await asks(world, bob, link);
    assert.deepEqual(await askedOf(bob), [{ at: "waiting" }]);
    await bob.messenger.close();

    await ada.start();
    await online(world, ada);
    const invitations = await invitationsOf(ada);
    await world.until(() => invitations.requests.value.length === 1, "asked");
    assert.equal(invitations.requests.value[0].name, "Bob");
    assert.deepEqual(ada.messenger.conversations.value, []);
    await accepts(world, ada);
    await (await only(ada)).send("Hello Bob");
    await world.settle();
    await ada.messenger.close();

    await bob.start();
    await untilConnected(world, bob);
    assert.deepEqual(await askedOf(bob), []);
    await (await only(bob)).send("Hello Ada");
    await ada.start();
    await sees(world, await only(ada), ["Hello Bob", "Hello Ada"]);
    await sees(world, await only(bob), ["Hello Ada", "Hello Bob"]);
  }));
