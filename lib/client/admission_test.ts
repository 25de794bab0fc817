import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { relayTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import {
  codeOf,
  meet,
  online,
  only,
  queuesAre,
  sees,
  withWorld,
} from "./testing/people.ts";
import type { Person, World } from "./testing/world.ts";

const PASSWORD = "a horse, a battery, a stapler";

/** Someone with a new account at a relay that asks for its password. */
async function stranger(world: World, name: string): Promise<Person> {
  const person = world.person();
  const messenger = await person.start();
  await (await messenger.newAccount(name)).commit();
  await asked(world, person, false);
  return person;
}

/** Until the relay's password is wanted. `changed`: another than the one that is known. */
async function asked(
  world: World,
  { messenger }: Person,
  changed: boolean,
): Promise<void> {
  await world.until(
    () => messenger.connection.value.at === "password",
    "the password is asked for",
  );
  assert.deepEqual(messenger.connection.value, { at: "password", changed });
}

async function member(world: World, name: string): Promise<Person> {
  const person = await stranger(world, name);
  assert.equal(await person.messenger.usePassword(PASSWORD), "accepted");
  await online(world, person);
  return person;
}

async function changePassword(world: World, password: string): Promise<void> {
  await world.stopRelay();
  world.access = password;
  await world.startRelay();
}

Deno.test("at a private relay two strangers are asked for its password, and meet once they know it", () =>
  withWorld(async (world) => {
    const ada = await stranger(world, "Ada");
    await ada.messenger.invite.generate();
    const refused = { at: "failed", reason: "access" } as const;
    assert.deepEqual(ada.messenger.invite.offer.value, refused);
    assert.equal(await ada.messenger.usePassword("sesame"), "wrong");
    await asked(world, ada, false);
    assert.equal(await ada.messenger.usePassword(PASSWORD), "accepted");
    await online(world, ada);
    const bob = await stranger(world, "Bob");
    await bob.messenger.invite.connect(await codeOf(ada));
    await world.until(
      () => bob.messenger.invite.join.value.at === "failed",
      "Bob is refused",
    );
    assert.deepEqual(bob.messenger.invite.join.value, refused);
    assert.equal(await bob.messenger.usePassword(PASSWORD), "accepted");
    await online(world, bob);
    await meet(world, ada, bob);
    await (await only(ada)).send("you are in");
    await sees(world, await only(bob), ["you are in"]);
  }, PASSWORD));

Deno.test("the password is asked for once: not on the next connection, nor when the page is opened again", () =>
  withWorld(async (world) => {
    const ada = await member(world, "Ada");
    const states = new Set<string>();
    const watch = () =>
      ada.messenger.connection.subscribe(({ at }) => states.add(at));
    let unwatch = watch();
    ada.cut();
    await world.until(() => states.has("waiting"), "she notices");
    await online(world, ada);
    unwatch();
    await ada.messenger.close();
    await ada.start();
    unwatch = watch();
    await online(world, ada);
    unwatch();
    assert.equal(states.has("password"), false);
    await codeOf(ada);
  }, PASSWORD));

Deno.test("another password is asked for when the relay changes it, and meanwhile everything written arrives", () =>
  withWorld(async (world) => {
    const ada = await member(world, "Ada");
    const bob = await member(world, "Bob");
    await meet(world, ada, bob);
    const [a, b] = [await only(ada), await only(bob)];
    await world.stopRelay();
    await a.send("before");
    await changePassword(world, "another one");
    for (const person of [ada, bob]) {
      person.messenger.reconnect();
      await asked(world, person, true);
    }
    await a.send("meanwhile");
    await sees(world, b, ["before", "meanwhile"]);
    assert.equal(await ada.messenger.usePassword(PASSWORD), "wrong");
    assert.equal(await ada.messenger.usePassword("another one"), "accepted");
    await online(world, ada);
    await a.send("after");
    await sees(world, b, ["before", "meanwhile", "after"]);
  }, PASSWORD));

Deno.test("queues that a private relay forgot are made again once its password is known", () =>
  withWorld(async (world) => {
    const ada = await member(world, "Ada");
    const bob = await member(world, "Bob");
    await meet(world, ada, bob);
    await queuesAre(world, 6);
    await world.stopRelay();
    for await (const { key } of world.kv.list({ prefix: ["q"] })) {
      await world.kv.delete(key);
    }
    await changePassword(world, "another one");
    ada.messenger.reconnect();
    await asked(world, ada, true);
    await queuesAre(world, 0);
    await ada.messenger.usePassword("another one");
    await queuesAre(world, 3);
  }, PASSWORD));

Deno.test("an invite under way is not given up while the relay wants another password", () =>
  withWorld(async (world) => {
    const ada = await member(world, "Ada");
    const bob = await member(world, "Bob");
    await codeOf(ada);
    await changePassword(world, "another one");
    for (const person of [ada, bob]) {
      person.messenger.reconnect();
      await asked(world, person, true);
    }
    assert.equal(ada.messenger.invite.offer.value.at, "waiting");
    await ada.messenger.usePassword("another one");
    await online(world, ada);
    await bob.messenger.usePassword("another one");
    await online(world, bob);
    // The relay's codes are in memory only: this one went with it, which she is told.
    await world.until(
      () => ada.messenger.invite.offer.value.at === "failed",
      "she is told",
    );
    await meet(world, ada, bob);
  }, PASSWORD));

Deno.test("neither password nor what it stands for crosses the wire or lies open on the disk", () =>
  withWorld(async (world) => {
    const ada = await stranger(world, "Ada");
    const frames: Uint8Array[] = [];
    ada.onMoment = (moment) => {
      if (moment.at === "frame") frames.push(moment.frame);
      return false;
    };
    await ada.messenger.usePassword(PASSWORD);
    await online(world, ada);
    ada.onMoment = undefined;
    const disk = ada.disk.entries().flatMap(({ key, value }) => [key, value]);
    await ada.messenger.close();
    const vault = await Vault.open(ada.disk.platform());
    assert.ok(vault instanceof Vault);
    const relay = await vault.get(relayTable, SELF);
    assert.ok(relay?.access);
    const needles = [new TextEncoder().encode(PASSWORD), relay.access];
    const seen = Buffer.concat([...frames, ...disk]);
    assert.ok(frames.length > 2 && disk.length > 2);
    for (const needle of needles) assert.equal(seen.includes(needle), false);
    await vault.close();
  }, PASSWORD));
