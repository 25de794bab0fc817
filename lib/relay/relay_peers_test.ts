import assert from "node:assert/strict";
import { randomBytes } from "@noble/hashes/utils.js";
import {
  checkWork,
  type Command,
  type CommandBody,
  decodeFrame,
  encodeFrame,
  encodeUrl,
  type ErrorName,
  type ForwardedReply,
  greetingKey,
} from "../wire/mod.ts";
import { CLOSE } from "./socket.ts";
import {
  ForwardClient,
  postCommand,
  sealFor,
} from "./testing/forward_client.ts";
import { MemoryDialler } from "./testing/memory_dialler.ts";
import { ok, refused, RelayClient } from "./testing/relay_client.ts";
import {
  OTHER_URL,
  type TwoRelays,
  withTwoRelays,
} from "./testing/two_relays.ts";

const id = (n: number) => new Uint8Array(16).fill(n);
const label = id;

const enter = (relays: TwoRelays) => RelayClient.inProcess(relays.own.relay);

function codeOf(reply: ForwardedReply): string {
  return reply.type === "ERR" ? reply.code : reply.type;
}

async function greeting(
  client: RelayClient,
  url = OTHER_URL,
  which = label(0),
) {
  return await client.ask(await ForwardClient.greetCommand(client, url, which));
}

/** A queue at the other relay, and one who is connected to it. */
async function queueThere({ other }: TwoRelays) {
  const owner = await RelayClient.inProcess(other.relay);
  return { owner, queue: await owner.createQueue() };
}

Deno.test("who greets the same relay shares a connection, made once however many ask at a time", () =>
  withTwoRelays(async (relays) => {
    const clients = await Promise.all([1, 2, 3].map(() => enter(relays)));
    const ways = await Promise.all(
      clients.map((client, n) =>
        ForwardClient.greet(client, OTHER_URL, label(n))
      ),
    );
    assert.equal(relays.dialler.dialled.length, 1);
    assert.equal(relays.own.relay.totals.peers, 1);
    const challenges = ways.map(({ hello }) => hello.challenge.toHex());
    assert.equal(new Set(challenges).size, 1);
  }));

Deno.test("where labels keep circuits apart, each label has a connection of its own", () => {
  const dialler = new MemoryDialler(true);
  return withTwoRelays(async (relays) => {
    const client = await enter(relays);
    for (const which of [1, 2, 1]) {
      await ForwardClient.greet(client, OTHER_URL, label(which));
    }
    const labels = dialler.dialled.map(({ isolation }) => isolation);
    assert.deepEqual(labels, [label(1).toHex(), label(2).toHex()]);
    assert.equal(relays.own.relay.totals.peers, 2);
  }, { dialler });
});

Deno.test("after a connection that was lost, or not to be had, the next goes by another circuit; each label has circuits of its own all the same", () => {
  const dialler = new MemoryDialler(true);
  return withTwoRelays(async (relays) => {
    const { own, other } = relays;
    const client = await enter(relays);
    for (const which of [1, 2]) {
      await ForwardClient.greet(client, OTHER_URL, label(which));
    }
    dialler.last?.cut();
    dialler.relays.clear();
    for (let times = 0; times < 2; times++) {
      refused(await greeting(client, OTHER_URL, label(2)), "unreachable");
      own.clock.now += 5_000;
    }
    dialler.relays.set(OTHER_URL, other.relay);
    ok(await greeting(client, OTHER_URL, label(2)));
    ok(await greeting(client, OTHER_URL, label(1)));
    const labels = dialler.dialled.map(({ isolation }) => isolation);
    assert.equal(labels.length, 5);
    assert.equal(new Set(labels).size, 5);
    const [, ...ofSecond] = labels;
    for (const one of ofSecond) {
      assert.ok(one.startsWith(label(2).toHex()), one);
      assert.match(one, /^[0-9a-f.]+$/);
    }
  }, { dialler });
});

