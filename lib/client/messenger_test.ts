import assert from "node:assert/strict";
import { decodeFrame } from "../wire/mod.ts";
import { NotReadyError } from "./adapters.ts";
import type { Messenger } from "./messenger.ts";
import {
  codeOf,
  meet,
  newcomer,
  online,
  only,
  sees,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import type { Person } from "./testing/world.ts";
import { TextTooLongError } from "./content/mod.ts";

const at = ({ phase }: Messenger): string => phase.value.at;
const summaryOf = ({ messenger }: Person) => messenger.conversations.value[0];

Deno.test("two people meet by a code, talk, and see what was delivered and read", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const [a, b] = [await only(ada), await only(bob)];
    assert.equal(a.name.value, "Bob");
    assert.equal(b.name.value, "Ada");
    assert.equal(a.id, b.id);

    await a.send("Hello Bob");
    assert.equal(a.messages.value[0].state, "sending");
    await sees(world, b, ["Hello Bob"]);
    assert.equal(summaryOf(bob).unread, 1);
    await world.until(
      () => a.messages.value[0].state === "delivered",
      "the message is shown as delivered",
    );
    b.setVisible(true);
    await world.until(
      () => a.messages.value[0].state === "read",
      "the message is shown as read",
    );
    assert.equal(summaryOf(bob).unread, 0);
    await b.send("Hello Ada");
    await sees(world, a, ["Hello Bob", "Hello Ada"]);
    assert.equal(summaryOf(ada).last?.id, a.messages.value[1].id);
  }));

Deno.test("ten messages wait for someone who is away, and come in order", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    await bob.messenger.close();
    const a = await only(ada);
    const texts = Array.from({ length: 10 }, (_, i) => `message ${i}`);
    for (const text of texts) await a.send(text);
    await world.until(
      () => a.messages.value.every(({ state }) => state === "sent"),
      "the relay has all of them",
    );
    await bob.start();
    await sees(world, await only(bob), texts);
    assert.equal(summaryOf(bob).unread, 10);
  }));

Deno.test("what is written while the relay is away goes out when it is back", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.stopRelay();
    const a = await only(ada);
    await a.send("one");
    await a.send("two");
    await world.until(
      () => ada.messenger.connection.value.at === "waiting",
      "it is shown that the relay can't be reached",
    );
    assert.equal(a.messages.value[0].state, "sending");
    await world.startRelay();
    ada.messenger.reconnect();
    await sees(world, await only(bob), ["one", "two"]);
  }));

Deno.test("a message written before the other side has begun the session waits for it", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await bob.messenger.invite.connect(await codeOf(ada));
    // Bob hands over his card and is gone before his first envelope leaves.
    bob.onMoment = (moment) =>
      moment.at === "frame" && moment.way === "out" &&
      decodeFrame(moment.frame).some(({ type }) => type === "SEND");
    await world.until(() => !bob.alive, "Bob is gone");
    await world.until(() => summaryOf(ada) !== undefined, "Ada has met Bob");
    bob.onMoment = undefined;
    const a = await only(ada);
    await a.send("are you there?");
    await world.settle();
    assert.equal(a.messages.value[0].state, "sending");
    await bob.start();
    await world.until(() => summaryOf(bob) !== undefined, "Bob has met Ada");
    await sees(world, await only(bob), ["are you there?"]);
    await world.until(
      () => a.messages.value[0].state === "delivered",
      "it arrived",
    );
  }));

Deno.test("a log-out seals everything until the access key of this account is entered", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await (await only(bob)).send("before");
    await sees(world, await only(ada), ["before"]);
    const { messenger } = ada;
    await messenger.logOut();
    assert.equal(messenger.phase.value.at, "logged-out");
    assert.equal(messenger.me.value, undefined);
    assert.deepEqual(messenger.conversations.value, []);
    await (await only(bob)).send("meanwhile");
    await ada.messenger.close();
    await ada.start();
    assert.equal(ada.phase, "logged-out");
    assert.deepEqual(await ada.messenger.logIn(bob.accessKey), {
      ok: false,
      reason: "other-account",
    });
    const wrong = ada.accessKey[20] === "7" ? "8" : "7";
    const mistyped = ada.accessKey.slice(0, 20) + wrong +
      ada.accessKey.slice(21);
    assert.deepEqual(await ada.messenger.logIn(mistyped), {
      ok: false,
      reason: "mistyped",
      group: 5,
    });
    assert.deepEqual(await ada.messenger.logIn("nonsense"), {
      ok: false,
      reason: "malformed",
    });
    assert.deepEqual(await ada.messenger.logIn(ada.accessKey.toLowerCase()), {
      ok: true,
    });
    assert.equal(ada.messenger.me.value?.name, "Ada");
    await sees(world, await only(ada), ["before", "meanwhile"]);
  }));

