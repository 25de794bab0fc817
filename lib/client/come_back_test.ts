import assert from "node:assert/strict";
import { formatAccessKey, newAccessKey } from "./keys/mod.ts";
import { decodeFrame } from "../wire/mod.ts";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import {
  codeOf,
  done,
  fresh,
  meet,
  newcomer,
  online,
  only,
  queuesAre,
  saved,
  sees,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import {
  allSee,
  beside,
  knowEachOther,
  together,
} from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** Ada, who has met Bob, calls him Robert, has compared the number and switched receipts off. */
async function known(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  const { contact } = await only(ada);
  await contact.rename("Robert");
  await contact.setVerified(true);
  await ada.messenger.settings.setReadReceipts(false);
  await saved(world, ada);
  await world.settle();
  return { ada, bob };
}

Deno.test("the access key alone brings the account back: name, contacts, names, marks and settings", () =>
  withWorld(async (world) => {
    const { ada } = await known(world);
    await ada.messenger.close();
    const anew = await fresh(world);
    const found = await done(world, anew.messenger.logIn(ada.accessKey));
    assert.deepEqual(found, {
      ok: false,
      reason: "found",
      name: "Ada",
      contacts: 1,
      devices: 1,
    });
    assert.equal(anew.phase, "no-account", "nothing is created unasked");
    const back = await done(
      world,
      anew.messenger.comeBack(ada.accessKey, "instead"),
    );
    assert.deepEqual(back, { ok: true });
    assert.equal(anew.phase, "ready");
    assert.equal(anew.messenger.me.value?.name, "Ada");
    assert.equal(anew.messenger.settings.readReceipts.value, false);
    const { state } = (await only(anew)).contact;
    assert.equal(state.value.name, "Robert");
    assert.equal(state.value.chosenName, "Bob");
    assert.equal(state.value.verification, "verified");
    assert.equal(state.value.connected, true);
  }));

Deno.test("contacts follow who came back by themselves, what was under way included", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    const withAda = await only(bob);
    await withAda.send("read");
    // Then it is confirmed, and goes to no device that comes later.
    await world.until(
      () => withAda.messages.value[0]?.state === "delivered",
      "Ada has it",
    );
    await ada.messenger.close();
    await (await only(bob)).send("under way");
    await world.settle();
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    const conversation = await only(anew);
    await conversation.send("I am back");
    await sees(world, conversation, ["under way", "I am back"]);
    await sees(world, await only(bob), ["read", "under way", "I am back"]);
    await (await only(bob)).send("welcome");
    await sees(world, conversation, ["under way", "I am back", "welcome"]);
    assert.equal(conversation.contact.state.value.verification, "verified");
    assert.equal(
      (await only(bob)).contact.state.value.verification,
      "new-device",
    );
    await world.until(
      () => conversation.messages.value[1].state === "delivered",
      "the receipts find their way too",
    );
  }));

Deno.test("a contact who is away follows when they are there again", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    await ada.messenger.close();
    await bob.messenger.close();
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    await (await only(anew)).send("are you there?");
    await world.settle();
    await anew.messenger.close();
    await bob.start();
    await world.settle();
    await anew.start();
    await sees(world, await only(bob), ["are you there?"]);
    await (await only(bob)).send("yes");
    await sees(world, await only(anew), ["are you there?", "yes"]);
  }));

Deno.test("two people who both lost every device find each other by their two access keys", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    await saved(world, bob);
    await ada.messenger.close();
    await bob.messenger.close();
    const [newAda, newBob] = [await fresh(world), await fresh(world)];
    await done(world, newAda.messenger.comeBack(ada.accessKey, "instead"));
    await (await only(newAda)).send("Ada again");
    await world.settle();
    await done(world, newBob.messenger.comeBack(bob.accessKey, "instead"));
    await sees(world, await only(newBob), ["Ada again"]);
    await (await only(newBob)).send("Bob again");
    await sees(world, await only(newAda), ["Ada again", "Bob again"]);
    // And once more, one after the other.
    await saved(world, newAda);
    await newAda.messenger.close();
    const third = await fresh(world);
    await done(world, third.messenger.comeBack(ada.accessKey, "instead"));
    await (await only(third)).send("once more");
    await sees(world, await only(newBob), [
      "Ada again",
      "Bob again",
      "once more",
    ]);
  }));