Deno.test("a relay that is away is unreachable, left alone for a while, and reached when it is back", () =>
  withTwoRelays(async (relays) => {
    const { own, other, dialler } = relays;
    const client = await enter(relays);
    dialler.relays.clear();
    refused(await greeting(client), "unreachable");
    dialler.relays.set(OTHER_URL, other.relay);
    refused(await greeting(client), "unreachable");
    assert.equal(dialler.dialled.length, 1, "it was not tried again at once");
    own.clock.now += 1_000;
    ok(await greeting(client));
    assert.equal(dialler.dialled.length, 2);
    // Each failure in a row is followed by a longer pause.
    dialler.last?.cut();
    dialler.relays.clear();
    for (let failures = 1; failures <= 9; failures++) {
      own.clock.now += 60_000;
      refused(await greeting(client), "unreachable");
    }
    dialler.relays.set(OTHER_URL, other.relay);
    own.clock.now += 9_000;
    refused(await greeting(client), "unreachable");
    own.clock.now += 11_000;
    ok(await greeting(client));
  }));

Deno.test("a clock that goes back by a year keeps nobody from a relay that was away", () =>
  withTwoRelays(async (relays) => {
    const { own, other, dialler } = relays;
    const client = await enter(relays);
    dialler.relays.clear();
    refused(await greeting(client), "unreachable");
    dialler.relays.set(OTHER_URL, other.relay);
    own.clock.now -= 365 * 86_400_000;
    own.relay.sweep();
    ok(await greeting(client));
  }));

Deno.test("a relay that goes the moment it has greeted is not taken for one that is there", () =>
  withTwoRelays(async (relays) => {
    const { dialler, own } = relays;
    const client = await enter(relays);
    dialler.onFrame = () => dialler.lastFar?.close(CLOSE.goingAway, "");
    refused(await greeting(client), "unreachable");
    assert.equal(own.relay.totals.peers, 0);
  }));

Deno.test("a relay that says what nobody asked for is let go", () =>
  withTwoRelays(async (relays) => {
    const { own, dialler } = relays;
    const client = await enter(relays);
    const nop = encodeFrame([{ type: "NOP", request: 0 }]);
    const unasked = encodeFrame([
      { type: "OK", request: 77, body: new Uint8Array() },
    ]);
    // A command that a relay does not say, and an answer to nothing.
    for (const frames of [nop, unasked]) {
      await ForwardClient.greet(client, OTHER_URL);
      assert.equal(own.relay.totals.peers, 1);
      for (const frame of frames) dialler.lastFar?.send(frame);
      while (own.relay.totals.peers > 0) {
        await new Promise((resume) => setTimeout(resume, 1));
      }
    }
  }));

/** What the client hears when the other relay answers with an ERR that it made up. */
async function answeredWith(
  { dialler }: TwoRelays,
  client: RelayClient,
  code: ErrorName,
): Promise<Command> {
  const way = await ForwardClient.greet(client, OTHER_URL);
  dialler.lastFar?.pause();
  const before = dialler.sent.length;
  const answer = way.pass(sealFor(way.hello, { type: "PING" }).sealed);
  ok(await client.ask({ type: "PING" }));
  const [asked] = decodeFrame(dialler.sent[before]);
  const { request } = asked;
  const frames = encodeFrame([
    { type: "ERR", request, code, detail: Uint8Array.of(7) },
  ]);
  for (const frame of frames) dialler.lastFar?.send(frame);
  return await answer;
}

Deno.test("another relay says no more than that it can't now: nothing it answers counts against who asked, or is taken for the own relay's word", () =>
  withTwoRelays(async (relays) => {
    const client = await enter(relays);
    for (const code of ["stale", "busy", "rate"] as const) {
      refused(await answeredWith(relays, client, code), code);
    }
    const others = ["forbidden", "access", "unknown-handle", "work"] as const;
    for (const code of others) {
      refused(await answeredWith(relays, client, code), "unreachable");
    }
    for (let n = 0; n < 4; n++) {
      const answer = await answeredWith(relays, client, "unauthorised");
      refused(answer, "unreachable");
    }
    ok(await client.ask({ type: "PING" }));
  }, { own: { unauthorised: 3 } }));

const LARGE = 32_000;

