import assert from "node:assert/strict";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import {
  done,
  fresh,
  meet,
  newcomer,
  only,
  queuesAre,
  saved,
  sees,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import { HOME, type Person, type World } from "./testing/world.ts";
import type { ConversationView } from "./view.ts";

const OTHER = "https://other.example";

/**
 * Queues at the server that Ada has left: the two of her account, for Bob and Cem; and Bob's three, with two
 * that he has put in the place of such as her earlier device knows.
 */
const LEFT = 7;

/** Every how many moments somebody dies. */
const STEP = Deno.env.get("SLOW") === "1" ? 1 : 13;

/** Ada and Bob at one relay, who have met; and another relay, where Cem is, whom Ada has met. */
async function known(world: World) {
  await world.startOther(OTHER);
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  const cem = await newcomer(world, "Cem", { at: OTHER });
  await meet(world, ada, bob);
  await ada.messenger.invite.generate();
  const offer = ada.messenger.invite.offer.value;
  assert.equal(offer.at, "waiting");
  const code = offer.at === "waiting" ? offer.code : "";
  await cem.messenger.invite.connect(`${code}@relay.example`);
  await world.until(
    () => ada.messenger.conversations.value.length === 2,
    "Ada knows two people",
  );
  await world.until(
    () => cem.messenger.conversations.value.length === 1,
    "Cem knows Ada",
  );
  await backedUp(world, ada.accessKey, 2);
  return { ada, bob, cem };
}

/** Until the backup at the first relay knows so many people. */
async function backedUp(
  world: World,
  accessKey: string,
  contacts: number,
): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    await world.settle();
    const backup = await backupAtRelay(world, accessKey);
    if (backup?.contacts.length === contacts) return;
  }
  assert.fail("the backup does not know them all");
}

async function withName(
  { messenger }: Person,
  name: string,
): Promise<ConversationView> {
  const summary = messenger.conversations.value.find((one) =>
    one.name === name
  );
  const view = messenger.conversation(summary?.id ?? "");
  assert.ok(view, name);
  await view.loadOlder();
  return view;
}

function route({ contact }: ConversationView): string {
  const route = contact.route.value;
  return route.at === "own" ? "own" : route.host;
}

/** On a device that has nothing, at `at`. */
async function moved(
  world: World,
  accessKey: string,
  at: string,
  from: string,
): Promise<Person> {
  const anew = await fresh(world, { at });
  const outcome = await done(world, anew.messenger.moveHere(accessKey, from));
  assert.deepEqual(outcome, { ok: true });
  await world.until(
    () => anew.messenger.connection.value.at === "online",
    "who moved is online",
  );
  return anew;
}

/** Until nothing of the account is left at a relay before but queues that contacts may still use. */
async function backupIsHere(
  world: World,
  accessKey: string,
): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    await world.settle();
    if (await backupAtRelay(world, accessKey) === undefined) return;
  }
  assert.fail("the backup is still at the relay before");
}

Deno.test("an account is found at another server, and nothing changes by looking", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    const before = await world.queues();
    const anew = await fresh(world, { at: OTHER });
    const look = (server: string) =>
      done(world, anew.messenger.findElsewhere(ada.accessKey, server));
    assert.deepEqual(await look("relay.example"), {
      ok: false,
      reason: "found",
      name: "Ada",
      contacts: 2,
      devices: 1,
    });
    assert.deepEqual(
      await look("https://relay.example/chat"),
      await look(HOME),
    );
    assert.deepEqual(await look("other.example"), {
      ok: false,
      reason: "server-is-this",
    });
    assert.deepEqual(await look("nobody.example"), {
      ok: false,
      reason: "server-unreachable",
    });
    for (
      const server of [
        "",
        "user@relay.example",
        "ftp://relay.example",
        "http://foo bar",
        "relay&example",
      ]
    ) {
      assert.deepEqual(await look(server), {
        ok: false,
        reason: "server-malformed",
      });
    }
    const stranger = await newcomer(world, "Stranger", { at: OTHER });
    const nothing = await done(
      world,
      anew.messenger.findElsewhere(stranger.accessKey, HOME),
    );
    assert.deepEqual(nothing, { ok: false, reason: "nothing-here" });
    assert.equal(anew.phase, "no-account");
    assert.deepEqual(anew.disk.entries(), []);
    assert.equal(await world.queues(), before);
    await (await only(bob)).send("still there");
    await sees(world, await withName(ada, "Bob"), ["still there"]);
  }));

