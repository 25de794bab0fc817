/** The past goes from one device of a person to another. */
import assert from "node:assert/strict";
import { decodeFrame } from "../../wire/mod.ts";
import { encodeSync } from "../devices/sync.ts";
import { sessionName } from "../outbox.ts";
import { accountTable, SELF, sessionTable } from "../records.ts";
import { Vault } from "../storage/mod.ts";
import {
  done,
  meet,
  newcomer,
  online,
  only,
  saved,
  textsOf,
  withWorld,
} from "../testing/people.ts";
import { putOnItsWay } from "../testing/say_anything.ts";
import { attempt } from "../testing/scenario.ts";
import { beside } from "../testing/several_devices.ts";
import type { Person, World } from "../testing/world.ts";
import { writeBefore } from "../testing/written_before.ts";
import { encodeHistory } from "./message.ts";
import { historyTable } from "./records.ts";

const said = (count: number) =>
  Array.from({ length: count }, (_, i) => `long ago ${i}`);

/** Ada's phone, on which there is a past with Bob, and a laptop that came later. */
async function apart(world: World, texts: readonly string[]) {
  const phone = await newcomer(world, "Ada", { deviceName: "phone" });
  const bob = await newcomer(world, "Bob");
  await meet(world, phone, bob);
  await saved(world, phone);
  await world.settle();
  await phone.close();
  await writeBefore(phone, texts, world.clock.now());
  await phone.start();
  await online(world, phone);
  const laptop = await beside(world, phone, { deviceName: "laptop" });
  await knowing(world, phone, laptop);
  return { phone, bob, laptop };
}

const knowing = (world: World, phone: Person, laptop: Person) =>
  world.until(
    () =>
      phone.messenger.devices.list.value[1]?.name === "laptop" &&
      laptop.messenger.devices.list.value[1]?.name === "phone",
    "two devices know each other",
  );

/** Longer than relays keep what waits. */
const MONTH_MS = 30 * 86_400_000;

const missed = ({ messenger }: Person) => messenger.devices.missed.value;

const historyOf = ({ messenger }: Person) => messenger.devices.history.value;

async function asked(world: World, phone: Person, laptop: Person) {
  await laptop.messenger.devices.askHistory();
  await world.until(
    () => historyOf(phone).giving.length > 0,
    "the phone is asked",
  );
  return historyOf(phone).giving[0];
}

const ends = (world: World, laptop: Person, at: string) =>
  world.until(
    () => historyOf(laptop).taking?.at === at,
    `it ends: ${at}`,
  );

/** All texts, by scrolling to the beginning. */
async function allOf(person: Person): Promise<string[]> {
  const conversation = await only(person);
  while (conversation.hasOlder.value) await conversation.loadOlder();
  return textsOf(conversation.messages.value);
}

Deno.test("a new device is brought the past by one that was there, in its order and read, and only when the person has confirmed it there", () =>
  withWorld(async (world) => {
    const texts = said(230);
    const { phone, bob, laptop } = await apart(world, texts);
    const request = await asked(world, phone, laptop);
    const [, { id }] = phone.messenger.devices.list.value;
    assert.equal(request.to, id);
    assert.equal(request.at, "asked");
    await world.settle();
    assert.deepEqual(await allOf(laptop), []);
    assert.equal(historyOf(laptop).taking?.at, "asked");
    const told = [bob, phone].map(({ messenger }) =>
      messenger.conversations.value[0].unread
    );

    await phone.messenger.devices.confirmHistory(request.to);
    await ends(world, laptop, "done");
    assert.deepEqual(await allOf(laptop), texts);
    const view = historyOf(laptop).taking;
    assert.deepEqual([view?.taken, view?.total], [230, 230]);
    const [, giver] = laptop.messenger.devices.list.value;
    assert.deepEqual([view?.from, giver.name], [giver.id, "phone"]);
    await world.until(
      () => historyOf(phone).giving.length === 0,
      "the phone is done",
    );
    const [summary] = laptop.messenger.conversations.value;
    assert.equal(summary.unread, 0);
    const own = (await only(laptop)).messages.value.filter(({ mine }) => mine);
    assert.ok(own.every(({ state }) => state === "read"));
    const now = [bob, phone].map(({ messenger }) =>
      messenger.conversations.value[0].unread
    );
    assert.deepEqual(now, told);

    await laptop.messenger.devices.stopHistory();
    assert.equal(historyOf(laptop).taking, undefined);
  }));