/** What the client hears when the other relay gives so many large answers in one moment. */
async function answeredAtOnce(
  { dialler }: TwoRelays,
  client: RelayClient,
  count: number,
): Promise<Command[]> {
  const way = await ForwardClient.greet(client, OTHER_URL);
  dialler.lastFar?.pause();
  const before = dialler.sent.length;
  const asked = Array.from(
    { length: count },
    () => way.pass(sealFor(way.hello, { type: "PING" }).sealed),
  );
  ok(await client.ask({ type: "PING" }));
  const body = new Uint8Array(LARGE);
  for (const frame of dialler.sent.slice(before)) {
    for (const { request } of decodeFrame(frame)) {
      const [answer] = encodeFrame([{ type: "OK", request, body }]);
      dialler.lastFar?.send(answer);
    }
  }
  return await Promise.all(asked);
}

Deno.test("another relay that answers all at once, and much, has nobody cut off who reads it", () =>
  withTwoRelays(async (relays) => {
    const client = await enter(relays);
    for (const answer of await answeredAtOnce(relays, client, 60)) {
      assert.equal(ok(answer).length, LARGE);
    }
    ok(await client.ask({ type: "PING" }));
  }));

Deno.test("answers that can't be held until there is room are lost (waitingBytesInAll)", () =>
  withTwoRelays(async (relays) => {
    const client = await enter(relays);
    const answers = await answeredAtOnce(relays, client, 20);
    const codes = answers.map((answer) =>
      answer.type === "ERR" ? answer.code : answer.type
    );
    assert.deepEqual(new Set(codes), new Set(["OK", "unreachable"]));
    ok(await client.ask({ type: "PING" }));
    const again = await answeredAtOnce(relays, client, 10);
    for (const answer of again) ok(answer);
  }, { own: { waitingBytesInAll: 100_000 } }));

Deno.test("when a relay was started anew its handle is void; who greets it again goes on, and nothing is lost or doubled", () =>
  withTwoRelays(async (relays) => {
    const { queue } = await queueThere(relays);
    const client = await enter(relays);
    const way = await ForwardClient.greet(client, OTHER_URL);
    assert.equal(codeOf(await way.post(queue.id, queue.send, id(1))), "OK");
    await relays.restartOther();
    const late = await postCommand(way.hello, queue.id, queue.send, id(2));
    refused(await way.pass(sealFor(way.hello, late).sealed), "unknown-handle");
    const again = await ForwardClient.greet(client, OTHER_URL);
    for (const n of [1, 2]) {
      assert.equal(codeOf(await again.post(queue.id, queue.send, id(n))), "OK");
    }
    const owner = await RelayClient.inProcess(relays.other.relay);
    await owner.bind(queue, "receive", 1);
    assert.deepEqual((await owner.message()).id, id(1));
    assert.deepEqual((await owner.message()).id, id(2));
    ok(await owner.ask({ type: "PING" }));
    assert.deepEqual(owner.pushes, []);
  }));

Deno.test("what waits for an answer when the connection is lost is told that there is none", () =>
  withTwoRelays(async (relays) => {
    const { queue } = await queueThere(relays);
    const client = await enter(relays);
    const way = await ForwardClient.greet(client, OTHER_URL);
    relays.dialler.last?.pause();
    const post = await postCommand(way.hello, queue.id, queue.send, id(1));
    const answer = way.pass(sealFor(way.hello, post).sealed);
    ok(await client.ask({ type: "PING" }));
    relays.dialler.last?.cut();
    refused(await answer, "unreachable");
    refused(await way.pass(sealFor(way.hello, post).sealed), "unknown-handle");
  }));

Deno.test("a relay that greets late, or answers late, is unreachable (forwardWithin)", () =>
  withTwoRelays(async (relays) => {
    const { own, dialler } = relays;
    const client = await enter(relays);
    dialler.hold = new Promise(() => {});
    refused(await greeting(client), "unreachable");
    dialler.hold = undefined;
    own.clock.now += 60_000;
    const way = await ForwardClient.greet(client, OTHER_URL);
    dialler.last?.pause();
    const ping = sealFor(way.hello, { type: "PING" });
    refused(await way.pass(ping.sealed), "unreachable");
    assert.equal(own.relay.totals.peers, 0);
  }, { own: { forwardWithin: 1 } }));

