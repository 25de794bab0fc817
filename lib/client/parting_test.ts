/** Blocking, deleting and meeting anew: who reaches whom, and what is left where. */
import assert from "node:assert/strict";
import { decodeFrame } from "../wire/mod.ts";
import { NotConnectedError } from "./conversations.ts";
import {
  codeOf,
  meet,
  newcomer,
  online,
  only,
  queuesAre,
  sees,
  withWorld,
} from "./testing/people.ts";
import { contentsOf, goBack } from "./testing/relay_goes_back.ts";
import type { Person, World } from "./testing/world.ts";

const summaryOf = ({ messenger }: Person) => messenger.conversations.value[0];

/** Two people who have met and said something. */
async function friends(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  await (await only(bob)).send("Hello Ada");
  await sees(world, await only(ada), ["Hello Ada"]);
  await world.settle();
  return { ada, bob };
}

Deno.test("who is blocked reaches us no more, and the relay forgets what they wrote to", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    await queuesAre(world, 6);
    const [a, b] = [await only(ada), await only(bob)];
    await a.contact.block();
    assert.deepEqual(
      { ...a.contact.state.value, verification: "" },
      {
        name: "Bob",
        chosenName: "Bob",
        muted: false,
        archived: false,
        blocked: true,
        connected: false,
        verification: "",
        deviceLeft: false,
        lost: false,
      },
    );
    await queuesAre(world, 4);
    await b.send("are you there?");
    await world.until(
      () => b.messages.value[1].state === "failed",
      "Bob's message has nowhere to go",
    );
    await sees(world, a, ["Hello Ada"]);
    await assert.rejects(a.send("never"), NotConnectedError);
    await ada.messenger.close();
    await ada.start();
    await online(world, ada);
    await queuesAre(world, 4);
    assert.equal(summaryOf(ada).contact.blocked, true);
    await sees(world, await only(ada), ["Hello Ada"]);
  }));

Deno.test("a block without a connection holds at once, and reaches the relay with the next one", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    ada.unreachable = true;
    ada.cut();
    await (await only(ada)).contact.block();
    // He does not know, and the relay does not either.
    await (await only(bob)).send("still here");
    await world.settle();
    ada.kill();
    await queuesAre(world, 6);
    ada.unreachable = false;
    await ada.start();
    await online(world, ada);
    await queuesAre(world, 4);
    await sees(world, await only(ada), ["Hello Ada"]);
    assert.equal(summaryOf(ada).unread, 1);
  }));

Deno.test("what a contact wrote before the block and comes after it is nobody's", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const a = await only(ada);
    // The envelope is with Ada's device, and the step that blocks comes before the one that takes it.
    let blocking: Promise<void> | undefined;
    ada.onMoment = (moment) => {
      if (moment.at === "frame" && moment.way === "in") {
        blocking ??= a.contact.block();
      }
      return false;
    };
    await (await only(bob)).send("too late");
    await world.settle();
    assert.ok(blocking);
    await blocking;
    await sees(world, a, ["Hello Ada"]);
  }));

Deno.test("what was on its way to someone has failed when they are blocked", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    ada.unreachable = true;
    ada.cut();
    const a = await only(ada);
    await a.send("never mind");
    await a.contact.block();
    await world.until(
      () => a.messages.value[1].state === "failed",
      "it is shown as failed",
    );
    await assert.rejects(a.retry(a.messages.value[1].id), NotConnectedError);
    ada.unreachable = false;
    ada.messenger.reconnect();
    await online(world, ada);
    await world.settle();
    await sees(world, await only(bob), ["Hello Ada"]);
  }));

Deno.test("a message that the relay has was sent, also when its recipient is blocked the next moment", () =>
  withWorld(async (world) => {
    const { ada } = await friends(world);
    const a = await only(ada);
    let answered = false;
    ada.onMoment = (moment) => {
      answered ||= moment.at === "frame" && moment.way === "in" &&
        decodeFrame(moment.frame).some(({ type }) => type === "OK");
      return false;
    };
    await a.send("the last word");
    await world.until(() => answered, "the relay has answered");
    assert.equal(a.messages.value[1].state, "sending", "nobody wrote it down");
    await a.contact.block();
    await world.settle();
    assert.equal(a.messages.value[1].state, "sent");
  }));

Deno.test("unblocked people meet anew by a code, and their conversation goes on", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const [a, b] = [await only(ada), await only(bob)];
    await a.contact.rename("Bo");
    await a.contact.setVerified(true);
    await a.contact.block();

    // Not while they are blocked.
    await ada.messenger.invite.connect(await codeOf(bob));
    await world.until(
      () => ada.messenger.invite.join.value.at === "failed",
      "a code of someone blocked leads nowhere",
    );
    assert.deepEqual(ada.messenger.invite.join.value, {
      at: "failed",
      reason: "blocked",
    });
    ada.messenger.invite.reset();
    await bob.messenger.invite.withdraw();

    await a.contact.unblock();
    assert.equal(a.contact.state.value.connected, false);
    await assert.rejects(a.send("not yet"), NotConnectedError);
    await meet(world, ada, bob);
    assert.equal(a.contact.state.value.connected, true);
    assert.equal(a.name.value, "Bo");
    assert.equal(a.contact.state.value.verification, "verified");
    await a.send("here I am");
    await sees(world, b, ["Hello Ada", "here I am"]);
    await b.send("at last");
    await sees(world, a, ["Hello Ada", "here I am", "at last"]);
    await queuesAre(world, 6);
    assert.equal(ada.messenger.conversations.value.length, 1);
    assert.equal(bob.messenger.conversations.value.length, 1);
  }));

