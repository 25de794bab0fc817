/** People in a world where nothing goes wrong unless the test says so. */
import assert from "node:assert/strict";
import type { ConversationView, MessageView, MessengerView } from "../view.ts";
import { type Person, type PersonOptions, World } from "./world.ts";

export async function withWorld(
  test: (world: World) => Promise<void>,
  access?: string,
): Promise<void> {
  const world = await World.open(access);
  try {
    await test(world);
  } finally {
    await world.close();
  }
}

/** Someone with a new account, online. */
export async function newcomer(
  world: World,
  name: string,
  options: Partial<PersonOptions> = {},
): Promise<Person & { accessKey: string }> {
  const person = world.person(options);
  const messenger = await person.start();
  const account = await messenger.newAccount(name);
  await account.commit();
  await online(world, person);
  return Object.assign(person, { accessKey: account.accessKey });
}

export async function online(world: World, person: Person): Promise<void> {
  await world.until(
    () => person.messenger.connection.value.at === "online",
    "someone is online",
  );
}

/** A new code, ten characters. */
export async function codeOf({ messenger }: Person): Promise<string> {
  await messenger.invite.generate();
  const offer = messenger.invite.offer.value;
  assert.equal(offer.at, "waiting");
  return offer.at === "waiting" ? offer.code : "";
}

export async function meet(
  world: World,
  inviter: Person,
  joiner: Person,
): Promise<void> {
  await joiner.messenger.invite.connect(await codeOf(inviter));
  await world.until(
    () =>
      inviter.messenger.invite.offer.value.at === "connected" &&
      joiner.messenger.invite.join.value.at === "connected",
    "two people have met",
  );
}

/** Until the relay has so many queues, or settles with other ones. */
export async function queuesAre(world: World, count: number): Promise<void> {
  // Signing and storing take real time on other threads: one rest may come too early.
  for (let rests = 0; rests < 20; rests++) {
    await world.settle();
    if (await world.queues() === count) return;
  }
  assert.equal(await world.queues(), count, "queues at the relay");
}

/** The conversation with the one contact there is, its newest page loaded. */
export async function only(
  { messenger }: { readonly messenger: MessengerView },
): Promise<ConversationView> {
  const [summary] = messenger.conversations.value;
  const conversation = messenger.conversation(summary.id);
  assert.ok(conversation);
  await conversation.loadOlder();
  return conversation;
}

export function textsOf(messages: readonly MessageView[]): string[] {
  return messages.map(({ body }) => body.kind === "text" ? body.text : "?");
}

/** Until `person` sees these texts, in this order, and no other. */
export async function sees(
  world: World,
  conversation: ConversationView,
  texts: readonly string[],
): Promise<void> {
  await world.until(
    () => conversation.messages.value.length >= texts.length,
    `someone sees ${texts.join(", ")}`,
  );
  assert.deepEqual(textsOf(conversation.messages.value), texts);
}

/** Until the backup of what there is is at the relay. */
export async function saved(
  world: World,
  { messenger }: Person,
): Promise<void> {
  await world.until(
    () => messenger.backup.value.at === "saved",
    "a backup is saved",
  );
}

/** A device on which nothing is stored. */
export async function fresh(
  world: World,
  options: Partial<PersonOptions> = {},
): Promise<Person> {
  const person = world.person(options);
  await person.start();
  return person;
}

/** Does what may take time of the world's. */
export async function done<T>(world: World, action: Promise<T>): Promise<T> {
  let ended = false;
  const watched = action.finally(() => ended = true);
  watched.catch(() => {});
  await world.until(() => ended, "an action comes to its end");
  return await watched;
}

/** Ada and Bob, who have met, spoken and compared their numbers, with a backup each. */
export async function verifiedFriends(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  await (await only(ada)).send("one");
  await sees(world, await only(bob), ["one"]);
  for (const person of [ada, bob]) {
    await (await only(person)).contact.setVerified(true);
    await saved(world, person);
  }
  return { ada, bob };
}
