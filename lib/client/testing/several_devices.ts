/** People with several devices. */
import assert from "node:assert/strict";
import { decodeFrame } from "../../wire/mod.ts";
import { done, fresh, meet, newcomer, only, saved, textsOf } from "./people.ts";
import { attempt } from "./scenario.ts";
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

/** Until all of these, and no others, are in the list of each. */
export async function knowEachOther(
  world: World,
  devices: readonly Person[],
): Promise<void> {
  await world.until(
    () =>
      devices.every(({ messenger }) =>
        messenger.devices.list.value.length === devices.length
      ),
    "all devices know each other",
  );
}

/** A device removes another one of its account, which is called so. */
export async function removesNamed(
  world: World,
  by: Person & { readonly accessKey: string },
  name: string,
): Promise<void> {
  const { devices } = by.messenger;
  const other = devices.list.value.find((device) =>
    !device.own && device.name === name
  );
  assert.ok(other);
  assert.deepEqual(
    await done(world, devices.remove(other.id, by.accessKey)),
    { ok: true },
  );
}

/** The device dies just before it sends an envelope: what it was to say lies on its disk. */
export function diesBeforeItSends(device: Person): void {
  device.onMoment = (moment) =>
    moment.at === "frame" && moment.way === "out" &&
    decodeFrame(moment.frame).some(({ type }) => type === "SEND");
}

/** A device removes another one, and dies before anybody is told. */
export async function removesUntold(
  world: World,
  by: Person & { accessKey: string },
  id: number,
): Promise<void> {
  diesBeforeItSends(by);
  await attempt(world, by, async () => {
    await by.messenger.devices.remove(id, by.accessKey);
    await new Promise(() => {});
  });
  by.onMoment = undefined;
}
