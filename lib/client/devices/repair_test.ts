import assert from "node:assert/strict";
import { generateKeyPair } from "../../signal/mod.ts";
import { hexToBytes } from "@noble/hashes/utils.js";
import { parseQueue } from "../keys/mod.ts";
import { deleteQueue } from "../queues.ts";
import {
  accountTable,
  contactsTable,
  ownDevicesTable,
  queueTable,
  repairTable,
  SELF,
  sessionTable,
} from "../records.ts";
import { sessionName } from "../outbox.ts";
import { Ledger } from "../ledger.ts";
import { MemoryDisk, Vault } from "../storage/mod.ts";
import { TestClock } from "../testing/test_clock.ts";
import { mayHaveAgain } from "./repair.ts";
import { onConnection } from "../testing/backup_at_relay.ts";
import {
  meet,
  newcomer,
  online,
  only,
  saved,
  sees,
  textsOf,
  withWorld,
} from "../testing/people.ts";
import { attempt } from "../testing/scenario.ts";
import { allSee, beside, together } from "../testing/several_devices.ts";
import type { Person, World } from "../testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** Longer ago than what a device is told that is new. */
const HOUR_MS = 3_600_000;

/** Does something with the session that somebody who is not there has with their first contact. */
async function withSession(
  person: Person,
  change: (session: Uint8Array | undefined) => Uint8Array | undefined,
): Promise<void> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const contacts = await vault.get(contactsTable, SELF);
  const name = sessionName(contacts?.ids[0] ?? "", 1);
  await vault.transact(async (t) => {
    const session = change(await t.get(sessionTable, name));
    t.apply([
      session ? sessionTable.put(name, session) : sessionTable.delete(name),
    ]);
  });
  await vault.close();
}

/** Closes, gives the session as it is, opens again. */
async function copyOfSession(person: Person): Promise<Uint8Array> {
  let copy: Uint8Array | undefined;
  await person.close();
  await withSession(person, (session) => copy = session?.slice());
  await person.start();
  assert.ok(copy);
  return copy;
}

/** Two people who have said something to each other. */
async function friends(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  await (await only(ada)).send("one");
  await sees(world, await only(bob), ["one"]);
  await (await only(bob)).send("two");
  await sees(world, await only(ada), ["one", "two"]);
  return { ada, bob };
}

async function say(person: Person, text: string): Promise<void> {
  await (await only(person)).send(text);
}

/** Until both see these, in whatever order, and each confirmed to the other what it was sent. */
async function bothSee(
  world: World,
  people: readonly Person[],
  texts: readonly string[],
): Promise<void> {
  for (const person of people) {
    const { messages } = await only(person);
    await world.until(
      () =>
        messages.value.length >= texts.length &&
        messages.value.every(({ mine, state }) =>
          !mine || state === "delivered" || state === "read"
        ),
      `somebody sees ${texts}, all confirmed`,
    );
    assert.deepEqual(textsOf(messages.value).sort(), [...texts].sort());
  }
}

Deno.test("a session that one side lost is begun anew by itself, and what was said meanwhile arrives", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    await ada.close();
    await withSession(ada, () => undefined);
    await say(bob, "three");
    await say(bob, "four");
    await world.settle();
    await ada.start();
    await bothSee(world, [ada, bob], ["one", "two", "three", "four"]);
    await say(ada, "five");
    await bothSee(world, [ada, bob], ["one", "two", "three", "four", "five"]);
  }));

Deno.test("who comes back with a session of before is understood again, and loses nothing that was not confirmed", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const before = await copyOfSession(ada);
    for (const round of [1, 2, 3]) {
      await say(ada, `a${round}`);
      await say(bob, `b${round}`);
      await world.settle();
    }
    const said = ["one", "two", "a1", "b1", "a2", "b2", "a3", "b3"];
    await bothSee(world, [ada, bob], said);
    await ada.close();
    await withSession(ada, () => before);
    await ada.start();
    // Under keys that Bob's side has used up.
    await say(ada, "with an old session");
    await say(bob, "with the session there is");
    said.push("with an old session", "with the session there is");
    await bothSee(world, [ada, bob], said);
  }));