Deno.test("an access key finds nothing on a device without an account", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const device = world.person();
    const messenger = await device.start();
    assert.deepEqual(await messenger.logIn(ada.accessKey), {
      ok: false,
      reason: "nothing-here",
    });
  }));

Deno.test("an account exists from its commit on, and there is one", () =>
  withWorld(async (world) => {
    const device = world.person();
    const messenger = await device.start();
    await assert.rejects(messenger.newAccount("   "), RangeError);
    await assert.rejects(messenger.newAccount("x".repeat(65)), RangeError);
    const account = await messenger.newAccount("  Ada ");
    assert.match(account.accessKey, /^([0-9A-Z]{4}-){7}[0-9A-Z]{4}$/u);
    assert.deepEqual(device.disk.entries(), []);
    await Promise.all([account.commit(), account.commit()]);
    assert.equal(messenger.me.value?.name, "Ada");
    await assert.rejects(messenger.newAccount("Eve"), NotReadyError);
  }));

Deno.test("a second tab waits elsewhere until it takes over, and the first lets go", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const first = ada.messenger;
    const second = await ada.openTab();
    assert.equal(at(second), "elsewhere");
    await second.takeOver();
    assert.equal(at(second), "ready");
    assert.equal(at(first), "elsewhere");
    await (await only(bob)).send("which tab?");
    await sees(world, await only(ada), ["which tab?"]);
    await first.takeOver();
    assert.equal(at(second), "elsewhere");
    assert.equal(at(first), "ready");
    await first.close();
  }));

Deno.test("a full disk stops everything, loses nothing, and goes on when asked", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    ada.disk.full = true;
    const a = await only(ada);
    let sent = false;
    const sending = a.send("mine").then(() => sent = true);
    await (await only(bob)).send("theirs");
    await world.settle();
    assert.equal(ada.phase, "storage-full");
    assert.deepEqual(a.messages.value, []);
    await ada.messenger.retry();
    await world.settle();
    assert.equal(ada.phase, "storage-full");
    assert.equal(sent, false);
    ada.disk.full = false;
    await ada.messenger.retry();
    await sending;
    assert.equal(ada.phase, "ready");
    await sees(world, a, ["theirs", "mine"]);
    await sees(world, await only(bob), ["theirs", "mine"]);
  }));

Deno.test("a full disk at the making of an account can be waited out", () =>
  withWorld(async (world) => {
    const device = world.person();
    const messenger = await device.start();
    const account = await messenger.newAccount("Ada");
    device.disk.full = true;
    const committing = account.commit();
    await world.until(
      () => device.phase === "storage-full",
      "the full disk is shown",
    );
    device.disk.full = false;
    await messenger.retry();
    await committing;
    assert.equal(device.phase, "ready");
  }));

Deno.test("a disk that was changed from outside is shown as damaged and left as it is", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await ada.messenger.close();
    await ada.disk.platform().store.commit(
      ada.disk.entries()
        .filter(({ key }) => key.length === 16)
        .map(({ key, value }) => ({
          key,
          value: value.with(-1, value[value.length - 1] ^ 1),
        })),
    );
    const before = ada.disk.entries();
    const messenger = await ada.start();
    assert.deepEqual(messenger.phase.value, {
      at: "failed",
      reason: "damaged",
    });
    assert.deepEqual(ada.disk.entries(), before);
  }));

Deno.test("drafts are kept through a reload, and gone when they are emptied", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    (await only(ada)).setDraft("half a thou");
    (await only(ada)).setDraft("half a thought");
    assert.equal(summaryOf(ada).draft, "half a thought");
    await world.settle();
    ada.kill();
    await ada.start();
    assert.equal((await only(ada)).draft.value, "half a thought");
    (await only(ada)).setDraft("");
    await ada.messenger.close();
    await ada.start();
    assert.equal(summaryOf(ada).draft, "");
  }));

Deno.test("whenever a page ends, what was written is either a draft or a message", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const seen = new Set<string>();
    // Further than the commits there are: the last rounds end by themselves.
    for (let commits = 0; commits < 4; commits++) {
      for (const when of ["before", "after"] as const) {
        const text = `round ${commits}, ${when} the commit`;
        (await only(ada)).setDraft("begun");
        await world.settle();
        let left = commits;
        ada.onMoment = (moment) =>
          moment.at === "commit" && moment.when === when && left-- === 0;
        const conversation = await only(ada);
        conversation.setDraft(text);
        const sending = conversation.send(text).catch(() => undefined);
        assert.equal(conversation.draft.value, "");
        await Promise.all([sending, world.settle()]);
        ada.onMoment = undefined;
        ada.kill();
        await ada.start();
        const again = await only(ada);
        const sent = again.messages.value.filter(({ body }) =>
          body.kind === "text" && body.text === text
        ).length;
        const draft = again.draft.value;
        // The first commit is the draft's: before it there is what was there before.
        const expected = commits === 0 && when === "before" ? "begun" : text;
        assert.equal(draft, sent === 1 ? "" : expected);
        assert.ok(sent <= 1);
        seen.add(draft);
        again.setDraft("");
        await online(world, ada);
      }
    }
    assert.ok(seen.has("") && seen.has("begun") && seen.size === 4);
  }));

