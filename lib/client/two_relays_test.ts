import assert from "node:assert/strict";
import { decodeFrame } from "../wire/mod.ts";
import {
  codeOf,
  meet,
  newcomer,
  online,
  only,
  sees,
  withWorld,
} from "./testing/people.ts";
import { HOME, type Person, type World } from "./testing/world.ts";
import type { ConversationView, Route } from "./view.ts";

const OTHER = "https://other.example";

/** Ada at one relay and Bob at another, who have met by a code of Ada's. */
async function apart(world: World) {
  await world.startOther(OTHER);
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob", { at: OTHER });
  await meetAcross(world, ada, bob);
  return { ada, bob, a: await only(ada), b: await only(bob) };
}

async function meetAcross(
  world: World,
  inviter: Person,
  joiner: Person,
): Promise<void> {
  const code = `${await codeOf(inviter)}@${new URL(inviter.at).host}`;
  await joiner.messenger.invite.connect(code);
  await world.until(
    () =>
      inviter.messenger.invite.offer.value.at === "connected" &&
      joiner.messenger.invite.join.value.at === "connected",
    "two people at two relays have met",
  );
}

async function delivered(
  world: World,
  view: ConversationView,
  count: number,
): Promise<void> {
  await world.until(
    () =>
      view.messages.value.filter(({ mine, state }) =>
        mine && state === "delivered"
      ).length === count,
    `${count} messages are shown as delivered`,
  );
}

function reachOf(view: ConversationView): string {
  const route: Route = view.contact.route.value;
  return route.at === "own" ? "own" : `${route.host} ${route.reach}`;
}

Deno.test("two people at two relays meet by CODE@relay, talk both ways, and see what was delivered", () =>
  withWorld(async (world) => {
    const { a, b } = await apart(world);
    assert.equal(a.name.value, "Bob");
    assert.equal(b.name.value, "Ada");
    await a.send("from here");
    await sees(world, b, ["from here"]);
    await b.send("and from there");
    await sees(world, a, ["from here", "and from there"]);
    await delivered(world, a, 1);
    await delivered(world, b, 1);
    assert.equal(reachOf(a), "other.example reached");
    assert.equal(reachOf(b), "relay.example reached");
  }));

Deno.test("it does not matter whose code it is, nor that both use the same relay for others", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob", { at: OTHER });
    const cem = await newcomer(world, "Cem");
    await meet(world, ada, cem);
    assert.equal(reachOf(await only(ada)), "own");
    await meetAcross(world, bob, cem);
    const [toBob] = cem.messenger.conversations.value
      .filter(({ name }) => name === "Bob");
    const view = cem.messenger.conversation(toBob.id);
    assert.ok(view);
    await view.send("hello");
    await sees(world, await only(bob), ["hello"]);
  }));

Deno.test("what is written while the other relay is away waits, says so, and arrives once when it is back", () =>
  withWorld(async (world) => {
    const { ada, a, b } = await apart(world);
    await a.send("before");
    await sees(world, b, ["before"]);
    await delivered(world, a, 1);
    await world.stopOther(OTHER);
    await a.send("one");
    await a.send("two");
    await world.until(
      () => reachOf(a) === "other.example unreachable",
      "it is said that the other relay is not there",
    );
    await world.settle(4_000);
    assert.equal(ada.messenger.connection.value.at, "online");
    assert.deepEqual(
      a.messages.value.map(({ state }) => state),
      ["delivered", "sending", "sending"],
    );
    await world.startOther(OTHER);
    await sees(world, b, ["before", "one", "two"]);
    await delivered(world, a, 3);
    assert.equal(reachOf(a), "other.example reached");
  }));

Deno.test("whichever relay is started anew in the middle, nothing is lost and nothing shown twice", () =>
  withWorld(async (world) => {
    const { a, b } = await apart(world);
    const said: string[] = [];
    for (let round = 0; round < 6; round++) {
      const [x, y] = [`a${round}`, `b${round}`];
      const answered = b.messages.value.length;
      await a.send(x);
      await b.send(y);
      if (round % 2 === 0) {
        await world.stopOther(OTHER);
        await world.startOther(OTHER);
      } else {
        await world.stopRelay();
        await world.startRelay();
      }
      said.push(x, y);
      await world.until(
        () =>
          a.messages.value.length === answered + 2 &&
          b.messages.value.length === answered + 2,
        `both have what was said in round ${round}`,
      );
    }
    await world.settle();
    for (const view of [a, b]) {
      const texts = view.messages.value
        .map(({ body }) => body.kind === "text" ? body.text : "?");
      assert.deepEqual(texts.toSorted(), said.toSorted());
    }
    await delivered(world, a, 6);
    await delivered(world, b, 6);
  }));

Deno.test("a relay that is somebody else's than the address says gets nothing", () =>
  withWorld(async (world) => {
    const { a } = await apart(world);
    await delivered(world, a, 0);
    await world.settle();
    await world.stopOther(OTHER);
    const impostor = "https://impostor.example";
    await world.startOther(impostor);
    const relay = world.dialler.relays.get(impostor);
    assert.ok(relay);
    world.dialler.relays.set(OTHER, relay);
    const before = world.dialler.sent.length;
    await a.send("for Bob only");
    await world.until(
      () => reachOf(a) === "other.example unreachable",
      "the other relay does not count as there",
    );
    await world.settle(4_000);
    assert.equal(world.dialler.sent.length, before, "it was asked nothing");
    assert.equal(a.messages.value[0].state, "sending");
  }));