Deno.test("a death at any moment of repairing loses nothing and doubles nothing", () =>
  withWorld(async (world) => {
    for (const who of ["who lost it", "the contact"] as const) {
      let died = true;
      let fatal = 0;
      for (; died; fatal += SLOW ? 1 : 4) {
        const { ada, bob } = await friends(world);
        await ada.close();
        await withSession(ada, () => undefined);
        await say(bob, "three");
        await world.settle();
        const mortal = who === "the contact" ? bob : ada;
        let moments = 0;
        died = false;
        mortal.onMoment = () => {
          const now = moments++ === fatal;
          died ||= now;
          return now;
        };
        const has = (person: Person) => {
          const [{ id }] = person.messenger.conversations.value;
          const conversation = person.messenger.conversation(id);
          return conversation?.messages.value.length === 4;
        };
        while (true) {
          for (const person of [ada, bob]) {
            while (!person.alive) {
              await attempt(world, person, () => person.start());
            }
            await attempt(world, person, () => only(person));
          }
          const dead = () => !ada.alive || !bob.alive;
          if (dead()) continue;
          const texts = textsOf((await only(ada)).messages.value);
          if (!texts.includes("five")) {
            await attempt(world, ada, () => say(ada, "five"));
            if (!ada.alive) continue;
          }
          await world.until(
            () => dead() || has(ada) && has(bob),
            "all is said",
          );
          if (!dead()) break;
        }
        for (const person of [ada, bob]) {
          assert.deepEqual(
            textsOf((await only(person)).messages.value).sort(),
            ["five", "one", "three", "two"],
          );
        }
        mortal.onMoment = undefined;
        await ada.close();
        await bob.close();
      }
      assert.ok(fatal > 10, `${who}: ${fatal}`);
    }
  }));

Deno.test("a session that comes apart again is asked for again when an hour has gone by, and then nothing is missing", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const lose = async (text: string) => {
      await ada.close();
      await withSession(ada, () => undefined);
      await say(bob, text);
      await world.settle();
      await ada.start();
      await world.settle();
    };
    await lose("three");
    await sees(world, await only(ada), ["one", "two", "three"]);
    // How often one asks within an hour is not told here: see below.
    await lose("four");
    world.clock.advance(3_600_000);
    await say(bob, "five");
    const all = ["one", "two", "three", "four", "five"];
    await bothSee(world, [ada, bob], all);
  }));

/** The relay has no queue any more by which others reach an own device, which is not there. */
async function forgets(world: World, device: Person): Promise<void> {
  const vault = await Vault.open(device.disk.platform());
  assert.ok(vault instanceof Vault);
  const devices = await vault.get(ownDevicesTable, SELF);
  assert.ok(devices);
  const { queue } = devices;
  const record = await vault.get(queueTable, queue);
  assert.ok(record);
  await vault.close();
  const { remove } = await parseQueue(record.credentials);
  await onConnection(
    world,
    (connection) => deleteQueue(connection, hexToBytes(queue), remove),
  );
}

Deno.test("what an own device was told whose queue the relay forgot, and what it is told before that is there again, it has when it is back", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await say(phone, "one");
    await allSee(world, [phone, laptop, bob], ["one"]);
    await laptop.close();
    await say(phone, "waits at the relay");
    await world.settle();
    world.clock.advance(HOUR_MS);
    await forgets(world, laptop);
    await say(phone, "finds no queue");
    await world.settle();
    await laptop.start();
    await say(phone, "at last");
    const said = ["one", "waits at the relay", "finds no queue", "at last"];
    await allSee(world, [phone, laptop, bob], said);
  }));

/** A device that is not there has lost the sessions with the others of its account; `heard`: when it heard them last. */
async function losesSiblings(device: Person, heard?: number): Promise<void> {
  const vault = await Vault.open(device.disk.platform());
  assert.ok(vault instanceof Vault);
  const account = await vault.get(accountTable, SELF);
  const devices = await vault.get(ownDevicesTable, SELF);
  assert.ok(account && devices);
  for (const { id } of devices.others) {
    const name = sessionName(account.accountId, id);
    await vault.transact(async (t) => {
      const repair = await t.get(repairTable, name);
      assert.ok(repair?.heard);
      t.apply([
        sessionTable.delete(name),
        ...heard === undefined
          ? []
          : [repairTable.put(name, { ...repair, heard })],
      ]);
    });
  }
  await vault.close();
}

Deno.test("what an own device was told in a session that came apart it is told again, however long it was away", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await say(phone, "one");
    await allSee(world, [phone, laptop, bob], ["one"]);
    await world.settle();
    await laptop.close();
    await losesSiblings(laptop);
    const here = await only(phone);
    await here.clear();
    await say(phone, "two");
    await say(bob, "three");
    await sees(world, here, ["two", "three"]);
    here.setVisible(true);
    here.setDraft("fo");
    await world.settle();
    world.clock.advance(HOUR_MS);
    await laptop.start();
    const there = await only(laptop);
    await world.until(() => there.draft.value === "fo", "all was told");
    assert.deepEqual(textsOf(there.messages.value), ["two", "three"]);
    assert.equal(laptop.messenger.conversations.value[0].unread, 0);
    await say(laptop, "five");
    await allSee(world, [phone, laptop], ["two", "three", "five"]);
  }));