Deno.test("a device that came beside others is offered the past until it asks or declines, whatever was said meanwhile; one that was there is not", () =>
  withWorld(async (world) => {
    const { phone, bob, laptop } = await apart(world, said(3));
    await (await only(bob)).send("just now");
    await world.until(
      () => laptop.messenger.conversations.value[0].unread === 1,
      "the laptop has a word of Bob's",
    );
    assert.deepEqual([historyOf(phone).due, historyOf(laptop).due], [
      undefined,
      true,
    ]);
    await laptop.messenger.close();
    await laptop.start();
    assert.equal(historyOf(laptop).due, true);
    await laptop.messenger.devices.stopHistory();
    assert.equal(historyOf(laptop).due, undefined);
    await world.settle();
    assert.deepEqual(historyOf(phone).giving, [], "nobody was asked");

    const tablet = await beside(world, phone, { deviceName: "tablet" });
    assert.equal(historyOf(tablet).due, true);
    await tablet.messenger.devices.askHistory();
    assert.equal(historyOf(tablet).due, undefined);
    await tablet.messenger.devices.stopHistory();
    await tablet.messenger.devices.stopHistory();
    assert.equal(historyOf(tablet).due, undefined);
  }));

Deno.test("the newest come first, never more than a few chunks are on their way, and what is said meanwhile stands behind them", () =>
  withWorld(async (world) => {
    const texts = said(1_000);
    const { phone, bob, laptop } = await apart(world, texts);
    const { to: device } = await asked(world, phone, laptop);
    let ahead = 0;
    const steps: number[] = [];
    laptop.onMoment = (moment) => {
      if (moment.at !== "commit" || moment.when !== "after") return false;
      const taken = historyOf(laptop).taking?.taken ?? 0;
      if (taken > (steps.at(-1) ?? 0)) steps.push(taken);
      // The phone forgets what it gave once all of it is confirmed.
      const [giving] = historyOf(phone).giving;
      if (giving) ahead = Math.max(ahead, taken - giving.given);
      return false;
    };
    await phone.messenger.devices.confirmHistory(device);
    await world.until(() => steps.length >= 2, "some have come");
    const { messages } = await only(laptop);
    assert.equal(textsOf(messages.value).at(-1), "long ago 999");
    await (await only(bob)).send("meanwhile");
    await ends(world, laptop, "done");
    await world.until(
      () =>
        messages.value.at(-1)?.body.kind === "text" &&
        textsOf(messages.value).at(-1) === "meanwhile",
      "what was said meanwhile is there",
    );
    assert.deepEqual(await allOf(laptop), [...texts, "meanwhile"]);
    assert.ok(steps.length >= 4, String(steps));
    assert.ok(ahead <= 4 * 50, `${ahead} are not confirmed`);
  }));

Deno.test("to a device that is away go four chunks and no more; when it is back, the rest", () =>
  withWorld(async (world) => {
    const texts = said(600);
    const { phone, laptop } = await apart(world, texts);
    const { to: device } = await asked(world, phone, laptop);
    await world.settle();
    await laptop.close();
    let sent = 0;
    phone.onMoment = (moment) => {
      if (moment.at !== "frame" || moment.way !== "out") return false;
      sent += decodeFrame(moment.frame)
        .filter(({ type }) => type === "SEND").length;
      return false;
    };
    await phone.messenger.devices.confirmHistory(device);
    await world.settle();
    assert.equal(sent, 1 + 4); // that it begins, and the chunks
    for await (const { value } of world.kv.list({ prefix: [] })) {
      if (!(value instanceof Uint8Array)) continue;
      assert.ok(!new TextDecoder().decode(value).includes("long ago"));
    }
    await laptop.start();
    await ends(world, laptop, "done");
    assert.deepEqual(await allOf(laptop), texts);
  }));