Deno.test("who moves takes name, contacts and what was under way along; contacts at both servers follow by themselves", () =>
  withWorld(async (world) => {
    const { ada, bob, cem } = await known(world);
    await ada.messenger.close();
    await (await only(bob)).send("under way from Bob");
    await (await only(cem)).send("under way from Cem");
    await world.settle();
    const anew = await moved(world, ada.accessKey, OTHER, "relay.example");
    assert.equal(anew.messenger.me.value?.name, "Ada");
    const toBob = await withName(anew, "Bob");
    const toCem = await withName(anew, "Cem");
    await sees(world, toBob, ["under way from Bob"]);
    await sees(world, toCem, ["under way from Cem"]);
    assert.equal(route(toBob), "relay.example");
    assert.equal(route(toCem), "own");
    await toBob.send("I have moved");
    await toCem.send("I am where you are");
    await sees(world, await only(bob), ["under way from Bob", "I have moved"]);
    await sees(world, await only(cem), [
      "under way from Cem",
      "I am where you are",
    ]);
    assert.equal(route(await only(bob)), "other.example");
    assert.equal(route(await only(cem)), "own");
    await (await only(bob)).send("welcome");
    await sees(world, toBob, ["under way from Bob", "I have moved", "welcome"]);
    await saved(world, anew);
    await backupIsHere(world, ada.accessKey);
    await world.until(
      () => anew.messenger.left.value.length === 1,
      "the account queues are still read",
    );
    assert.deepEqual(anew.messenger.left.value, [
      { host: "relay.example", reach: "reached" },
    ]);
    await queuesAre(world, LEFT);
  }));

Deno.test("a contact who knows only the queue of before, and has lost everything, is heard at the server that was left", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    await saved(world, bob);
    await ada.messenger.close();
    await bob.messenger.close();
    const newAda = await moved(world, ada.accessKey, OTHER, HOME);
    await (await withName(newAda, "Bob")).send("I have moved");
    await world.settle();
    // What Ada says waits where nobody looks: Bob's backup is from before.
    const newBob = await fresh(world);
    await done(world, newBob.messenger.comeBack(bob.accessKey, "instead"));
    await (await only(newBob)).send("I lost everything");
    for (const view of [await only(newBob), await withName(newAda, "Bob")]) {
      await world.until(
        () => view.messages.value.length === 2,
        "both are there",
      );
      assert.deepEqual(textsOf(view.messages.value).sort(), [
        "I have moved",
        "I lost everything",
      ]);
    }
  }));

Deno.test("two who move at the same time, past each other, find each other", () =>
  withWorld(async (world) => {
    const { ada, cem } = await known(world);
    await world.settle();
    await saved(world, cem);
    await ada.messenger.close();
    await cem.messenger.close();
    const newAda = await moved(world, ada.accessKey, OTHER, HOME);
    const newCem = await moved(world, cem.accessKey, HOME, OTHER);
    await (await withName(newAda, "Cem")).send("from Ada");
    await sees(world, await only(newCem), ["from Ada"]);
    await (await only(newCem)).send("from Cem");
    await sees(world, await withName(newAda, "Cem"), ["from Ada", "from Cem"]);
  }));

Deno.test("after three weeks nothing of the account is left at the server before", () =>
  withWorld(async (world) => {
    const { ada } = await known(world);
    await ada.messenger.close();
    const anew = await moved(world, ada.accessKey, OTHER, HOME);
    await backupIsHere(world, ada.accessKey);
    await anew.messenger.close();
    world.clock.advance(22 * 86_400_000);
    await anew.start();
    await queuesAre(world, 3);
    await world.until(
      () => anew.messenger.left.value.length === 0,
      "nothing is left",
    );
  }));