Deno.test("a message that found nobody can be sent again once people have met anew", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const [a, b] = [await only(ada), await only(bob)];
    await a.contact.block();
    await world.settle();
    await b.send("please");
    await world.until(
      () => b.messages.value[1].state === "failed",
      "it is shown as failed",
    );
    await world.until(
      () => b.contact.state.value.lost,
      "nobody is there any more",
    );
    await a.contact.unblock();
    await meet(world, bob, ada);
    assert.equal(b.contact.state.value.lost, false);
    await b.retry(b.messages.value[1].id);
    await sees(world, a, ["Hello Ada", "please"]);
  }));

Deno.test("who was away for longer than the relay keeps queues can't be reached, until they make them anew", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await world.settle();
    const before = await contentsOf(world);
    await online(world, ada);
    await online(world, bob);
    await meet(world, ada, bob);
    const [a, b] = [await only(ada), await only(bob)];
    await b.send("Hello Ada");
    await sees(world, a, ["Hello Ada"]);
    await world.settle();
    ada.unreachable = true;
    ada.cut();
    // As if time had taken them.
    await goBack(world, before);
    await online(world, bob);
    await b.send("gone?");
    await world.until(() => b.contact.state.value.lost, "nobody is there");
    ada.unreachable = false;
    ada.messenger.reconnect();
    await online(world, ada);
    await world.settle();
    await b.send("back?");
    await sees(world, a, ["Hello Ada", "back?"]);
    await world.until(() => !b.contact.state.value.lost, "she is there again");
  }));

Deno.test("a deleted contact leaves nothing on the disk, and no queue at the relay", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await world.settle();
    const before = ada.disk.entries().length;
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    for (let i = 0; i < 70; i++) await (await only(bob)).send(`${i}`);
    await world.until(() => summaryOf(ada).unread === 70, "all came");
    await world.settle();
    const a = await only(ada);
    a.setVisible(true);
    await a.send("and one of mine");
    await world.settle();
    await a.contact.remove();
    assert.deepEqual(ada.messenger.conversations.value, []);
    assert.equal(ada.messenger.conversation(a.id), undefined);
    await queuesAre(world, 4);
    // Beside what there was, empty lists: of queues to delete, of conversations to erase, of relays.
    assert.ok(ada.disk.entries().length <= before + 3);
    await ada.messenger.close();
    await ada.start();
    assert.deepEqual(ada.messenger.conversations.value, []);
  }));

Deno.test("a deleted contact can be met anew, also while the old messages are being erased", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    const b = await only(bob);
    for (let i = 0; i < 120; i++) await b.send(`${i}`);
    await world.until(() => summaryOf(ada).unread === 121, "all came");
    await world.settle();
    const code = await codeOf(ada);
    let deletions = 0, gone = false;
    ada.onMoment = (moment) => {
      if (moment.at !== "frame") return false;
      if (moment.way === "in") gone ||= deletions >= 2;
      else {
        deletions += decodeFrame(moment.frame)
          .filter(({ type }) => type === "DEL").length;
      }
      return false;
    };
    await (await only(ada)).contact.remove();
    // As soon as her two queues are gone, and not before: the relay is asked whether there is a way to her yet.
    await world.until(() => gone, "the relay has forgotten her queues");
    ada.onMoment = undefined;
    await bob.messenger.invite.connect(code);
    await world.until(
      () =>
        ada.messenger.invite.offer.value.at === "connected" &&
        bob.messenger.invite.join.value.at === "connected",
      "they have met anew",
    );
    const a = await only(ada);
    await b.send("once more");
    await sees(world, a, ["once more"]);
    await world.settle();
    await ada.messenger.close();
    await ada.start();
    await sees(world, await only(ada), ["once more"]);
  }));

Deno.test("people who can write to each other do not meet anew", () =>
  withWorld(async (world) => {
    const { ada, bob } = await friends(world);
    await bob.messenger.invite.connect(await codeOf(ada));
    const { offer } = ada.messenger.invite;
    const { join } = bob.messenger.invite;
    await world.until(
      () => offer.value.at === "failed" && join.value.at === "failed",
      "both are told",
    );
    const known = { at: "failed", reason: "already-connected" };
    assert.deepEqual([offer.value, join.value], [known, known]);
    await (await only(ada)).send("as before");
    await sees(world, await only(bob), ["Hello Ada", "as before"]);
  }));
