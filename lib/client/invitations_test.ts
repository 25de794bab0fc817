import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import {
  meet,
  newcomer,
  online,
  only,
  queuesAre,
  sees,
  withWorld,
} from "./testing/people.ts";
import {
  accepts,
  asks,
  DAY,
  HOUR,
  invitationsOf,
  linkOf,
  opened,
} from "./testing/links.ts";
import { parseInvitation } from "./invitation/mod.ts";
import type { Person, World } from "./testing/world.ts";
import type { InvitationFailure } from "./view.ts";

const failed = (reason: InvitationFailure) => ({ at: "failed", reason });

async function requestsOf(person: Person) {
  return (await invitationsOf(person)).requests.value;
}

/** What became of what somebody has asked. */
async function askedOf(person: Person) {
  return (await invitationsOf(person)).asked.value.map(({ state }) => state);
}

async function untilConnected(world: World, person: Person, people = 1) {
  await world.until(
    () => person.messenger.conversations.value.length === people,
    "someone is connected",
  );
}

Deno.test("a link works while who gave it out is away: they are asked when they are back, and both write", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada);
    await ada.messenger.close();

    assert.deepEqual(await opened(world, bob, link), {
      at: "found",
      name: "Ada",
      host: undefined,
    });
    await asks(world, bob, link);
    assert.deepEqual(await askedOf(bob), [{ at: "waiting" }]);
    await bob.messenger.close();

    await ada.start();
    await online(world, ada);
    const invitations = await invitationsOf(ada);
    await world.until(() => invitations.requests.value.length === 1, "asked");
    assert.equal(invitations.requests.value[0].name, "Bob");
    assert.deepEqual(ada.messenger.conversations.value, []);
    await accepts(world, ada);
    await (await only(ada)).send("Hello Bob");
    await world.settle();
    await ada.messenger.close();

    await bob.start();
    await untilConnected(world, bob);
    assert.deepEqual(await askedOf(bob), []);
    await (await only(bob)).send("Hello Ada");
    await ada.start();
    await sees(world, await only(ada), ["Hello Bob", "Hello Ada"]);
    await sees(world, await only(bob), ["Hello Bob", "Hello Ada"]);
  }));

Deno.test("nobody is asked, and no place taken, by looking whose a link is", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const cem = await newcomer(world, "Cem");
    const link = await linkOf(world, ada);
    for (let i = 0; i < 6; i++) {
      assert.equal((await opened(world, bob, link)).at, "found");
    }
    await world.settle();
    assert.deepEqual(await requestsOf(ada), []);
    await asks(world, cem, link);
    assert.deepEqual(await askedOf(cem), [{ at: "waiting" }]);
  }));

Deno.test("who is refused is told, and nothing is left of it, at the relay either", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await asks(world, bob, await linkOf(world, ada));
    const invitations = await invitationsOf(ada);
    await world.until(() => invitations.requests.value.length === 1, "asked");
    await invitations.refuse(invitations.requests.value[0].id);
    assert.deepEqual(invitations.requests.value, []);
    const asked = await invitationsOf(bob);
    await world.until(
      () => asked.asked.value[0].state.at === "failed",
      "Bob is told",
    );
    assert.deepEqual(await askedOf(bob), [failed("refused")]);
    await asked.takeBack(asked.asked.value[0].id);
    assert.deepEqual(await askedOf(bob), []);
    assert.deepEqual(bob.messenger.conversations.value, []);
    assert.deepEqual(ada.messenger.conversations.value, []);
    // One of each device.
    await queuesAre(world, 2);
  }));