Deno.test("when the session comes apart on the way, what was lost with it comes again", () =>
  withWorld(async (world) => {
    const texts = said(600);
    const { phone, laptop } = await apart(world, texts);
    const { to: device } = await asked(world, phone, laptop);
    await world.settle();
    await laptop.close();
    await phone.messenger.devices.confirmHistory(device);
    await world.until(
      () => historyOf(phone).giving[0].at === "giving",
      "the phone gives",
    );
    await world.settle();
    const vault = await Vault.open(laptop.disk.platform());
    assert.ok(vault instanceof Vault);
    const account = await vault.get(accountTable, SELF);
    const before = await vault.get(historyTable, SELF);
    assert.ok(account);
    const [other] = before?.taking?.asked ?? [];
    await vault.commit([
      sessionTable.delete(sessionName(account.accountId, other)),
    ]);
    await vault.close();
    await laptop.start();
    await online(world, laptop);
    await ends(world, laptop, "done");
    assert.deepEqual(await allOf(laptop), texts);
  }));

Deno.test("who is refused gets nothing, and may ask again", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await apart(world, said(10));
    const { to: device } = await asked(world, phone, laptop);
    await phone.messenger.devices.refuseHistory(device);
    await ends(world, laptop, "refused");
    assert.deepEqual(await allOf(laptop), []);
    assert.deepEqual(historyOf(phone).giving, []);
    await asked(world, phone, laptop);
    await phone.messenger.devices.confirmHistory(device);
    await ends(world, laptop, "done");
    assert.deepEqual(await allOf(laptop), said(10));
  }));

Deno.test("either side can stop it, and what has come stays; asked again, the rest comes", () =>
  withWorld(async (world) => {
    const texts = said(1_000);
    const { phone, laptop } = await apart(world, texts);
    for (const who of ["phone", "laptop"] as const) {
      const { to: device } = await asked(world, phone, laptop);
      await phone.messenger.devices.confirmHistory(device);
      await world.until(
        () => (historyOf(laptop).taking?.taken ?? 0) > 100,
        "some has come",
      );
      if (who === "laptop") await laptop.messenger.devices.stopHistory();
      else await phone.messenger.devices.refuseHistory(device);
      await ends(world, laptop, "stopped");
      await world.until(
        () => historyOf(phone).giving.length === 0,
        "the phone gives no more",
      );
      await world.settle();
      const has = await allOf(laptop);
      assert.ok(has.length > 100 && has.length < 1_000, String(has.length));
      assert.deepEqual(has, texts.slice(-has.length));
      await laptop.messenger.devices.stopHistory();
    }
    const { to: device } = await asked(world, phone, laptop);
    await phone.messenger.devices.confirmHistory(device);
    await ends(world, laptop, "done");
    assert.deepEqual(await allOf(laptop), texts);
  }));

Deno.test("a device that is removed while it is brought the past gets no more of it", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await apart(world, said(1_000));
    const { to: device } = await asked(world, phone, laptop);
    await phone.messenger.devices.confirmHistory(device);
    await world.until(
      () => (historyOf(laptop).taking?.taken ?? 0) > 50,
      "some has come",
    );
    const outcome = await done(
      world,
      phone.messenger.devices.remove(device, phone.accessKey),
    );
    assert.deepEqual(outcome, { ok: true });
    assert.deepEqual(historyOf(phone).giving, []);
    await world.until(
      () => laptop.phase === "removed",
      "the laptop knows that it was removed",
    );
  }));

Deno.test("what nobody answers for two weeks is over, and says so", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await apart(world, said(10));
    await phone.close();
    await laptop.messenger.devices.askHistory();
    await world.settle();
    world.clock.advance(15 * 86_400_000);
    laptop.cut();
    await ends(world, laptop, "expired");
    await phone.start();
    await online(world, phone);
    await world.settle();
    assert.deepEqual(historyOf(phone).giving, []);
  }));

Deno.test("a contact who asks for the past is not heard", () =>
  withWorld(async (world) => {
    const { phone, bob, laptop } = await apart(world, said(10));
    await only(laptop);
    await world.settle();
    await bob.close();
    const now = world.clock.now();
    for (const kind of ["ask", "stopped"] as const) {
      const bytes = encodeHistory({ kind, run: "00".repeat(8) });
      const sync = encodeSync({ kind: "history", bytes });
      await putOnItsWay(bob, { kind: "sync", bytes: sync }, now);
    }
    await putOnItsWay(bob, { kind: "text", text: "it arrives" }, now);
    await bob.start();
    const { messages } = await only(phone);
    await world.until(
      () => textsOf(messages.value).at(-1) === "it arrives",
      "what comes after it arrives",
    );
    await world.settle();
    assert.deepEqual(historyOf(phone), { giving: [] });
    assert.deepEqual(historyOf(laptop), { giving: [], due: true });
  }));