Deno.test("only URLs of relays are dialled, and of those only the hosts that the rules let", () =>
  withTwoRelays(async (relays) => {
    const client = await enter(relays);
    const urls: [string, "malformed" | "forbidden"][] = [
      ["https://other.example/relay", "malformed"],
      ["https://other.example/", "malformed"],
      ["https://user@other.example", "malformed"],
      ["https://OTHER.example", "malformed"],
      ["ws://other.example", "malformed"],
      ["file:///etc/passwd", "malformed"],
      ["other.example", "malformed"],
      ["", "malformed"],
      ["https://else.example", "forbidden"],
      ["https://bad.friends.example", "forbidden"],
      ["https://bad.friends.example.", "forbidden"],
      ["https://friends.example", "forbidden"],
    ];
    for (const [url, code] of urls) refused(await greeting(client, url), code);
    assert.deepEqual(relays.dialler.dialled, []);
    refused(await greeting(client, "https://a.friends.example"), "unreachable");
    ok(await greeting(client));
  }, {
    hosts: {
      allow: ["other.example", "*.friends.example"],
      deny: ["bad.friends.example"],
    },
  }));

Deno.test("where the dialler never goes is forbidden", () =>
  withTwoRelays(async (relays) => {
    relays.dialler.forbidden = true;
    refused(await greeting(await enter(relays)), "forbidden");
  }));

Deno.test("greeting costs a proof of work, once for each relay and label", () =>
  withTwoRelays(async (relays) => {
    const client = await enter(relays);
    const greet = await ForwardClient.greetCommand(client, OTHER_URL);
    assert.ok(greet.type === "FWD" && greet.about === "greet");
    const lazy: CommandBody = { ...greet, work: unpaid(client, label(0)) };
    assert.deepEqual(
      refused(await client.ask(lazy), "work"),
      Uint8Array.of(12),
    );
    ok(await client.ask(greet));
    ok(await client.ask(lazy));
    const elsewhere: CommandBody = {
      ...greet,
      label: label(1),
      work: unpaid(client, label(1)),
    };
    refused(await client.ask(elsewhere), "work");
    assert.equal(relays.dialler.dialled.length, 1);
  }, { own: { workBits: 12 } }));

/** A nonce that is no work. */
function unpaid({ hello }: RelayClient, label: Uint8Array): bigint {
  const { challenge, workBits: bits } = hello;
  const key = greetingKey({ label, url: encodeUrl(OTHER_URL) });
  let work = 0n;
  while (checkWork({ challenge, type: "FWD", key, bits }, work)) work++;
  return work;
}

Deno.test("a connection forwards to so many relays (peersPerConnection); those that are not there, or there no more, are not counted", () =>
  withTwoRelays(async (relays) => {
    const { dialler, other } = relays;
    const client = await enter(relays);
    for (const name of ["a", "b", "c"]) {
      const url = `https://${name}.example`;
      refused(await greeting(client, url), "unreachable");
    }
    const first = await ForwardClient.greet(client, OTHER_URL);
    const connection = dialler.last;
    for (const name of ["third", "fourth"]) {
      dialler.relays.set(`https://${name}.example`, other.relay);
    }
    const third = await ForwardClient.greet(client, "https://third.example");
    refused(await greeting(client, "https://fourth.example"), "full");
    assert.equal((await ForwardClient.greet(client, OTHER_URL)).handle, 4);
    assert.equal(first.handle, 4);
    connection?.cut();
    ok(await greeting(client, "https://fourth.example"));
    refused(await greeting(client), "full");
    const ping = sealFor(first.hello, { type: "PING" });
    refused(await first.pass(ping.sealed), "unknown-handle");
    assert.equal(codeOf(await third.ask({ type: "PING" })), "unsupported");
  }, { own: { peersPerConnection: 2 } }));

Deno.test("a connection forwards so much in a second (forwardsPerSecond)", () =>
  withTwoRelays(async (relays) => {
    const client = await enter(relays);
    ok(await greeting(client));
    const pass = { type: "FWD", about: "to", handle: 9 } as const;
    const command = { ...pass, sealed: new Uint8Array(502) };
    for (let n = 1; n < 5; n++) {
      refused(await client.ask(command), "unknown-handle");
    }
    refused(await client.ask(command), "rate");
    relays.own.clock.now += 200;
    refused(await client.ask(command), "unknown-handle");
    refused(await client.ask(command), "rate");
    const neighbour = await enter(relays);
    ok(await greeting(neighbour));
  }, { own: { forwardsPerSecond: 5, burstSeconds: 1 } }));