Deno.test("a server that was left and is away is waited for by name, and nothing is lost", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    await ada.messenger.close();
    const anew = await fresh(world, { at: OTHER });
    await world.stopRelay();
    assert.deepEqual(
      await done(world, anew.messenger.moveHere(ada.accessKey, HOME)),
      { ok: false, reason: "server-unreachable" },
    );
    assert.equal(anew.phase, "no-account");
    assert.deepEqual(anew.disk.entries(), []);
    await world.startRelay();
    await (await only(bob)).send("under way");
    await world.settle();
    await done(world, anew.messenger.moveHere(ada.accessKey, HOME));
    await world.stopRelay();
    await world.until(
      () => anew.messenger.left.value[0]?.reach === "unreachable",
      "who moved is told what is waited for",
    );
    assert.equal(anew.messenger.left.value[0].host, "relay.example");
    await (await withName(anew, "Bob")).send("moved");
    await saved(world, anew);
    await world.startRelay();
    await sees(world, await withName(anew, "Bob"), ["under way", "moved"]);
    await sees(world, await only(bob), ["under way", "moved"]);
    await backupIsHere(world, ada.accessKey);
    await queuesAre(world, LEFT);
  }));

Deno.test("the browser of before receives nothing more, and what it still has opens nothing", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    const anew = await moved(world, ada.accessKey, OTHER, HOME);
    await backupIsHere(world, ada.accessKey);
    await (await withName(anew, "Bob")).send("from the new one");
    await sees(world, await only(bob), ["from the new one"]);
    await (await only(bob)).send("to the new one");
    await sees(world, await withName(anew, "Bob"), [
      "from the new one",
      "to the new one",
    ]);
    await ada.messenger.settings.setReadReceipts(false);
    await world.until(
      () => ada.messenger.backup.value.at === "failed",
      "the one before is told that its backup is gone",
    );
    assert.deepEqual((await withName(ada, "Bob")).messages.value, []);
    await attempt(
      world,
      ada,
      async () => (await withName(ada, "Bob")).send("from before"),
    );
    await world.settle();
    await sees(world, await only(bob), ["from the new one", "to the new one"]);
  }));

Deno.test("each device that was left is told by itself, whether it is open meanwhile or comes later, and what contacts say is at the new one", () =>
  withWorld(async (world) => {
    const { ada, bob, cem } = await known(world);
    const [laptop, tablet] = [await fresh(world), await fresh(world)];
    for (const device of [laptop, tablet]) {
      await done(world, device.messenger.comeBack(ada.accessKey, "beside"));
      await saved(world, device);
    }
    await saved(world, ada);
    await (await only(bob)).send("to all of you");
    await sees(world, await withName(tablet, "Bob"), ["to all of you"]);
    await tablet.close();
    const anew = await moved(world, ada.accessKey, OTHER, HOME);
    await (await only(bob)).send("for the new one");
    await (await only(cem)).send("from the other server");
    for (
      const [name, text] of [
        ["Bob", "for the new one"],
        ["Cem", "from the other server"],
      ]
    ) {
      const { messages } = await withName(anew, name);
      await world.until(
        () => textsOf(messages.value).includes(text),
        `what ${name} says is at the new one`,
      );
    }
    await tablet.start();
    // Those that are open look every ten minutes.
    await world.settle(600_000);
    for (
      const [name, { messenger }] of Object.entries({ ada, laptop, tablet })
    ) {
      await world.until(
        () => messenger.backup.value.at === "failed",
        `${name} is told`,
      );
    }
    await world.settle(60_000);
    // And goes on being told.
    for (const { messenger } of [ada, laptop, tablet]) {
      assert.deepEqual(messenger.backup.value, {
        at: "failed",
        reason: "gone",
        wentBack: false,
      });
    }
  }));

Deno.test("moved back again, with a browser beside: everything follows again, and the last backup stays", () =>
  withWorld(async (world) => {
    const { ada, bob, cem } = await known(world);
    await ada.messenger.close();
    const there = await moved(world, ada.accessKey, OTHER, HOME);
    await (await withName(there, "Bob")).send("away");
    await sees(world, await only(bob), ["away"]);
    await backupIsHere(world, ada.accessKey);
    const back = await moved(world, ada.accessKey, HOME, OTHER);
    await saved(world, back);
    await (await withName(back, "Bob")).send("home");
    await (await withName(back, "Cem")).send("gone home");
    await sees(world, await only(bob), ["away", "home"]);
    await sees(world, await only(cem), ["gone home"]);
    assert.equal(route(await withName(back, "Bob")), "own");
    assert.equal(route(await withName(back, "Cem")), "other.example");
    assert.deepEqual(
      back.messenger.left.value.map(({ host }) => host),
      ["other.example"],
    );
    // The browser that stayed at the other server is started again, and does no harm.
    there.cut();
    await world.settle(60_000);
    const backup = await backupAtRelay(world, ada.accessKey);
    assert.equal(backup?.account.deviceList.version, 3);
    const beside = await fresh(world);
    await done(world, beside.messenger.comeBack(ada.accessKey, "beside"));
    await world.until(
      () => beside.messenger.left.value.length === 1,
      "another browser reads there, too",
    );
    await (await only(cem)).send("to both");
    await sees(world, await withName(beside, "Cem"), ["gone home", "to both"]);
    await world.until(
      () => back.messenger.conversations.value.some(({ unread }) => unread > 0),
      "the first one has it, too",
    );
  }));