Deno.test("as many may ask as the link was made for, each by a place of their own; the next is told", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const uses = 5;
    const link = await linkOf(world, ada, { uses });
    const invitations = await invitationsOf(ada);
    const places = new Set<string>();
    for (let i = 0; i < uses; i++) {
      const friend = await newcomer(world, `Friend ${i}`);
      await asks(world, friend, link);
      await world.until(
        () => invitations.requests.value.length === i + 1,
        "one more has asked",
      );
      places.add(invitations.requests.value[i].id);
      const left = invitations.given.value.map((
        { uses, used },
      ) => [uses, used]);
      assert.deepEqual(left, i < uses - 1 ? [[uses, i + 1]] : []);
    }
    // Each by another queue; and by the last the link is taken from the relay.
    assert.equal(places.size, uses);
    await world.settle();
    const late = await newcomer(world, "Late");
    assert.deepEqual(await opened(world, late, link), failed("gone"));
    for (let people = 1; people <= uses; people++) {
      await accepts(world, ada);
      invitations.noted();
      await untilConnected(world, ada, people);
    }
  }));

Deno.test("who asks when all places were taken, and none has been asked by yet, is told so", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const cem = await newcomer(world, "Cem");
    const link = await linkOf(world, ada);
    await ada.messenger.close();
    await asks(world, bob, link);
    await asks(world, cem, link);
    assert.deepEqual(await askedOf(cem), [failed("used-up")]);
    assert.deepEqual(await askedOf(bob), [{ at: "waiting" }]);
  }));

Deno.test("a link that was withdrawn works no more; who had asked by it can still be accepted", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const cem = await newcomer(world, "Cem");
    const link = await linkOf(world, ada, { uses: 4 });
    const invitations = await invitationsOf(ada);
    await asks(world, bob, link);
    assert.equal((await opened(world, cem, link)).at, "found");
    await world.until(() => invitations.requests.value.length === 1, "asked");
    await invitations.revoke(invitations.given.value[0].id);
    assert.deepEqual(invitations.given.value, []);
    await world.settle();
    // Cem had seen whose it is, and asks too late.
    await (await invitationsOf(cem)).ask();
    await world.settle();
    assert.deepEqual(await askedOf(cem), [failed("gone")]);
    assert.deepEqual(await opened(world, cem, link), failed("gone"));
    await accepts(world, ada);
    await untilConnected(world, bob);
    // Bob's and Ada's two for each other, and one of each device: nothing is left of the link.
    await queuesAre(world, 4 + 3);
  }));

Deno.test("a link ends with its time, though the relay has it for the rest of the day", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada, { lifetime: HOUR });
    // A clock that jumps makes a connection look dead, and the relay's seem a little off.
    world.clock.advance(HOUR + 60_000);
    await world.settle();
    await online(world, bob);
    assert.deepEqual(await opened(world, bob, link), failed("expired"));
    await online(world, ada);
    await world.settle(2 * HOUR);
    assert.deepEqual((await invitationsOf(ada)).given.value, []);
    assert.deepEqual(await opened(world, bob, link), failed("gone"));
    // One of each device.
    await queuesAre(world, 2);
  }));

Deno.test("what is asked in the last moment still arrives, however late who gave the link out comes", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada, { lifetime: HOUR });
    await ada.messenger.close();
    await asks(world, bob, link);
    world.clock.advance(10 * DAY);
    await ada.start();
    await accepts(world, ada);
    await untilConnected(world, bob);
    await (await only(bob)).send("at last");
    await sees(world, await only(ada), ["at last"]);
  }));

Deno.test("what is no link, an own one, one of a relay that is not there and a friend's: each is said", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada, { uses: 4 });
    assert.deepEqual(
      await opened(world, bob, link.slice(0, -3)),
      failed("malformed"),
    );
    assert.deepEqual(await opened(world, bob, "hello"), failed("malformed"));
    assert.deepEqual(await opened(world, ada, link), failed("own"));
    assert.deepEqual(
      await opened(world, bob, `https://elsewhere.example/${link}`),
      failed("unreachable"),
    );
    const whole = await opened(
      world,
      bob,
      `Look: https://relay.example/${link} !`,
    );
    assert.equal(whole.at, "found");
    await meet(world, ada, bob);
    assert.deepEqual(
      await opened(world, bob, link),
      failed("already-connected"),
    );
    await (await only(bob)).contact.block();
    assert.deepEqual(await opened(world, bob, link), failed("blocked"));
  }));