/** Passes on so many commands that the other relay does not hear yet; gives how those fared that were answered. */
async function passed(
  relays: TwoRelays,
  way: ForwardClient,
  count: number,
): Promise<string[]> {
  const outcomes: string[] = [];
  for (let n = 0; n < count; n++) {
    way.pass(sealFor(way.hello, { type: "PING" }).sealed).then(
      (answer) => outcomes.push(answer.type === "ERR" ? answer.code : "OK"),
    );
  }
  ok(await way.own.ask({ type: "PING" }));
  assert.ok(relays.dialler.last);
  return outcomes;
}

Deno.test("a connection waits for so many answers (forwardsUnderWay)", () =>
  withTwoRelays(async (relays) => {
    const way = await ForwardClient.greet(await enter(relays), OTHER_URL);
    relays.dialler.last?.pause();
    assert.deepEqual(await passed(relays, way, 4), ["rate"]);
  }, { own: { forwardsUnderWay: 3 } }));

Deno.test("so much waits for the answers of one relay, of all who forward to it (forwardsPerPeer)", () =>
  withTwoRelays(async (relays) => {
    const [one, two] = await Promise.all(
      [1, 2].map(async () =>
        await ForwardClient.greet(await enter(relays), OTHER_URL)
      ),
    );
    relays.dialler.last?.pause();
    assert.deepEqual(await passed(relays, one, 2), []);
    assert.deepEqual(await passed(relays, two, 2), ["busy"]);
  }, { own: { forwardsPerPeer: 3 } }));

/** Passes on so many commands at once; gives how each of them fared, as that comes. */
function flood(way: ForwardClient, count: number): string[] {
  const outcomes: string[] = [];
  for (let n = 0; n < count; n++) {
    way.pass(sealFor(way.hello, { type: "PING" }).sealed).then(
      (answer) => outcomes.push(answer.type === "ERR" ? answer.code : "OK"),
    );
  }
  return outcomes;
}

const LOW = { peerFramesPerSecond: 20, burstSeconds: 1 };

Deno.test("who floods another relay from here has nobody cut off there who comes by the same one, nor do they wait for it all", () =>
  withTwoRelays(async (relays) => {
    const { own, other, dialler } = relays;
    const ways = await Promise.all(
      [1, 2, 3, 4].map(async () =>
        await ForwardClient.greet(await enter(relays), OTHER_URL)
      ),
    );
    // From the first that is opened on, the other relay knows it for one.
    for (const way of ways) await way.ask({ type: "PING" });
    const [neighbour, ...flooding] = ways;
    const floods = flooding.map((way) => flood(way, 60));
    for (const { own } of flooding) ok(await own.ask({ type: "PING" }));
    let answered: string | undefined;
    neighbour.ask({ type: "PING" }).then((reply) => answered = codeOf(reply));
    const outcomes = () => floods.flat();
    let before = 0;
    while (outcomes().length < 180) {
      // A second holds twenty of them.
      for (const { clock } of [own, other]) clock.now += 50;
      await new Promise((resume) => setTimeout(resume, 1));
      if (answered === undefined) before = outcomes().length;
    }
    assert.equal(answered, "unsupported");
    assert.ok(before < 60, `${before} were before`);
    assert.deepEqual(new Set(outcomes()), new Set(["OK"]));
    assert.equal(dialler.dialled.length, 1);
  }, { own: { ...LOW, forwardsPerSecond: 1_000 }, other: LOW }));

Deno.test("so many bytes of all who forward go to another relay in a second (peerBytesPerSecond)", () =>
  withTwoRelays(async (relays) => {
    const way = await ForwardClient.greet(await enter(relays), OTHER_URL);
    const outcomes = flood(way, 6);
    ok(await way.own.ask({ type: "PING" }));
    ok(await way.own.ask({ type: "PING" }));
    assert.equal(relays.dialler.sent.length, 3);
    relays.own.clock.now += 1_000;
    while (outcomes.length < 6) {
      await new Promise((resume) => setTimeout(resume, 1));
    }
    assert.deepEqual(outcomes, Array(6).fill("OK"));
  }, { own: { peerBytesPerSecond: 3 * 512, burstSeconds: 1 } }));

