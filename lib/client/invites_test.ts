import assert from "node:assert/strict";
import {
  codeOf,
  meet,
  newcomer,
  online,
  only,
  sees,
  withWorld,
} from "./testing/people.ts";
import { decodeFrame } from "../wire/mod.ts";
import type { Person, World } from "./testing/world.ts";
import { leftovers } from "./testing/scenario.ts";
import type { ConversationView, InviteFailure } from "./view.ts";

const five = 5 * 60 * 1_000;

const offerOf = ({ messenger }: Person) => messenger.invite.offer.value;
const joinOf = ({ messenger }: Person) => messenger.invite.join.value;
const failed = (reason: InviteFailure) => ({ at: "failed", reason });

async function untilJoined(world: World, person: Person): Promise<void> {
  await world.until(
    () => joinOf(person).at !== "connecting",
    "the join came to something",
  );
}

/** The same code with another last character. */
function slipped(code: string): string {
  return code.slice(0, 9) + (code[9] === "7" ? "8" : "7");
}

Deno.test("a code is ten characters, good for five minutes, and read however it is typed", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const code = await codeOf(ada);
    assert.match(code, /^[0-9A-HJKMNP-TV-Z]{10}$/u);
    const offer = offerOf(ada);
    assert.equal(
      offer.at === "waiting" && offer.expiresAt - world.clock.now(),
      five,
    );
    const typed = `${code.slice(0, 4)}-${code.slice(4).toLowerCase()} `;
    await bob.messenger.invite.connect(`${typed}@relay.example`);
    await untilJoined(world, bob);
    assert.equal(joinOf(bob).at, "connected");
  }));

Deno.test("a wrong code fails on both sides and is burnt", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const code = await codeOf(ada);
    await bob.messenger.invite.connect(slipped(code));
    await untilJoined(world, bob);
    assert.deepEqual(joinOf(bob), failed("wrong"));
    assert.deepEqual(offerOf(ada), failed("wrong"));
    await bob.messenger.invite.connect(code);
    await untilJoined(world, bob);
    assert.deepEqual(joinOf(bob), failed("used"));
    assert.deepEqual(bob.messenger.conversations.value, []);

    bob.messenger.invite.reset();
    assert.deepEqual(joinOf(bob), { at: "none" });
    await meet(world, ada, bob);
  }));

Deno.test("an own code is refused before anything is sent", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const code = await codeOf(ada);
    await world.settle();
    let frames = 0;
    ada.onMoment = ({ at }) => {
      if (at === "frame") frames++;
      return false;
    };
    await ada.messenger.invite.connect(code);
    assert.deepEqual(joinOf(ada), failed("own"));
    assert.equal(frames, 0);
    assert.equal(offerOf(ada).at, "waiting");
  }));

Deno.test("a code that has expired fails for who enters it, and for who waits", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const code = await codeOf(ada);
    world.clock.advance(five);
    await world.until(() => offerOf(ada).at === "failed", "it has expired");
    assert.deepEqual(offerOf(ada), failed("expired"));
    // A clock that jumps makes a connection look dead.
    await online(world, bob);
    await bob.messenger.invite.connect(code);
    await untilJoined(world, bob);
    assert.notEqual(joinOf(bob).at, "connected");
    await bob.messenger.invite.connect("0000000000");
    await untilJoined(world, bob);
    assert.deepEqual(joinOf(bob), failed("expired"));
  }));

Deno.test("a code that somebody else entered first is used", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const cem = await newcomer(world, "Cem");
    const code = await codeOf(ada);
    await bob.messenger.invite.connect(code);
    await untilJoined(world, bob);
    await cem.messenger.invite.connect(code);
    await untilJoined(world, cem);
    assert.equal(joinOf(bob).at, "connected");
    assert.deepEqual(joinOf(cem), failed("used"));
  }));

Deno.test("what is no code is said to be so", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await ada.messenger.invite.connect("hello");
    assert.deepEqual(joinOf(ada), failed("malformed"));
  }));

Deno.test("without a connection nothing is begun, and that is said", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await world.stopRelay();
    await world.until(
      () => ada.messenger.connection.value.at !== "online",
      "the relay is gone",
    );
    // Without any time passing: one try more shows it.
    const generated = ada.messenger.invite.generate();
    assert.equal(offerOf(ada).at, "making");
    await generated;
    assert.deepEqual(offerOf(ada), failed("offline"));
    await ada.messenger.invite.connect("0123456789");
    assert.deepEqual(joinOf(ada), failed("offline"));
  }));

Deno.test("what is asked for while the page is still connecting need not be asked for again", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await world.stopRelay();
    for (const { messenger } of [ada, bob]) {
      await world.until(
        () => messenger.connection.value.at !== "online",
        "the relay is gone",
      );
    }
    await world.startRelay();
    // It is to be tried later: now, for whoever asks.
    assert.equal(ada.messenger.connection.value.at, "waiting");
    const generated = ada.messenger.invite.generate();
    await world.until(() => offerOf(ada).at === "waiting", "there is a code");
    await generated;
    const offer = offerOf(ada);
    assert(offer.at === "waiting");
    await bob.messenger.invite.connect(offer.code);
    await untilJoined(world, bob);
    assert.equal(joinOf(bob).at, "connected");
  }));