Deno.test("who is blocked is not heard by a link either", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const link = await linkOf(world, ada, { uses: 4 });
    await (await only(ada)).contact.block();
    await (await only(bob)).contact.remove();
    await asks(world, bob, link);
    const { given } = await invitationsOf(ada);
    await world.until(() => given.value[0].used > 0, "the word has come");
    await world.settle();
    assert.deepEqual(await requestsOf(ada), []);
    assert.equal(given.value[0].used, 1);
  }));

Deno.test("who has forgotten a contact meets them anew by a link, and their words go on", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await (await only(ada)).send("before");
    await sees(world, await only(bob), ["before"]);
    await (await only(bob)).contact.remove();
    await world.settle();
    await asks(world, bob, await linkOf(world, ada));
    await accepts(world, ada);
    await untilConnected(world, bob);
    await (await only(bob)).send("after");
    await sees(world, await only(ada), ["before", "after"]);
  }));

Deno.test("who takes back what they asked is no contact, also when they are accepted", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await asks(world, bob, await linkOf(world, ada));
    const invitations = await invitationsOf(ada);
    await world.until(() => invitations.requests.value.length === 1, "asked");
    const asked = await invitationsOf(bob);
    await asked.takeBack(asked.asked.value[0].id);
    await world.settle();
    await accepts(world, ada);
    assert.deepEqual(invitations.outcome.value, {
      at: "failed",
      name: "Bob",
      reason: "withdrawn",
    });
    assert.deepEqual(ada.messenger.conversations.value, []);
    // One of each device.
    await queuesAre(world, 2);
  }));

Deno.test("who asks by two links is in the list once, and is connected by the newer", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await asks(world, bob, await linkOf(world, ada));
    await asks(world, bob, await linkOf(world, ada));
    await world.settle();
    assert.equal((await requestsOf(ada)).length, 1);
    await accepts(world, ada);
    await untilConnected(world, bob);
    await (await only(bob)).send("once");
    await sees(world, await only(ada), ["once"]);
  }));

Deno.test("who asks twice by one link, at once or after a reload, has asked once, and takes one place", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada, { uses: 2 });
    assert.equal((await opened(world, bob, link)).at, "found");
    const pressed = await invitationsOf(bob);
    await Promise.all([pressed.ask(), pressed.ask()]);
    await world.settle();
    assert.deepEqual(await askedOf(bob), [{ at: "waiting" }]);
    const [{ id }] = pressed.asked.value;

    await bob.messenger.close();
    await bob.start();
    await online(world, bob);
    const again = { at: "asked", id, name: "Ada" };
    assert.deepEqual(await opened(world, bob, link), again);
    await (await invitationsOf(bob)).ask();
    await world.settle();
    const [{ uses, used }] = (await invitationsOf(ada)).given.value;
    assert.deepEqual([uses, used], [2, 1]);
    assert.equal((await requestsOf(ada)).length, 1);
    await accepts(world, ada);
    await untilConnected(world, bob);
  }));