/** It is brought although one of them dies at some moment; gives whether that came to be. */
async function story(
  world: World,
  who: "phone" | "laptop",
  fatal: number,
  texts: readonly string[],
): Promise<boolean> {
  const { phone, laptop, bob } = await apart(world, texts);
  const mortal = { phone, laptop }[who];
  let moments = 0;
  let died = false;
  mortal.onMoment = () => {
    const now = moments++ === fatal;
    died ||= now;
    return now;
  };
  while (true) {
    for (const person of [phone, laptop]) {
      while (!person.alive) await attempt(world, person, () => person.start());
    }
    const { taking } = historyOf(laptop);
    if (taking?.at === "done") break;
    const request = historyOf(phone).giving.find(({ at }) => at === "asked");
    if (!taking) {
      await attempt(
        world,
        laptop,
        () => laptop.messenger.devices.askHistory(),
      );
    } else if (request) {
      await attempt(
        world,
        phone,
        () => phone.messenger.devices.confirmHistory(request.to),
      );
    }
    const dead = () => !phone.alive || !laptop.alive;
    await world.until(
      () =>
        dead() || historyOf(laptop).taking?.at === "done" ||
        historyOf(laptop).taking !== undefined &&
          historyOf(phone).giving.some(({ at }) => at === "asked"),
      "it goes on",
    );
  }
  mortal.onMoment = undefined;
  assert.deepEqual(await allOf(laptop), texts);
  assert.equal(laptop.messenger.conversations.value[0].unread, 0);
  for (const person of [phone, laptop, bob]) await person.close();
  return died;
}

const SLOW = Deno.env.get("SLOW") === "1";

async function withDeathsOf(who: "phone" | "laptop"): Promise<void> {
  await withWorld(async (world) => {
    const texts = said(260);
    let fatal = 0;
    const step = SLOW ? 1 : 13;
    while (await story(world, who, fatal, texts)) fatal += step;
    assert.ok(fatal > 15, String(fatal));
  });
}

Deno.test("a death of the phone at any moment of it neither loses nor doubles anything: it goes on where it was", () =>
  withDeathsOf("phone"));

Deno.test("a death of the laptop at any moment of it neither loses nor doubles anything: it goes on where it was", () =>
  withDeathsOf("laptop"));

Deno.test("a device that was away for longer than its relay keeps anything says so, and another brings what is missing", () =>
  withWorld(async (world) => {
    const { phone, bob, laptop } = await apart(world, []);
    await (await only(bob)).send("before");
    await world.settle();
    await laptop.close();
    await (await only(bob)).send("meanwhile");
    await (await only(phone)).send("on the phone");
    await world.settle();
    world.clock.advance(MONTH_MS);
    await (await only(bob)).send("lately");
    await world.settle();
    await laptop.start();
    await world.until(() => missed(laptop), "the laptop says so");
    const all = ["before", "meanwhile", "on the phone", "lately"];
    await world.settle(70_000);
    assert.deepEqual(await allOf(laptop), ["before", "lately"]);

    const { to } = await asked(world, phone, laptop);
    await phone.messenger.devices.confirmHistory(to);
    await ends(world, laptop, "done");
    assert.deepEqual(await allOf(laptop), all);
    assert.deepEqual(await allOf(phone), all);
    await laptop.messenger.devices.sawMissed();
    assert.equal(missed(laptop), false);
    await laptop.close();
    await laptop.start();
    await online(world, laptop);
    await world.settle();
    assert.equal(missed(laptop), false);
  }));

Deno.test("who has one device is told, too; not who was there in between", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada");
    await world.settle();
    for (let times = 0; times < 3; times++) {
      await phone.close();
      world.clock.advance(MONTH_MS / 3);
      await phone.start();
      await online(world, phone);
      await world.settle();
      assert.equal(missed(phone), false);
    }
    await phone.close();
    world.clock.advance(MONTH_MS);
    await phone.start();
    await world.until(() => missed(phone), "the phone says so");
    await phone.close();
    await phone.start();
    assert.equal(missed(phone), true);
  }));