Deno.test("the devices there were are shut out: they receive nothing more and write no backup", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    await saved(world, anew);
    // Bob's three, the new device's three, and what Ada's account had before.
    await world.settle(70_000);
    await queuesAre(world, 7);
    await (await only(bob)).send("to the new one");
    await sees(world, await only(anew), ["to the new one"]);
    await ada.messenger.settings.setReadReceipts(true);
    await world.until(
      () => ada.messenger.backup.value.at === "failed",
      "the old device is told",
    );
    const { at, ...why } = ada.messenger.backup.value;
    assert.deepEqual([at, why], ["failed", {
      reason: "replaced",
      wentBack: false,
    }]);
    assert.deepEqual((await only(ada)).messages.value, []);
    await attempt(
      world,
      ada,
      async () => (await only(ada)).send("from before"),
    );
    await world.settle();
    await sees(world, await only(bob), ["to the new one"]);
    const backup = await backupAtRelay(world, ada.accessKey);
    assert.equal(backup?.account.settings.readReceipts, false);
    assert.equal(backup?.account.deviceList.version, 2);
  }));

Deno.test("an account queue that was replaced is given up after three weeks", () =>
  withWorld(async (world) => {
    const { ada } = await known(world);
    const anew = await fresh(world);
    await ada.messenger.close();
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    await world.settle(70_000);
    await queuesAre(world, 7);
    world.clock.advance(22 * 86_400_000);
    anew.cut();
    await queuesAre(world, 6);
  }));

Deno.test("an account queue that was replaced is given up after three weeks by who is connected then, too", () =>
  withWorld(async (world) => {
    const { ada } = await known(world);
    const anew = await fresh(world);
    await ada.messenger.close();
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    await world.settle(70_000);
    world.clock.advance(21 * 86_400_000 - 1_800_000);
    await online(world, anew);
    await queuesAre(world, 7);
    await world.settle(3_700_000);
    await queuesAre(world, 6);
  }));

Deno.test("who comes beside the others after one died that was coming back instead of them has the backup with them", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await knowEachOther(world, [phone, laptop]);
    for (const person of [phone, laptop]) await saved(world, person);
    await world.settle();
    const lost = await fresh(world);
    // It has begun another epoch of the backup, and dies before it has written anything in that.
    let begun = false;
    lost.onMoment = (moment) => {
      if (moment.at !== "frame" || moment.way !== "out") return false;
      const dies = begun;
      begun ||= decodeFrame(moment.frame).some(({ type }) => type === "PUT");
      return dies;
    };
    await attempt(
      world,
      lost,
      () => lost.messenger.comeBack(phone.accessKey, "instead"),
    );
    assert.ok(!lost.alive);
    const desk = await beside(world, phone);
    const all = [phone, laptop, desk];
    await knowEachOther(world, all);
    await phone.messenger.settings.setReadReceipts(false);
    for (const { messenger } of all) {
      await world.until(
        () => messenger.settings.readReceipts.value === false,
        "all read what one wrote",
      );
    }
    for (const person of all) await saved(world, person);
    await (await only(bob)).send("to all");
    await allSee(world, all, ["to all"]);
  }));

Deno.test("who comes back after all devices were lost, one of them while it removed another, has a backup again", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await knowEachOther(world, [phone, laptop]);
    await saved(world, phone);
    await world.settle();
    const [{ id }] = laptop.messenger.devices.list.value;
    await laptop.close();
    // It has begun another epoch of the backup, and dies before it has written anything in that.
    let begun = false;
    phone.onMoment = (moment) => {
      if (moment.at !== "frame" || moment.way !== "out") return false;
      const types = decodeFrame(moment.frame).map(({ type }) => type);
      const dies = begun && types.includes("GET");
      begun ||= types.includes("PUT");
      return dies;
    };
    await attempt(
      world,
      phone,
      () => phone.messenger.devices.remove(id, phone.accessKey),
    );
    assert.ok(!phone.alive);
    const anew = await fresh(world);
    const back = await done(
      world,
      anew.messenger.comeBack(phone.accessKey, "instead"),
    );
    assert.deepEqual(back, { ok: true });
    await saved(world, anew);
    const backup = await backupAtRelay(world, phone.accessKey);
    assert.equal(backup?.account.writeKey.epoch, 3);
    assert.equal(backup?.devices.length, 1);
    await (await only(bob)).send("found again");
    await sees(world, await only(anew), ["found again"]);
  }));

