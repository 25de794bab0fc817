/** People with several devices. */
import assert from "node:assert/strict";
import { done, fresh, meet, newcomer, only, saved, textsOf } from "./people.ts";
import type { Person, PersonOptions, World } from "./world.ts";

/** Another device of an account, beside those there are. */
export async function beside(
  world: World,
  { accessKey }: { accessKey: string },
  options: Partial<PersonOptions> = {},
): Promise<Person> {
  const person = await fresh(world, options);
  const outcome = await done(
    world,
    person.messenger.comeBack(accessKey, "beside"),
  );
  assert.deepEqual(outcome, { ok: true });
  return person;
}

/** Until everybody sees these texts in the one conversation they have, in this order. */
export async function allSee(
  world: World,
  people: readonly Person[],
  texts: readonly string[],
): Promise<void> {
  for (const person of people) {
    await world.until(
      () => person.messenger.conversations.value.length > 0,
      "there is a conversation",
    );
    const { messages } = await only(person);
    await world.until(
      () => messages.value.length >= texts.length,
      `someone sees ${texts.join(", ")}`,
    );
  }
  for (const person of people) {
    assert.deepEqual(textsOf((await only(person)).messages.value), texts);
  }
}

/** Ada with two devices, and Bob, whom she met before there were two. */
export async function together(world: World) {
  const phone = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, phone, bob);
  await saved(world, phone);
  const laptop = await beside(world, phone);
  return { phone, laptop, bob };
}