Deno.test("what waits for a connection can be taken back at once", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await world.stopRelay();
    await world.until(
      () => ada.messenger.connection.value.at !== "online",
      "the relay is gone",
    );
    const generated = ada.messenger.invite.generate();
    await world.until(() => offerOf(ada).at === "making", "it is tried");
    await ada.messenger.invite.withdraw();
    await generated;
    assert.deepEqual(offerOf(ada), { at: "none" });
  }));

Deno.test("a new code ends the one before, and a withdrawn one is dead", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const old = await codeOf(ada);
    const young = await codeOf(ada);
    assert.notEqual(old, young);
    await bob.messenger.invite.connect(old);
    await untilJoined(world, bob);
    assert.deepEqual(joinOf(bob), failed("used"));
    await ada.messenger.invite.withdraw();
    assert.deepEqual(offerOf(ada), { at: "none" });
    await bob.messenger.invite.connect(young);
    await untilJoined(world, bob);
    assert.deepEqual(joinOf(bob), failed("used"));
  }));

Deno.test("two who know each other are told so, both of them, and go on as before", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await ada.messenger.invite.connect(await codeOf(bob));
    await untilJoined(world, ada);
    assert.deepEqual(joinOf(ada), failed("already-connected"));
    await world.until(() => offerOf(bob).at === "failed", "Bob hears of it");
    assert.deepEqual(offerOf(bob), failed("already-connected"));
    assert.equal(ada.messenger.conversations.value.length, 1);
    await (await only(ada)).send("still here");
    await sees(world, await only(bob), ["still here"]);
  }));

Deno.test("a code outlives a reload of the one who made it", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const code = await codeOf(ada);
    const before = offerOf(ada);
    await ada.messenger.close();
    await bob.messenger.invite.connect(code);
    await world.settle();
    assert.equal(joinOf(bob).at, "connecting");
    await ada.start();
    assert.deepEqual(offerOf(ada), before);
    await untilJoined(world, bob);
    assert.equal(joinOf(bob).at, "connected");
  }));

Deno.test("an inviter who does not come back in time leaves nobody half connected", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const code = await codeOf(ada);
    await ada.messenger.close();
    await bob.messenger.invite.connect(code);
    await world.settle();
    world.clock.advance(five);
    await world.until(() => joinOf(bob).at === "failed", "Bob gives up");
    assert.deepEqual(joinOf(bob), failed("expired"));
    await ada.start();
    await world.until(() => offerOf(ada).at === "failed", "Ada gives up");
    assert.deepEqual(offerOf(ada), failed("expired"));
    await world.settle();
    for (const person of [ada, bob]) {
      await person.close();
      assert.equal((await leftovers(person)).contacts, 0);
    }
  }));

Deno.test("an inviter who stays away after the joiner's card was taken: the joiner sees messages fail, and a new code mends it", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const code = await codeOf(ada);
    await world.settle();
    // Ada is gone the moment Bob's card reaches her, before anything of it is on her disk.
    ada.onMoment = (moment) =>
      moment.at === "frame" && moment.way === "in" &&
      decodeFrame(moment.frame).some((command) =>
        command.type === "PASS" && command.index === 1
      );
    await bob.messenger.invite.connect(code);
    await world.until(() => !ada.alive, "Ada is gone");
    ada.onMoment = undefined;
    await world.until(() => joinOf(bob).at === "connected", "Bob has met Ada");
    await (await only(bob)).send("are you there?");
    await world.settle();
    const stateOf = (conversation: ConversationView) =>
      conversation.messages.value[0].state;
    assert.equal(stateOf(await only(bob)), "sent");
    world.clock.advance(five);
    await ada.start();
    await world.until(() => offerOf(ada).at === "failed", "Ada gives up");
    assert.deepEqual(offerOf(ada), failed("expired"));
    await world.settle();
    const conversation = await only(bob);
    await conversation.send("hello?");
    await world.until(
      () => conversation.messages.value[1].state === "failed",
      "Bob sees that she can't be reached",
    );

    await meet(world, ada, bob);
    await conversation.retry(conversation.messages.value[1].id);
    await sees(world, await only(ada), ["hello?"]);
  }));

Deno.test("what was made for an invite that came to nothing is taken back, at the relay too", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await world.settle();
    const before = {
      ada: ada.disk.entries().length,
      relay: await world.queues(),
    };
    await bob.messenger.invite.connect(slipped(await codeOf(ada)));
    await untilJoined(world, bob);
    await world.settle();
    assert.equal(await world.queues(), before.relay);
    // The list of queues to delete, empty now, is what stays.
    assert.equal(ada.disk.entries().length, before.ada + 1);
  }));