Deno.test("without a backup, or without the relay, nothing is created, and the person is told which", () =>
  withWorld(async (world) => {
    const anew = await fresh(world);
    const key = formatAccessKey(newAccessKey());
    const { messenger } = anew;
    const nothing = { ok: false, reason: "nothing-here" };
    assert.deepEqual(await done(world, messenger.logIn(key)), nothing);
    assert.deepEqual(
      await done(world, messenger.comeBack(key, "instead")),
      nothing,
    );
    anew.unreachable = true;
    assert.deepEqual(await done(world, messenger.logIn(key)), {
      ok: false,
      reason: "unreachable",
    });
    assert.equal(anew.phase, "no-account");
    assert.deepEqual(anew.disk.entries(), []);
  }));

Deno.test("a death at any moment of coming back leaves an account that can be come back to", () =>
  withWorld(async (world) => {
    for (let fatal = 0, died = true; died; fatal++) {
      const { ada, bob } = await known(world);
      await ada.messenger.close();
      const anew = await fresh(world);
      let moments = 0;
      died = false;
      anew.onMoment = () => died = died || moments++ === fatal;
      await attempt(
        world,
        anew,
        () => anew.messenger.comeBack(ada.accessKey, "instead"),
      );
      if (anew.alive) await attempt(world, anew, () => saved(world, anew));
      anew.onMoment = undefined;
      if (!anew.alive) await anew.start();
      if (anew.phase === "no-account") {
        await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
      }
      await saved(world, anew);
      assert.equal((await only(anew)).contact.state.value.name, "Robert");
      const backup = await backupAtRelay(world, ada.accessKey);
      assert.equal(backup?.contacts.length, 1);
      // The list may have been written, and the one that it names have died before it was stored here.
      const version = backup?.account.deviceList.version ?? 0;
      assert.ok(version === 2 || version === 3, String(version));
      await anew.close();
      await bob.close();
      if (!died) assert.ok(fatal > 10, String(fatal));
    }
  }));

type Known = Person & { readonly accessKey: string };

/** What goes on while Ada's browser may lose everything; `Cem` is somebody she has not met. */
interface Scene {
  readonly name: string;
  readonly stride: number;
  /** What there is to be before; gives what goes on, which ends when she is gone. */
  prepare(
    world: World,
    people: { ada: Known; bob: Known; cem: Known },
  ): Promise<{
    act(): Promise<void>;
    /** An access key that she was shown besides the one she has. */
    next?: string;
  }>;
}

const SCENES: readonly Scene[] = [{
  name:
    "a browser that loses everything at any moment while she talks comes back with the access key, with everybody who was said to be saved",
  stride: 7,
  prepare: async (world, { ada, bob }) => {
    const [withBob, withAda] = [await only(ada), await only(bob)];
    return {
      act: async () => {
        await attempt(world, ada, () => withBob.send("hello"));
        await withAda.send("hello to you");
        await world.settle();
      },
    };
  },
}, {
  name:
    "a browser that loses everything at any moment while she meets somebody comes back with the access key, with everybody who was said to be saved",
  stride: 13,
  prepare: (world, { ada, cem }) =>
    Promise.resolve({
      act: async () => {
        let code = "";
        await attempt(world, ada, async () => {
          code = await codeOf(ada);
        });
        if (!ada.alive) return;
        await cem.messenger.invite.connect(code);
        await world.until(
          () =>
            !ada.alive || ada.messenger.invite.offer.value.at === "connected",
          "she has met somebody or is gone",
        );
        await world.settle();
      },
    }),
}, {
  name:
    "a browser that loses everything at any moment while she removes another device comes back with the access key, with everybody who was said to be saved",
  stride: 13,
  prepare: async (world, { ada }) => {
    const laptop = await beside(world, ada);
    await knowEachOther(world, [ada, laptop]);
    await world.settle();
    await saved(world, ada);
    const [, { id }] = ada.messenger.devices.list.value;
    return {
      act: async () => {
        const { accessKey, messenger: { devices } } = ada;
        await attempt(world, ada, () => devices.remove(id, accessKey));
        await world.settle();
      },
    };
  },
}, {
  name:
    "a browser that loses everything at any moment while she changes the access key comes back with the access key, with everybody who was said to be saved",
  stride: 7,
  prepare: async (world, { ada }) => {
    const { messenger, accessKey } = ada;
    const next = await done(world, messenger.changeAccessKey(accessKey));
    assert.ok(next.ok);
    return {
      next: next.accessKey,
      act: async () => {
        await attempt(world, ada, () => next.commit());
        await world.settle();
      },
    };
  },
}];

