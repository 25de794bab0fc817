/** Messages that are edited, and deleted for everyone. */
import assert from "node:assert/strict";
import { decodeFrame } from "../wire/mod.ts";
import { MAX_TEXT_BYTES, TextTooLongError } from "./content/mod.ts";
import { MemoryDisk } from "./storage/mod.ts";
import {
  codeOf,
  meet,
  newcomer,
  online,
  only,
  sees,
  withWorld,
} from "./testing/people.ts";
import { putOnItsWay } from "./testing/say_anything.ts";
import { allSee, together } from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";
import type { ConversationView, MessageView } from "./view.ts";

async function friends(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  return { ada, bob };
}

/** How a message reads. */
function looks({ body }: MessageView): string {
  switch (body.kind) {
    case "text":
      return body.edited ? `${body.text} (edited)` : body.text;
    default:
      return body.kind;
  }
}

const look = ({ messages }: ConversationView) => messages.value.map(looks);

/** Until the one conversation of each looks like this. */
async function allLook(
  world: World,
  people: readonly Person[],
  expected: readonly string[],
): Promise<void> {
  for (const person of people) {
    await world.until(
      () => person.messenger.conversations.value.length > 0,
      "there is a conversation",
    );
    const conversation = await only(person);
    await world.until(
      () => look(conversation).join("\n") === expected.join("\n"),
      `it looks like this: ${expected.join(", ")}`,
    );
  }
}

function idOf({ messages }: ConversationView, text: string): string {
  const message = messages.value.find(({ body }) =>
    body.kind === "text" && body.text === text
  );
  assert.ok(message, text);
  return message.id;
}

Deno.test("what is edited and deleted on any own device is so on all of them and with the contact, also where somebody was away", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    for (const text of ["tomorow", "not for you", "see you"]) {
      await (await only(phone)).send(text);
    }
    const all = ["tomorow", "not for you", "see you"];
    await allSee(world, [phone, laptop, bob], all);
    await bob.close();
    await laptop.close();
    const here = await only(phone);
    const edited = here.edit(idOf(here, "tomorow"), "tomorrow");
    const deleted = here.deleteForEveryone(idOf(here, "not for you"));
    await edited;
    assert.equal(look(here)[0], "tomorrow (edited)");
    await deleted;
    const now = ["tomorrow (edited)", "deleted", "see you"];
    assert.deepEqual(look(here), now);
    assert.equal(
      phone.messenger.conversations.value[0].last?.id,
      here.messages.value[2].id,
    );
    await bob.start();
    await laptop.start();
    await allLook(world, [bob, laptop], now);
    await world.settle();
    assert.equal(bob.messenger.conversations.value[0].unread, 3);

    const there = await only(laptop);
    await there.edit(idOf(there, "tomorrow"), "on Monday");
    await there.deleteForEveryone(idOf(there, "see you"));
    const then = ["on Monday (edited)", "deleted", "deleted"];
    await allLook(world, [phone, laptop, bob], then);
    for (const person of [phone, laptop, bob]) {
      await person.close();
      await person.start();
    }
    await allLook(world, [phone, laptop, bob], then);
  }));

Deno.test("what is edited or deleted before it was sent comes in its order, as it is then", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    await world.settle();
    await world.stopRelay();
    const a = await only(ada);
    for (const text of ["one", "two", "three"]) await a.send(text);
    await a.edit(idOf(a, "one"), "first");
    await a.deleteForEveryone(idOf(a, "two"));
    const now = ["first (edited)", "deleted", "three"];
    assert.deepEqual(look(a), now);
    assert.deepEqual(
      a.messages.value.map(({ state }) => state),
      ["sending", "sending", "sending"],
    );
    await world.startRelay();
    ada.messenger.reconnect();
    await allLook(world, [bob], now);
    await world.until(
      () => a.messages.value.every(({ state }) => state === "delivered"),
      "all of it arrived",
    );
  }));