Deno.test("another relay that stops reading is given no more than it may leave unread; the rest when it reads, or who waits is told that there is no answer", () =>
  withTwoRelays(async (relays) => {
    const { dialler } = relays;
    const way = await ForwardClient.greet(await enter(relays), OTHER_URL);
    dialler.lastFar?.pause();
    const outcomes = flood(way, 20);
    ok(await way.own.ask({ type: "PING" }));
    assert.equal(dialler.last?.bufferedBytes, 9 * 512);
    dialler.lastFar?.resume();
    while (outcomes.length < 20) {
      await new Promise((resume) => setTimeout(resume, 1));
    }
    assert.deepEqual(outcomes, Array(20).fill("OK"));

    dialler.lastFar?.pause();
    const lost = flood(way, 20);
    ok(await way.own.ask({ type: "PING" }));
    dialler.last?.cut();
    while (lost.length < 20) {
      await new Promise((resume) => setTimeout(resume, 1));
    }
    assert.deepEqual(lost, Array(20).fill("unreachable"));
  }, { own: { bufferedBytes: 512, bufferedBytesToClose: 8 * 512 } }));

Deno.test("who has nothing waiting there is heard though others have all that may (forwardsPerPeer)", () =>
  withTwoRelays(async (relays) => {
    const [one, two] = await Promise.all(
      [1, 2].map(async () =>
        await ForwardClient.greet(await enter(relays), OTHER_URL)
      ),
    );
    relays.dialler.last?.pause();
    assert.deepEqual(await passed(relays, one, 4), ["busy"]);
    assert.deepEqual(await passed(relays, two, 2), ["busy"]);
  }, { own: { forwardsPerPeer: 3 } }));

Deno.test("there are so many connections to other relays: an idle one makes room, one in use does not (peers)", () =>
  withTwoRelays(async (relays) => {
    const { own, other, dialler } = relays;
    dialler.relays.set("https://third.example", other.relay);
    const client = await enter(relays);
    const way = await ForwardClient.greet(client, OTHER_URL);
    ok(await greeting(client, "https://third.example"));
    assert.equal(own.relay.totals.peers, 1);
    const ping = sealFor(way.hello, { type: "PING" });
    refused(await way.pass(ping.sealed), "unknown-handle");
    const again = await ForwardClient.greet(client, OTHER_URL);
    dialler.last?.pause();
    assert.deepEqual(await passed(relays, again, 1), []);
    refused(await greeting(client, "https://third.example"), "busy");
  }, { own: { peers: 1 } }));

Deno.test("a connection that nothing goes by is ended after a while (peerIdle), and asked for a sign of life before", () =>
  withTwoRelays(async (relays) => {
    const { own, dialler } = relays;
    const client = await enter(relays);
    const way = await ForwardClient.greet(client, OTHER_URL);
    own.clock.now += 25_000;
    own.relay.sweep();
    assert.equal(dialler.sent.length, 1);
    assert.equal(dialler.sent[0][0], 0x40, "PING");
    assert.equal(codeOf(await way.ask({ type: "PING" })), "unsupported");
    own.clock.now += 99_999;
    own.relay.sweep();
    assert.equal(own.relay.totals.peers, 1);
    assert.equal(codeOf(await way.ask({ type: "PING" })), "unsupported");
    own.clock.now += 100_000;
    own.relay.sweep();
    assert.equal(own.relay.totals.peers, 0);
    ok(await greeting(client));
  }, { own: { peerIdle: 100 } }));

Deno.test("a relay remembers so much of one connection; then it ends it, and another begins (forwardsRemembered)", () =>
  withTwoRelays(async (relays) => {
    const client = await enter(relays);
    const way = await ForwardClient.greet(client, OTHER_URL);
    const ping = { type: "PING" } as const;
    for (let n = 0; n < 3; n++) {
      assert.equal(codeOf(await way.ask(ping)), "unsupported");
    }
    refused(await way.pass(sealFor(way.hello, ping).sealed), "stale");
    refused(await way.pass(sealFor(way.hello, ping).sealed), "unknown-handle");
    const again = await ForwardClient.greet(client, OTHER_URL);
    assert.equal(codeOf(await again.ask(ping)), "unsupported");
  }, { other: { forwardsRemembered: 3 } }));