Deno.test("a link that was opened is kept over a reload until its person is asked or it is dismissed", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const [first, second] = [
      await linkOf(world, ada),
      await linkOf(world, ada),
    ];
    const keptOf = async () =>
      (await invitationsOf(bob)).kept.value
        .map(({ name, link }) => [name, link]);
    const reload = async () => {
      await bob.messenger.close();
      await bob.start();
      await online(world, bob);
      // The page is told without asking for it.
      await world.until(
        () => bob.messenger.invite.invitations.value !== undefined,
        "what there is of links is fetched",
      );
    };

    await world.stopRelay();
    await world.until(
      () => bob.messenger.connection.value.at !== "online",
      "the relay is gone",
    );
    await (await invitationsOf(bob)).open(`https://relay.example/${first}`);
    assert.deepEqual(await keptOf(), []); // it is the one that is open
    await world.startRelay();
    await reload();
    const whole = `https://relay.example/${first}`;
    assert.deepEqual(await keptOf(), [[undefined, whole]]);

    for (const link of [whole, second]) await opened(world, bob, link);
    (await invitationsOf(bob)).reset(); // "Not now"
    await reload();
    assert.deepEqual(await keptOf(), [["Ada", whole], ["Ada", second]]);

    const invitations = await invitationsOf(bob);
    await invitations.dismiss(invitations.kept.value[0].id);
    await asks(world, bob, second);
    assert.deepEqual(await keptOf(), []);
    await reload();
    assert.deepEqual(await keptOf(), []);
    assert.deepEqual(await askedOf(bob), [{ at: "waiting" }]);

    // What is of no use is not kept either.
    await opened(world, ada, first);
    assert.deepEqual((await invitationsOf(ada)).kept.value, []);
  }));

Deno.test("who presses twice makes one link; one that is withdrawn while it is made stands in no other's way", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const invitations = await invitationsOf(ada);
    const terms = { lifetime: DAY, uses: 1 };
    await Promise.all([invitations.create(terms), invitations.create(terms)]);
    await world.settle();
    assert.equal(invitations.given.value.length, 1);
    assert.equal(invitations.making.value.at, "made");

    await invitations.create(terms);
    await invitations.revoke(invitations.given.value[0].id);
    await linkOf(world, ada);
  }));

Deno.test("without a connection no link is made, opened or answered, and that is said", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada, { uses: 2 });
    await asks(world, bob, link);
    const invitations = await invitationsOf(ada);
    await world.until(() => invitations.requests.value.length === 1, "asked");
    await world.stopRelay();
    await world.until(
      () => ada.messenger.connection.value.at !== "online",
      "the relay is gone",
    );
    // Without any time passing.
    await invitations.create({ lifetime: HOUR, uses: 1 });
    assert.deepEqual(invitations.making.value, failed("offline"));
    await invitations.accept(invitations.requests.value[0].id);
    assert.deepEqual(invitations.outcome.value, {
      at: "failed",
      name: "Bob",
      reason: "offline",
    });
    await invitations.open(link);
    world.clock.advance(10_000);
    await world.settle();
    assert.deepEqual(invitations.opened.value, failed("offline"));
    assert.deepEqual(invitations.kept.value.map(({ link }) => link), [link]);
    // Nothing was lost by it.
    await world.startRelay();
    await online(world, ada);
    invitations.noted();
    await accepts(world, ada);
    await untilConnected(world, bob);
  }));

Deno.test("neither the secret of a link nor a name crosses the wire or lies at the relay", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada of the link");
    const bob = await newcomer(world, "Bob who asks");
    const seen: Uint8Array[] = [];
    for (const person of [ada, bob]) {
      person.onMoment = (moment) => {
        if (moment.at === "frame") seen.push(moment.frame.slice());
        return false;
      };
    }
    const link = await linkOf(world, ada, { uses: 2 });
    await asks(world, bob, link);
    await accepts(world, ada);
    await untilConnected(world, bob);
    for await (const { key, value } of world.kv.list({ prefix: [] })) {
      for (const part of [...key, value]) {
        seen.push(
          part instanceof Uint8Array ? part : utf8ToBytes(String(part)),
        );
      }
    }
    const reading = parseInvitation(link);
    assert.ok(reading.ok);
    const all = Buffer.concat(seen);
    assert.ok(all.includes(reading.link.blob));
    for (
      const needle of [
        reading.link.secret,
        utf8ToBytes("Ada of the link"),
        utf8ToBytes("Bob who asks"),
      ]
    ) assert.ok(!all.includes(needle));
  }));