Deno.test("what is edited while there is no session waits for it; what is deleted by then is never sent", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await bob.messenger.invite.connect(await codeOf(ada));
    // Bob hands over his card and is gone before his first envelope leaves.
    bob.onMoment = (moment) =>
      moment.at === "frame" && moment.way === "out" &&
      decodeFrame(moment.frame).some(({ type }) => type === "SEND");
    await world.until(() => !bob.alive, "Bob is gone");
    const { conversations } = ada.messenger;
    await world.until(() => conversations.value.length > 0, "Ada has met Bob");
    bob.onMoment = undefined;
    const a = await only(ada);
    for (const text of ["one", "two", "three"]) await a.send(text);
    await a.edit(idOf(a, "one"), "first");
    await a.deleteForEveryone(idOf(a, "two"));
    await bob.start();
    await allLook(world, [bob], ["first (edited)", "three"]);
  }));

Deno.test("the last edit counts, also where the clock stands still", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const a = await only(ada);
    await a.send("0");
    const { id } = a.messages.value[0];
    // Without an order of their own each would be the last one by chance.
    for (let round = 1; round <= 10; round++) {
      await a.edit(id, `${round}`);
      assert.deepEqual(look(a), [`${round} (edited)`]);
    }
    await allLook(world, [bob], ["10 (edited)"]);
  }));

Deno.test("only an own text is edited or deleted, while there is somebody to tell; else nothing changes", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    await (await only(ada)).send("hers");
    await sees(world, await only(bob), ["hers"]);
    await (await only(bob)).send("his");
    await sees(world, await only(ada), ["hers", "his"]);
    const a = await only(ada);
    const [hers, his] = a.messages.value.map(({ id }) => id);
    for (const id of [his, "00".repeat(16)]) {
      await assert.rejects(a.edit(id, "other"), RangeError);
      await assert.rejects(a.deleteForEveryone(id), RangeError);
    }
    await assert.rejects(a.edit(hers, " \n"), RangeError);
    await assert.rejects(
      a.edit(hers, "x".repeat(MAX_TEXT_BYTES + 1)),
      TextTooLongError,
    );
    await world.settle();
    const before = world.activity;
    await a.edit(hers, "hers");
    await world.settle(0);
    assert.ok(world.activity - before <= 2, "the same text is no edit");
    assert.deepEqual(look(a), ["hers", "his"]);
    await a.deleteForEveryone(hers);
    await assert.rejects(a.edit(hers, "other"), RangeError);
    await assert.rejects(a.deleteForEveryone(hers), RangeError);
    await a.send("last");
    await allLook(world, [bob], ["deleted", "his", "last"]);
    await a.contact.block();
    await assert.rejects(
      a.edit(idOf(a, "last"), "other"),
      { name: "NotConnectedError" },
    );
    await assert.rejects(
      a.deleteForEveryone(idOf(a, "last")),
      { name: "NotConnectedError" },
    );
    assert.deepEqual(look(a), ["deleted", "his", "last"]);
  }));

Deno.test("a failed message that is edited is tried again, and comes as edited", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    await (await only(ada)).send("before");
    await sees(world, await only(bob), ["before"]);
    const a = await only(ada);
    ada.unreachable = true;
    ada.cut();
    await a.send("tomorow");
    await a.contact.block();
    assert.equal(a.messages.value[1].state, "failed");
    ada.unreachable = false;
    ada.messenger.reconnect();
    await online(world, ada);
    await a.contact.unblock();
    await (await only(bob)).contact.remove();
    await meet(world, ada, bob);
    await a.edit(idOf(a, "tomorow"), "tomorrow");
    assert.notEqual(a.messages.value[1].state, "failed");
    await allLook(world, [bob], ["tomorrow (edited)"]);
    await world.until(
      () => a.messages.value[1].state === "delivered",
      "it is known that it arrived",
    );
  }));