Deno.test("1,024 commands that were handed in by one connection are under way; one more is busy", () =>
  withTwoRelays(async ({ other }) => {
    const client = await RelayClient.inProcess(other.relay);
    const asked = client.askAll(
      Array.from({ length: 1_025 }, () => ({
        type: "FWD",
        about: "here",
        sealed: randomBytes(502),
      })),
    );
    const codes = (await Promise.all(asked)).map((answer) =>
      answer.type === "ERR" ? answer.code : answer.type
    );
    assert.equal(codes.pop(), "busy");
    assert.deepEqual(new Set(codes), new Set(["stale"]));
    refused(
      await client.ask({
        type: "FWD",
        about: "here",
        sealed: randomBytes(502),
      }),
      "stale",
    );
  }, { other: { framesPerSecond: 10_000 } }));

Deno.test("what nobody sealed costs its sender, and does not count as heard", () =>
  withTwoRelays(async (relays) => {
    const way = await ForwardClient.greet(await enter(relays), OTHER_URL);
    for (let n = 0; n < 5; n++) {
      refused(await way.pass(randomBytes(502)), "stale");
    }
    refused(await way.pass(new Uint8Array(502)), "stale");
    assert.equal(codeOf(await way.ask({ type: "PING" })), "unsupported");
  }, { other: { forwardsRemembered: 1 } }));

Deno.test("another relay's connection is held to rates of its own (peerFramesPerSecond, peerBytesPerSecond)", () =>
  withTwoRelays(async (relays) => {
    const way = await ForwardClient.greet(await enter(relays), OTHER_URL);
    const ask = async () =>
      (await way.pass(sealFor(way.hello, { type: "PING" }).sealed)).type;
    // The first that is opened shows that the connection is another relay's.
    const outcomes = [];
    for (let n = 0; n < 8; n++) outcomes.push(await ask());
    assert.deepEqual(outcomes, [...Array(7).fill("OK"), "ERR"]);
    relays.other.clock.now += 1_000;
    assert.equal(await ask(), "OK");
  }, {
    other: { framesPerSecond: 2, peerFramesPerSecond: 6, burstSeconds: 1 },
  }));

Deno.test("who hands in what was forwarded says nothing else the faster for it", () =>
  withTwoRelays(async (relays) => {
    const client = await RelayClient.inProcess(relays.other.relay);
    const { sealed } = sealFor(client.hello, { type: "PING" });
    ok(await client.ask({ type: "FWD", about: "here", sealed }));
    ok(await client.ask({ type: "PING" }));
    refused(await client.ask({ type: "PING" }), "rate");
    const again = sealFor(client.hello, { type: "PING" }).sealed;
    ok(await client.ask({ type: "FWD", about: "here", sealed: again }));
  }, {
    other: { framesPerSecond: 2, peerFramesPerSecond: 6, burstSeconds: 1 },
  }));

Deno.test("so many bytes of another relay come in a second (peerBytesPerSecond)", () =>
  withTwoRelays(async (relays) => {
    const way = await ForwardClient.greet(await enter(relays), OTHER_URL);
    const outcomes = [];
    for (let n = 0; n < 5; n++) {
      const { sealed } = sealFor(way.hello, { type: "PING" });
      outcomes.push((await way.pass(sealed)).type);
    }
    assert.deepEqual(outcomes, ["OK", "OK", "OK", "OK", "ERR"]);
  }, {
    other: {
      bytesPerSecond: 512,
      peerBytesPerSecond: 3 * 512,
      burstSeconds: 1,
    },
  }));

Deno.test("a relay that stops ends its connections to others, and dials no more", () =>
  withTwoRelays(async (relays) => {
    const { own, other } = relays;
    await ForwardClient.greet(await enter(relays), OTHER_URL);
    assert.equal(other.relay.connections, 1);
    await own.close();
    const deadline = Promise.withResolvers<void>();
    const looking = setInterval(() => {
      if (other.relay.connections === 0) deadline.resolve();
    }, 5);
    await deadline.promise;
    clearInterval(looking);
  }));
