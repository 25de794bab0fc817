import assert from "node:assert/strict";
import type { MessageView } from "./view.ts";
import { type Person, World } from "./testing/world.ts";

async function withWorld(test: (world: World) => Promise<void>): Promise<void> {
  const world = await World.open();
  try {
    await test(world);
  } finally {
    await world.close();
  }
}

/** Someone with a new account, online. */
async function newcomer(world: World, name: string): Promise<Person> {
  const person = world.person();
  const messenger = await person.start();
  const account = await messenger.newAccount(name);
  await account.commit();
  await world.until(
    () => messenger.connection.value.at === "online",
    `${name} is online`,
  );
  return person;
}

async function codeOf(world: World, { messenger }: Person): Promise<string> {
  await messenger.invite.generate();
  const offer = messenger.invite.offer.value;
  assert.equal(offer.at, "waiting");
  return offer.at === "waiting" ? offer.code : "";
}

async function meet(world: World, a: Person, b: Person): Promise<void> {
  await b.messenger.invite.connect(await codeOf(world, a));
  await world.until(
    () =>
      a.messenger.invite.offer.value.at === "connected" &&
      b.messenger.invite.join.value.at === "connected",
    "the two have met",
  );
}

function only({ messenger }: Person) {
  const [summary] = messenger.conversations.value;
  const conversation = messenger.conversation(summary.id);
  assert.ok(conversation);
  return conversation;
}

const texts = (messages: readonly MessageView[]) =>
  messages.map(({ body }) => body.kind === "text" ? body.text : "?");

Deno.test("two people meet by a code and talk", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    assert.equal(only(ada).name.value, "Bob");
    assert.equal(only(bob).name.value, "Ada");

    await only(ada).send("Hello Bob");
    await only(bob).send("Hello Ada");
    await world.until(
      () =>
        only(ada).messages.value.length === 2 &&
        only(bob).messages.value.length === 2,
      "both have both messages",
    );
    assert.deepEqual(texts(only(ada).messages.value), [
      "Hello Bob",
      "Hello Ada",
    ]);
    await world.until(
      () => only(ada).messages.value[0].state === "delivered",
      "the first message is shown as delivered",
    );
    only(bob).setVisible(true);
    await world.until(
      () => only(ada).messages.value[0].state === "read",
      "the first message is shown as read",
    );
  }));