Deno.test("the own relay can't say that a queue elsewhere is gone, or that a message arrived", () =>
  withWorld(async (world) => {
    const { ada, a, b } = await apart(world);
    await a.send("one");
    await delivered(world, a, 1);
    // Everything that goes to the other relay is answered by a liar.
    const { dialler } = world;
    const honest = dialler.dial.bind(dialler);
    const lies = [Uint8Array.of(3), Uint8Array.of(2), Uint8Array.of(16)];
    dialler.dial = async (...given) => {
      const socket = await honest(...given);
      let tell: (data: Uint8Array | string) => void = () => {};
      return {
        get bufferedBytes() {
          return socket.bufferedBytes;
        },
        listen: (events) => {
          tell = events.message;
          socket.listen(events);
        },
        send: (frame) => {
          const [{ request }] = decodeFrame(frame);
          const lie = lies.shift();
          const answer = new Uint8Array(512);
          // ERR with a code that is final, or an OK that nobody sealed.
          if (lie) answer.set([3, request >> 8, request, 0, 1, lie[0]]);
          else answer.set([2, request >> 8, request, 0x01, 0xfb]);
          queueMicrotask(() => tell(answer));
        },
        close: (code, reason) => socket.close(code, reason),
      };
    };
    dialler.last?.cut();
    await a.send("two");
    await world.settle(6_000);
    assert.equal(lies.length, 0, "it lied");
    assert.equal(a.messages.value[1].state, "sending");
    assert.equal(ada.messenger.connection.value.at, "online");
    dialler.dial = honest;
    dialler.last?.cut();
    await sees(world, b, ["one", "two"]);
    await delivered(world, a, 2);
  }));

Deno.test("a code of another relay that is not there, or where nobody forwards to, says so", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const { invite } = ada.messenger;
    await invite.connect("0123456789@elsewhere.example");
    assert.deepEqual(invite.join.value, {
      at: "failed",
      reason: "unreachable",
    });
    world.dialler.forbidden = true;
    await invite.connect("0123456789@forbidden.example");
    assert.deepEqual(invite.join.value, {
      at: "failed",
      reason: "other-relay",
    });
    await invite.connect("0123456789@relay.example");
    await world.until(() => invite.join.value.at === "failed", "it has failed");
    assert.deepEqual(invite.join.value, { at: "failed", reason: "expired" });
  }));

Deno.test("a wrong code of another relay is burnt, on both sides", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob", { at: OTHER });
    const code = await codeOf(ada);
    const wrong = code.slice(0, 9) + (code.endsWith("A") ? "B" : "A");
    const host = new URL(HOME).host;
    const { invite } = bob.messenger;
    const joined = async (code: string) => {
      await invite.connect(`${code}@${host}`);
      await world.until(() => invite.join.value.at === "failed", "it failed");
      return invite.join.value;
    };
    assert.deepEqual(await joined(wrong), { at: "failed", reason: "wrong" });
    await world.until(
      () => ada.messenger.invite.offer.value.at === "failed",
      "the inviter hears of it",
    );
    assert.deepEqual(ada.messenger.invite.offer.value, {
      at: "failed",
      reason: "wrong",
    });
    assert.equal((await joined(code)).at, "failed");
  }));

Deno.test("a page that dies in the middle of meeting somebody at another relay goes on with it", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob", { at: OTHER });
    const code = `${await codeOf(ada)}@${new URL(HOME).host}`;
    let commits = 0;
    bob.onMoment = (moment) =>
      moment.at === "commit" && moment.when === "after" && ++commits === 2;
    bob.messenger.invite.connect(code).catch(() => {}); // it dies meanwhile
    await world.until(() => !bob.alive, "Bob's page is gone");
    bob.onMoment = undefined;
    await bob.start();
    await online(world, bob);
    await world.until(
      () =>
        [ada, bob].every(({ messenger }) =>
          messenger.conversations.value.length === 1
        ),
      "they have met",
    );
    await (await only(bob)).send("here I am");
    await sees(world, await only(ada), ["here I am"]);
  }));

Deno.test("two who are connected across relays are told so when they try again", () =>
  withWorld(async (world) => {
    const { ada, bob } = await apart(world);
    const code = `${await codeOf(ada)}@${new URL(HOME).host}`;
    await bob.messenger.invite.connect(code);
    await world.until(
      () => bob.messenger.invite.join.value.at === "failed",
      "it came to nothing",
    );
    assert.deepEqual(bob.messenger.invite.join.value, {
      at: "failed",
      reason: "already-connected",
    });
  }));

Deno.test("whether a conversation goes over Tor is told as the own relay says it, each time it is connected to", () =>
  withWorld(async (world) => {
    const { ada, a, b } = await apart(world);
    const overTor = (view: ConversationView) => {
      const route = view.contact.route.value;
      return route.at === "other" && route.overTor;
    };
    assert.equal(overTor(a), false);
    world.throughTor = true;
    await world.stopRelay();
    await world.startRelay();
    await online(world, ada);
    await world.until(() => overTor(a), "Ada's relay goes through Tor now");
    assert.equal(overTor(b), false, "Bob's does not");
    world.throughTor = false;
    await world.stopRelay();
    await world.startRelay();
    await world.until(() => !overTor(a), "Ada's relay does so no more");
  }));

Deno.test("to an onion service a conversation goes over Tor in any case", () =>
  withWorld(async (world) => {
    const onion = `http://${"a".repeat(56)}.onion`;
    await world.startOther(onion);
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob", { at: onion });
    await meetAcross(world, ada, bob);
    const route = (await only(ada)).contact.route.value;
    assert.equal(route.at === "other" && route.overTor, true);
    const back = (await only(bob)).contact.route.value;
    assert.equal(back.at === "other" && back.overTor, false);
  }));