Deno.test("receipts that are switched off are not sent, the others are", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const [a, b] = [await only(ada), await only(bob)];
    await bob.messenger.settings.setReadReceipts(false);
    b.setVisible(true);
    await a.send("one");
    const stateOf = (i: number) => a.messages.value[i].state;
    await world.until(() => stateOf(0) === "delivered", "it is delivered");
    await bob.messenger.settings.setDeliveryReceipts(false);
    await a.send("two");
    await sees(world, b, ["one", "two"]);
    await world.settle();
    assert.deepEqual(a.messages.value.map(({ state }) => state), [
      "delivered",
      "sent",
    ]);
    await bob.messenger.close();
    await bob.start();
    assert.equal(bob.messenger.settings.readReceipts.value, false);
    assert.equal(bob.messenger.settings.deliveryReceipts.value, false);
  }));

Deno.test("receipts for many messages go together, in envelopes no larger than a short text's", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    await bob.messenger.close();
    const a = await only(ada);
    for (let i = 0; i < 20; i++) await a.send(String(i));
    await world.settle();
    let sent = 0;
    bob.onMoment = (moment) => {
      if (moment.at !== "frame" || moment.way !== "out") return false;
      assert.equal(moment.frame.length, 512);
      if (moment.frame[0] === 0x12) sent++;
      return false;
    };
    await bob.start();
    await world.until(
      () => a.messages.value.every(({ state }) => state === "delivered"),
      "all are shown as delivered",
    );
    assert.equal(sent, 2);
  }));

Deno.test("older messages are loaded by pages, and new ones come to the end", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const texts = Array.from({ length: 60 }, (_, i) => `${i}`);
    for (const text of texts) await (await only(ada)).send(text);
    await ada.messenger.close();
    await ada.start();
    const [summary] = ada.messenger.conversations.value;
    const a = ada.messenger.conversation(summary.id);
    assert.ok(a);
    await world.until(() => a.messages.value.length > 0, "a page is loaded");
    assert.deepEqual(textsOf(a.messages.value), texts.slice(10));
    assert.equal(a.hasOlder.value, true);
    await a.loadOlder();
    assert.equal(a.hasOlder.value, false);
    await a.send("last");
    assert.deepEqual(textsOf(a.messages.value), [...texts, "last"]);
  }));

Deno.test("the newest conversation comes first", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const cem = await newcomer(world, "Cem");
    await meet(world, ada, bob);
    world.clock.advance(1_000);
    await meet(world, ada, cem);
    const names = () =>
      ada.messenger.conversations.value.map(({ name }) => name);
    assert.deepEqual(names(), ["Cem", "Bob"]);
    world.clock.advance(1_000);
    await (await only(bob)).send("me first");
    await world.until(() => names()[0] === "Bob", "Bob has moved up");
  }));

Deno.test("texts that are empty or too long are refused, and nothing is stored", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const a = await only(ada);
    await assert.rejects(a.send("  \n "), RangeError);
    await assert.rejects(a.send("x".repeat(28_001)), TextTooLongError);
    assert.deepEqual(a.messages.value, []);
    await a.send("x".repeat(28_000));
    await sees(world, await only(bob), ["x".repeat(28_000)]);
  }));

Deno.test("both sides may write at the same time, many times", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const [a, b] = [await only(ada), await only(bob)];
    const numbers = Array.from({ length: 25 }, (_, i) => i);
    await Promise.all(
      numbers.flatMap((i) => [a.send(`a${i}`), b.send(`b${i}`)]),
    );
    await world.until(
      () => [a, b].every(({ messages }) => messages.value.length === 50),
      "both have everything",
    );
    for (const conversation of [a, b]) {
      const texts = textsOf(conversation.messages.value);
      for (const who of ["a", "b"]) {
        const said = texts.filter((text) => text.startsWith(who));
        assert.deepEqual(said, numbers.map((i) => `${who}${i}`));
      }
    }
  }));

Deno.test("someone who is not reached for long is tried again less and less often", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada", {
      random: {
        bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
        fraction: () => 0.5,
      },
    });
    const { connection } = ada.messenger;
    await world.stopRelay();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      await world.until(() => connection.value.at === "waiting", "it waits");
      const state = connection.value;
      assert.equal(state.at, "waiting");
      const wait = state.at === "waiting"
        ? state.retryAt - world.clock.now()
        : 0;
      waits.push(wait);
      world.clock.advance(wait);
    }
    assert.deepEqual(waits, [
      500,
      1_000,
      2_000,
      4_000,
      8_000,
      16_000,
      30_000,
      30_000,
    ]);
    await world.startRelay();
    ada.messenger.reconnect();
    await online(world, ada);
  }));
