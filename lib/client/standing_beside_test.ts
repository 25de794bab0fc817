/** Standing beside, cut short at every moment. */
import assert from "node:assert/strict";
import {
  fresh,
  meet,
  newcomer,
  only,
  saved,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import { attempt } from "./testing/scenario.ts";
import { allSee } from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

async function known(world: World) {
  const phone = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, phone, bob);
  await saved(world, phone);
  return { phone, bob };
}

/** Brings a person back whenever they died, until `holds`. */
async function alive(
  world: World,
  person: Person,
  again: () => Promise<void>,
): Promise<void> {
  while (!person.alive) {
    await attempt(world, person, () => person.start());
    if (person.alive) await attempt(world, person, again);
  }
}

/** The texts that somebody, brought back if they died, sees. */
async function seenBy(
  world: World,
  person: Person,
): Promise<() => readonly string[]> {
  await alive(world, person, async () => {});
  let texts: () => readonly string[] = () => [];
  await attempt(world, person, async () => {
    const { messages } = await only(person);
    texts = () => textsOf(messages.value);
  });
  return texts;
}

/** A story of three devices in which one of them dies at some moment; gives whether it did. */
async function story(
  world: World,
  who: "laptop" | "phone" | "bob",
  fatal: number,
): Promise<boolean> {
  const { phone, bob } = await known(world);
  const laptop = await fresh(world);
  const people = { phone, laptop, bob };
  const mortal = people[who];
  let moments = 0;
  let died = false;
  mortal.onMoment = () => {
    const now = moments++ === fatal;
    died ||= now;
    return now;
  };
  const besides = async () => {
    if (laptop.phase !== "no-account") return;
    await laptop.messenger.comeBack(phone.accessKey, "beside");
  };
  await attempt(world, laptop, besides);
  await alive(world, laptop, besides);
  const everybody = Object.values(people);
  const said: string[] = [];
  for (const [name, person] of Object.entries(people)) {
    const text = `from ${name}`;
    while (!(await seenBy(world, person))().includes(text)) {
      await attempt(world, person, async () => (await only(person)).send(text));
    }
    said.push(text);
    for (const each of everybody) {
      for (let seen = false; !seen;) {
        for (const other of everybody) {
          await alive(world, other, async () => {});
        }
        const texts = await seenBy(world, each);
        await world.until(
          () => texts().includes(text) || everybody.some(({ alive }) => !alive),
          `${text} arrives`,
        );
        seen = texts().includes(text);
      }
    }
  }
  mortal.onMoment = undefined;
  await allSee(world, everybody, said);
  await saved(world, phone);
  await saved(world, laptop);
  const backup = await backupAtRelay(world, phone.accessKey);
  assert.equal(backup?.contacts.length, 1);
  assert.ok(backup.account.deviceList.version >= 2);
  for (const each of everybody) await each.close();
  return died;
}

const SLOW = Deno.env.get("SLOW") === "1";

async function withDeathsOf(who: "laptop" | "phone" | "bob"): Promise<void> {
  await withWorld(async (world) => {
    let fatal = 0;
    const step = SLOW ? 1 : 7;
    while (await story(world, who, fatal)) fatal += step;
    assert.ok(fatal > 20, String(fatal));
  });
}

Deno.test("a death of a device that comes, at any moment of standing beside, meeting the others and talking, loses nothing", () =>
  withDeathsOf("laptop"));

Deno.test("a death of the device that was there, at any moment of that, loses nothing", () =>
  withDeathsOf("phone"));

Deno.test("a death of their contact, at any moment of that, loses nothing", () =>
  withDeathsOf("bob"));