Deno.test("nobody edits or deletes what another has written, whatever their program says, nor brings back what was deleted", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    for (const [person, text] of [[ada, "hers"], [bob, "his"]] as const) {
      await (await only(person)).send(text);
      for (const each of [ada, bob]) {
        await world.until(
          () =>
            each.messenger.conversations.value[0].last?.body.kind === "text" &&
            each.messenger.conversations.value[0].last.body.text === text,
          text,
        );
      }
    }
    const [hers, his] = (await only(bob)).messages.value.map(({ id }) => id);
    await (await only(bob)).deleteForEveryone(his);
    await allLook(world, [ada], ["hers", "deleted"]);
    await bob.close();
    const now = world.clock.now() + 1_000;
    const forged = [
      { kind: "edit", target: hers, text: "forged" },
      { kind: "deletion", target: hers },
      { kind: "edit", target: his, text: "back" },
      { kind: "text", text: "the last" },
    ] as const;
    for (const body of forged) await putOnItsWay(bob, body, now);
    await bob.start();
    await allLook(world, [ada], ["hers", "deleted", "the last"]);
  }));

Deno.test("what is being edited is kept beside the draft, and gone when it is done, given up or deleted anywhere", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    for (const text of ["one", "two"]) await (await only(phone)).send(text);
    await allSee(world, [phone, laptop, bob], ["one", "two"]);
    const again = async () => {
      await world.settle();
      phone.kill();
      await phone.start();
      return await only(phone);
    };
    let a = await only(phone);
    const [one, two] = a.messages.value.map(({ id }) => id);
    a.setDraft("next time");
    a.setEditing({ id: one, text: "one" });
    a.setEditing({ id: one, text: "on" });
    a = await again();
    assert.deepEqual(a.editing.value, { id: one, text: "on" });
    assert.equal(a.draft.value, "next time");
    a.setEditing(undefined);
    a = await again();
    assert.equal(a.editing.value, undefined);

    a.setEditing({ id: one, text: "once" });
    const edit = a.edit(one, "once");
    // There is nothing to wait for before the draft is written on.
    assert.equal(a.editing.value, undefined);
    await edit;
    a = await again();
    assert.equal(a.editing.value, undefined);
    assert.equal(a.draft.value, "next time");

    const long = { id: one, text: "x".repeat(MAX_TEXT_BYTES + 1) };
    a.setEditing(long);
    await assert.rejects(a.edit(one, long.text), TextTooLongError);
    assert.deepEqual(a.editing.value, long);

    a.setEditing({ id: two, text: "too" });
    await world.settle();
    await (await only(laptop)).deleteForEveryone(two);
    await allLook(world, [phone, bob], ["once (edited)", "deleted"]);
    assert.equal(a.editing.value, undefined);
    a = await again();
    assert.equal(a.editing.value, undefined);
    a.setEditing({ id: one, text: "for all" });
    await a.clear();
    assert.equal(a.editing.value, undefined);
    a = await again();
    assert.equal(a.editing.value, undefined);
  }));

Deno.test("a device that is put back to a disk of before hears again what was edited and deleted since", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const a = await only(ada);
    for (const text of ["one", "two"]) await a.send(text);
    await sees(world, await only(bob), ["one", "two"]);
    await world.until(
      () => a.messages.value.every(({ state }) => state === "delivered"),
      "both arrived",
    );
    await bob.close();
    const before = new MemoryDisk();
    before.copy(bob.disk);
    await bob.start();
    await a.edit(idOf(a, "one"), "first");
    await a.deleteForEveryone(idOf(a, "two"));
    await allLook(world, [bob], ["first (edited)", "deleted"]);
    for (const person of [bob, ada]) {
      await (await only(person)).send("more");
      await world.settle();
    }
    await bob.close();
    bob.disk.copy(before);
    await bob.start();
    await world.settle();
    await a.send("last");
    const b = await only(bob);
    await world.until(
      () => look(b).includes("first (edited)") && look(b).includes("deleted"),
      "he hears of it again",
    );
    assert.ok(!look(b).includes("two"));
  }));
