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
} from "./testing/people.ts";
import { putOnItsWay } from "./testing/say_anything.ts";
import {
  allSee,
  beside,
  diesBeforeItSends,
  together,
} from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

Deno.test("what is said reaches both devices of a person, and what either of them says is on both", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await (await only(bob)).send("to both");
    await allSee(world, [phone, laptop, bob], ["to both"]);
    await (await only(laptop)).send("from the laptop");
    await allSee(world, [phone, laptop, bob], ["to both", "from the laptop"]);
    await (await only(phone)).send("from the phone");
    await allSee(world, [phone, laptop, bob], [
      "to both",
      "from the laptop",
      "from the phone",
    ]);
  }));

Deno.test("what a contact corrects and takes back is so on both devices, also on one that was away", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    for (const text of ["tomorow", "not for you", "see you"]) {
      await (await only(bob)).send(text);
    }
    const all = ["tomorow", "not for you", "see you"];
    await allSee(world, [phone, laptop, bob], all);
    await world.settle();
    await laptop.close();
    const [first, second] = (await only(bob)).messages.value.map(({ id }) =>
      id
    );
    await bob.close();
    const now = world.clock.now();
    await putOnItsWay(bob, { kind: "deletion", target: second }, now);
    const edit = { kind: "edit", target: first, text: "tomorrow" } as const;
    await putOnItsWay(bob, edit, now);
    await bob.start();
    const left = ["tomorrow", "see you"];
    const shown = async (person: Person) => {
      const { messages } = await only(person);
      const texts = () =>
        textsOf(messages.value).filter((text) => text !== "?");
      await world.until(() => texts().length === 2, "both have happened");
      return texts();
    };
    assert.deepEqual(await shown(phone), left);
    await laptop.start();
    assert.deepEqual(await shown(laptop), left);
  }));

Deno.test("who stands beside has the account as it is: contacts, names, marks and settings", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, phone, bob);
    await (await only(phone)).contact.rename("Robert");
    await (await only(phone)).contact.setVerified(true);
    await phone.messenger.settings.setReadReceipts(false);
    await saved(world, phone);
    const laptop = await beside(world, phone);
    assert.equal(laptop.messenger.me.value?.name, "Ada");
    assert.equal(laptop.messenger.settings.readReceipts.value, false);
    const { state } = (await only(laptop)).contact;
    assert.equal(state.value.name, "Robert");
    assert.equal(state.value.verification, "verified");
    await saved(world, laptop);
    await saved(world, phone);
    assert.equal((await only(phone)).contact.state.value.name, "Robert");
  }));

/** Until something holds on a device that another one is to bring about. */
const comes = (world: World, holds: () => boolean, what: string) =>
  world.until(holds, `on the other device ${what}`);

Deno.test("names, decisions and settings of one device are those of the other, whichever chose", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await together(world);
    for (const [one, other] of [[phone, laptop], [laptop, phone]]) {
      const name = one === phone ? "Rob" : "Bobby";
      const { contact } = await only(one);
      await contact.rename(name);
      await contact.setMuted(one === phone);
      await one.messenger.settings.setReadReceipts(one !== phone);
      const { state } = (await only(other)).contact;
      await comes(world, () => state.value.name === name, "he is called so");
      await comes(world, () => state.value.muted === (one === phone), "muted");
      const { readReceipts } = other.messenger.settings;
      await comes(
        world,
        () => readReceipts.value === (one !== phone),
        "chosen",
      );
    }
    // It comes to rest: nobody answers what they were told with what they have.
    await saved(world, phone);
    await saved(world, laptop);
    await world.settle();
    const before = world.activity;
    await world.settle(60_000);
    // Who answered each time that the other has written would have done so thirty times, of many frames each.
    assert.ok(world.activity - before < 60, String(world.activity - before));
  }));

Deno.test("somebody met on one device is a contact on the other, with what was said at once", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await saved(world, phone);
    const laptop = await beside(world, phone);
    await world.settle();
    await meet(world, phone, bob);
    await (await only(phone)).send("hello");
    await allSee(world, [bob], ["hello"]);
    await (await only(bob)).send("hello Ada");
    await allSee(world, [phone, laptop, bob], ["hello", "hello Ada"]);
    await (await only(laptop)).send("from the laptop");
    await allSee(world, [bob], ["hello", "hello Ada", "from the laptop"]);
    await (await only(bob)).send("I see both");
    await allSee(world, [phone, laptop, bob], [
      "hello",
      "hello Ada",
      "from the laptop",
      "I see both",
    ]);
  }));

Deno.test("a contact who is blocked, unblocked, met anew and removed on one device is so on the other", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await (await only(laptop)).contact.block();
    const { state } = (await only(phone)).contact;
    await comes(world, () => state.value.blocked, "he is blocked");
    assert.equal(state.value.connected, false);
    await (await only(phone)).contact.unblock();
    const other = (await only(laptop)).contact.state;
    await comes(world, () => !other.value.blocked, "he is not");
    await meet(world, phone, bob);
    await comes(world, () => other.value.connected, "they have met again");
    await world.settle();
    await (await only(bob)).send("here again");
    await allSee(world, [phone, laptop, bob], ["here again"]);
    await (await only(laptop)).send("so are we");
    await allSee(world, [phone, laptop, bob], ["here again", "so are we"]);
    await (await only(laptop)).contact.remove();
    await comes(
      world,
      () => phone.messenger.conversations.value.length === 0,
      "he is gone",
    );
    await world.settle();
    // Nobody's but those by which each device is reached by the others.
    assert.equal(await world.queues(), 3 + 2, "Bob's three are his");
  }));