Deno.test("with another access key meanwhile, the backup at the server before goes all the same", () =>
  withWorld(async (world) => {
    const { ada } = await known(world);
    await ada.messenger.close();
    const anew = await fresh(world, { at: OTHER });
    await done(world, anew.messenger.moveHere(ada.accessKey, HOME));
    await world.stopRelay();
    await saved(world, anew);
    const another = await anew.messenger.changeAccessKey(ada.accessKey);
    assert.ok(another.ok, JSON.stringify(another));
    assert.equal(await done(world, another.commit()), true);
    await saved(world, anew);
    await world.startRelay();
    await backupIsHere(world, ada.accessKey);
  }));

Deno.test("from a private server one moves away without its password", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = world.person();
    const messenger = await ada.start();
    const account = await messenger.newAccount("Ada");
    await account.commit();
    await world.until(
      () => messenger.connection.value.at === "password",
      "a password is asked for",
    );
    await done(world, messenger.usePassword("correct horse"));
    await saved(world, ada);
    await ada.messenger.close();
    const anew = await moved(world, account.accessKey, OTHER, HOME);
    await saved(world, anew);
    await world.until(
      () => anew.messenger.left.value.length === 0,
      "nothing is left there",
    );
    assert.equal(anew.messenger.me.value?.name, "Ada");
  }, "correct horse"));

Deno.test("a death at any moment of moving leaves the account at one server or the other, and all that follows is done", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    for (let fatal = 0, died = true; died; fatal += STEP) {
      const ada = await newcomer(world, "Ada");
      const bob = await newcomer(world, "Bob");
      await meet(world, ada, bob);
      await backedUp(world, ada.accessKey, 1);
      await ada.messenger.close();
      await (await only(bob)).send("under way");
      const anew = await fresh(world, { at: OTHER });
      let moments = 0;
      died = false;
      anew.onMoment = () => died = died || moments++ === fatal;
      await attempt(
        world,
        anew,
        () => anew.messenger.moveHere(ada.accessKey, HOME),
      );
      if (anew.alive) {
        await attempt(world, anew, () => gone(world, anew, ada.accessKey));
      }
      anew.onMoment = undefined;
      if (!anew.alive) await anew.start();
      if (anew.phase === "no-account") {
        assert.ok(await backupAtRelay(world, ada.accessKey), "still there");
        await done(world, anew.messenger.moveHere(ada.accessKey, HOME));
      }
      await sees(world, await only(anew), ["under way"]);
      await backupIsHere(world, ada.accessKey);
      await anew.close();
      await bob.close();
      if (!died) assert.ok(fatal > 20, String(fatal));
    }
  }));

/** Until the backup has gone from the server before, or the device is dead. */
async function gone(
  world: World,
  person: Person,
  accessKey: string,
): Promise<void> {
  while (person.alive && await backupAtRelay(world, accessKey)) {
    await world.settle();
  }
}

Deno.test("to a private server one moves with its password, which is kept", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada", { at: OTHER });
    await saved(world, ada);
    await ada.messenger.close();
    const anew = await fresh(world);
    const find = (password?: string) =>
      done(world, anew.messenger.findElsewhere(ada.accessKey, OTHER, password));
    const refused = { ok: false, reason: "server-password" };
    assert.deepEqual(await find(), { ...refused, standing: "wanted" });
    assert.deepEqual(await find("wrong"), { ...refused, standing: "wrong" });
    const found = await find("correct horse");
    assert.equal(found.ok === false && found.reason, "found");
    assert.deepEqual(
      await done(
        world,
        anew.messenger.moveHere(ada.accessKey, OTHER, "correct horse"),
      ),
      { ok: true },
    );
    await saved(world, anew);
    assert.equal(anew.messenger.connection.value.at, "online");
    await world.until(
      () => anew.messenger.left.value.length === 0,
      "nothing is left there",
    );
  }, "correct horse"));