/** Ada's browser loses everything at some moment of a scene; gives whether that was still to come at its end. */
async function wiped(
  world: World,
  { prepare }: Scene,
  fatal: number,
): Promise<boolean> {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  const cem = await newcomer(world, "Cem");
  await meet(world, ada, bob);
  await saved(world, ada);
  await world.settle();
  const { act, next } = await prepare(world, { ada, bob, cem });
  let moments = 0;
  let promised = ["Bob"];
  const look = () => {
    const { backup, conversations } = ada.messenger;
    if (backup.value.at !== "saved") return;
    promised = conversations.value.map(({ contact }) => contact.name);
  };
  ada.onMoment = () => {
    look();
    return moments++ === fatal;
  };
  await act();
  const died = !ada.alive;
  if (!died) look();
  ada.kill();

  const anew = await fresh(world);
  const back = [];
  for (const key of next ? [next, ada.accessKey] : [ada.accessKey]) {
    if (anew.phase === "ready") break;
    back.push(await done(world, anew.messenger.comeBack(key, "instead")));
  }
  assert.deepEqual(back.at(-1), { ok: true });
  await saved(world, anew);
  assert.equal(anew.messenger.me.value?.name, "Ada");
  for (const name of promised) {
    const other = name === "Bob" ? bob : cem;
    const withOther = await conversationWith(anew, name);
    await withOther.send("here I am again");
    await says(world, await only(other), "here I am again");
    await (await only(other)).send("so you are");
    await says(world, withOther, "so you are");
  }
  for (const person of [anew, bob, cem]) await person.close();
  return died;
}

async function conversationWith({ messenger }: Person, name: string) {
  const summary = messenger.conversations.value.find(({ contact }) =>
    contact.name === name
  );
  const conversation = summary && messenger.conversation(summary.id);
  assert.ok(conversation, name);
  await conversation.loadOlder();
  return conversation;
}

/** Until somebody sees this at the end of a conversation. */
const says = (
  world: World,
  { messages }: Awaited<ReturnType<typeof only>>,
  text: string,
) => world.until(() => textsOf(messages.value).at(-1) === text, text);

for (const scene of SCENES) {
  Deno.test(scene.name, () =>
    withWorld(async (world) => {
      let fatal = 0;
      while (await wiped(world, scene, fatal)) {
        fatal += SLOW ? 1 : scene.stride;
      }
      assert.ok(fatal > 8, String(fatal));
    }));
}

Deno.test("a browser that loses everything at any moment after coming back comes back once more, and contacts follow", () =>
  withWorld(async (world) => {
    let fatal = 0;
    for (let died = true; died; fatal += SLOW ? 1 : 11) {
      const { ada, bob } = await known(world);
      await ada.messenger.close();
      const first = await fresh(world);
      let moments = 0;
      first.onMoment = () => moments++ === fatal;
      await attempt(
        world,
        first,
        () => first.messenger.comeBack(ada.accessKey, "instead"),
      );
      await world.settle();
      died = !first.alive;
      first.kill();
      const anew = await fresh(world);
      const { accessKey } = ada;
      const back = await done(
        world,
        anew.messenger.comeBack(accessKey, "instead"),
      );
      assert.deepEqual(back, { ok: true });
      await (await only(anew)).send("here I am again");
      await says(world, await only(bob), "here I am again");
      await (await only(bob)).send("so you are");
      await says(world, await only(anew), "so you are");
      for (const person of [anew, bob]) await person.close();
    }
    assert.ok(fatal > 20, String(fatal));
  }));