Deno.test("what was read, drafted and cleared on one device is so on the other", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await (await only(bob)).send("one");
    await (await only(bob)).send("two");
    await allSee(world, [phone, laptop], ["one", "two"]);
    const unread = ({ messenger }: Person) =>
      messenger.conversations.value[0].unread;
    assert.deepEqual([phone, laptop].map(unread), [2, 2]);
    (await only(laptop)).setVisible(true);
    await comes(world, () => unread(phone) === 0, "it was read");
    const { messages } = await only(bob);
    await comes(world, () => messages.value[1].state === "read", "Bob sees it");

    const [here, there] = [await only(phone), await only(laptop)];
    here.setDraft("not yet");
    await comes(world, () => there.draft.value === "not yet", "the draft");
    there.setDraft("not yet sent");
    await comes(world, () => here.draft.value === "not yet sent", "the other");
    await here.send("not yet sent");
    await comes(world, () => there.draft.value === "", "it is sent");
    await allSee(world, [phone, laptop], ["one", "two", "not yet sent"]);

    await there.clear();
    await comes(world, () => here.messages.value.length === 0, "it is cleared");
    await (await only(bob)).send("after");
    await allSee(world, [phone, laptop], ["after"]);
  }));

Deno.test("how far a message has come shows on both devices", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await bob.close();
    await (await only(phone)).send("are you there?");
    const states = async (person: Person) =>
      (await only(person)).messages.value.map(({ state }) => state);
    for (const person of [phone, laptop]) {
      const { messages } = await only(person);
      await comes(
        world,
        () => messages.value[0]?.state === "sent",
        "it is sent",
      );
    }
    await bob.start();
    (await only(bob)).setVisible(true);
    await comes(
      world,
      () => bob.messenger.conversations.value[0].unread === 0,
      "Bob has read it",
    );
    const shown = [await only(phone), await only(laptop)];
    await comes(
      world,
      () => shown.every(({ messages }) => messages.value[0].state === "read"),
      "it is read",
    );
    assert.deepEqual(await states(laptop), ["read"]);
  }));

Deno.test("a device that is away misses nothing of what the other said, heard and read", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await laptop.messenger.close();
    await (await only(bob)).send("where is the laptop?");
    (await only(phone)).setVisible(true);
    await (await only(phone)).send("asleep");
    await world.settle();
    await phone.messenger.close();
    await laptop.start();
    await allSee(world, [laptop, bob], ["where is the laptop?", "asleep"]);
    await comes(
      world,
      () => laptop.messenger.conversations.value[0].unread === 0,
      "it was read",
    );
    await phone.start();
    await allSee(world, [phone], ["where is the laptop?", "asleep"]);
  }));

Deno.test("an account has eight devices at most", () =>
  withWorld(async (world) => {
    const first = await newcomer(world, "Ada");
    await saved(world, first);
    for (let n = 2; n <= 8; n++) {
      const next = await beside(world, first);
      await next.close();
    }
    const ninth = world.person();
    await ninth.start();
    const outcome = await ninth.messenger.comeBack(first.accessKey, "beside");
    assert.deepEqual(outcome, { ok: false, reason: "too-many-devices" });
    assert.deepEqual(ninth.disk.entries(), []);
  }));

/** Two devices come while the phone is away; the first of them is heard of last: soon after the other, or later. */
const twoCame = (when: "at once" | "later") =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, phone, bob);
    await saved(world, phone);
    await (await only(phone)).send("just before");
    await allSee(world, [phone, bob], ["just before"]);
    await world.settle();
    await phone.close();
    const laptop = await fresh(world);
    // It dies with the word of itself on its disk: what it says then names the list of before the tablet came.
    diesBeforeItSends(laptop);
    const comes = laptop.messenger.comeBack(phone.accessKey, "beside");
    assert.deepEqual(await done(world, comes), { ok: true });
    await world.until(() => !laptop.alive, "it has got so far");
    laptop.onMoment = undefined;
    const tablet = await beside(world, phone);
    await world.settle();
    await phone.start();
    if (when === "at once") {
      // What it says comes before the phone has read in the backup where it is.
      await world.until(
        () => phone.messenger.devices.list.value.length === 3,
        "the phone has heard of the tablet",
      );
    } else {
      await allSee(world, [phone, tablet], ["just before"]);
      await world.settle();
    }
    await laptop.start();
    await allSee(world, [phone, laptop, tablet], ["just before"]);
  });

Deno.test("of two devices that came while the others were away, the one that is heard of first does not hide the other", () =>
  twoCame("later"));

Deno.test("what waits for a device that begins a session before it is known where it receives goes there then", () =>
  twoCame("at once"));