Deno.test("what became of messages that an own device has it is told again, too, after a session that came apart", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    for (const text of ["one", "two", "three"]) await say(phone, text);
    await allSee(world, [phone, laptop, bob], ["one", "two", "three"]);
    await world.settle();
    world.clock.advance(HOUR_MS);
    await say(phone, "four");
    await allSee(world, [phone, laptop, bob], ["one", "two", "three", "four"]);
    await world.settle();
    await laptop.close();
    await losesSiblings(laptop);
    const here = await only(phone);
    const [one, , three] = here.messages.value.map(({ id }) => id);
    await here.edit(one, "first");
    await here.deleteForEveryone(three);
    await world.settle();
    world.clock.advance(HOUR_MS);
    await laptop.start();
    const { messages } = await only(laptop);
    await world.until(
      () => textsOf(messages.value).join() === "first,two,?,four",
      "the laptop hears of it",
    );
  }));

Deno.test("a device whose storage was put back to what it was hears from the others what it took in since", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await say(phone, "one");
    await allSee(world, [phone, laptop, bob], ["one"]);
    await world.settle();
    await laptop.close();
    const before = world.person();
    before.disk.copy(laptop.disk);
    await laptop.start();
    const said = ["one"];
    for (const person of [laptop, bob, phone]) {
      said.push(`${said.length}`);
      await say(person, `${said.length - 1}`);
      await allSee(world, [phone, laptop, bob], said);
      world.clock.advance(HOUR_MS);
    }
    await world.settle();
    await laptop.close();
    await laptop.start();
    await online(world, laptop);
    await world.settle();
    await laptop.close();
    await before.start();
    await say(phone, "the last");
    await allSee(world, [phone, before, bob], [...said, "the last"]);
  }));

Deno.test("a device that says it missed everything is told nothing of what was before it came", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, phone, bob);
    await say(phone, "long ago");
    await sees(world, await only(bob), ["long ago"]);
    await saved(world, phone);
    world.clock.advance(HOUR_MS);
    const laptop = await beside(world, phone);
    await say(phone, "one");
    await sees(world, await only(laptop), ["one"]);
    await world.settle();
    await laptop.close();
    await losesSiblings(laptop, 1);
    await say(phone, "two");
    await world.settle();
    world.clock.advance(HOUR_MS);
    await laptop.start();
    await sees(world, await only(laptop), ["one", "two"]);
    await world.settle();
    assert.deepEqual(textsOf((await only(laptop)).messages.value), [
      "one",
      "two",
    ]);
  }));

Deno.test("what is edited and deleted without a session waits for one, however old it is", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    await say(ada, "three");
    const said = ["one", "two", "three"];
    await bothSee(world, [ada, bob], said);
    await ada.close();
    await withSession(ada, () => undefined);
    // Too old to be said again for its own sake.
    world.clock.advance(20 * 86_400_000);
    await ada.start();
    const a = await only(ada);
    const [one, , three] = a.messages.value.map(({ id }) => id);
    await a.edit(one, "first");
    await a.edit(one, "the first");
    await a.deleteForEveryone(three);
    await say(bob, "four");
    const { messages } = await only(bob);
    await world.until(
      () => textsOf(messages.value).join() === "the first,two,?,four",
      "he hears of it",
    );
    assert.equal(messages.value[2].body.kind, "deleted");
  }));

Deno.test("who asks too often has a session and nothing sent once more, until an hour has gone by", async () => {
  const disk = new MemoryDisk();
  const { publicKey } = await generateKeyPair();
  const vault = await Vault.create(disk.platform(), {
    recoveryPublicKey: publicKey,
  });
  const ledger = new Ledger(vault, {
    full: () => Promise.reject(new Error("full")),
    broken: () => {},
  });
  const clock = new TestClock();
  const ask = (session: string) =>
    ledger.run((entry) => mayHaveAgain({ clock }, entry, session));
  for (let times = 0; times < 10; times++) assert.equal(await ask("a.1"), true);
  assert.equal(await ask("a.1"), false);
  assert.equal(await ask("b.1"), true);
  clock.advance(3_600_000);
  assert.equal(await ask("a.1"), true);
  await vault.close();
});
