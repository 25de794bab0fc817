import assert from "node:assert/strict";
import { formatAccessKey, newAccessKey } from "./keys/mod.ts";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import {
  meet,
  newcomer,
  online,
  only,
  queuesAre,
  sees,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import type { Person, World } from "./testing/world.ts";

async function saved(world: World, { messenger }: Person): Promise<void> {
  await world.until(
    () => messenger.backup.value.at === "saved",
    "a backup is saved",
  );
}

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

/** A device on which nothing is stored, on the way to being Ada's. */
async function fresh(world: World): Promise<Person> {
  const person = world.person();
  await person.start();
  return person;
}

/** Does what may take time of the world's. */
async function done<T>(world: World, action: Promise<T>): Promise<T> {
  let ended = false;
  const watched = action.finally(() => ended = true);
  watched.catch(() => {});
  await world.until(() => ended, "an action comes to its end");
  return await watched;
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
    });
    assert.equal(anew.phase, "no-account", "nothing is created unasked");
    const back = await done(world, anew.messenger.comeBack(ada.accessKey));
    assert.deepEqual(back, { ok: true });
    assert.equal(anew.phase, "ready");
    assert.equal(anew.messenger.me.value?.name, "Ada");
    assert.equal(anew.messenger.settings.readReceipts.value, false);
    const { state } = (await only(anew)).contact;
    assert.equal(state.value.name, "Robert");
    assert.equal(state.value.chosenName, "Bob");
    assert.equal(state.value.verification, "verified");
    assert.equal(state.value.connected, false);
  }));

Deno.test("who came back is met anew by a code, and is seen to have another device", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    await (await only(bob)).send("before");
    await world.settle();
    await ada.messenger.close();
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey));
    await online(world, anew);
    await meet(world, anew, bob);
    await (await only(bob)).send("after");
    const conversation = await only(anew);
    await sees(world, conversation, ["after"]);
    assert.equal(conversation.contact.state.value.name, "Robert");
    assert.equal(conversation.contact.state.value.verification, "verified");
    assert.equal(
      (await only(bob)).contact.state.value.verification,
      "new-device",
    );
  }));

Deno.test("the devices there were are shut out: they receive nothing more and write no backup", () =>
  withWorld(async (world) => {
    const { ada, bob } = await known(world);
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey));
    await saved(world, anew);
    await queuesAre(world, 2); // Bob's
    await (await only(bob)).send("to nobody");
    await world.until(
      () => bob.messenger.conversations.value[0].last?.state === "failed",
      "Bob is told",
    );
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
    const backup = await backupAtRelay(world, ada.accessKey);
    assert.equal(backup?.account.settings.readReceipts, false);
    assert.equal(backup?.account.deviceList.version, 2);
  }));

Deno.test("without a backup, or without the relay, nothing is created, and the person is told which", () =>
  withWorld(async (world) => {
    const anew = await fresh(world);
    const key = formatAccessKey(newAccessKey());
    const { messenger } = anew;
    const nothing = { ok: false, reason: "nothing-here" };
    assert.deepEqual(await done(world, messenger.logIn(key)), nothing);
    assert.deepEqual(await done(world, messenger.comeBack(key)), nothing);
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
      await attempt(world, anew, () => anew.messenger.comeBack(ada.accessKey));
      if (anew.alive) await attempt(world, anew, () => saved(world, anew));
      anew.onMoment = undefined;
      if (!anew.alive) await anew.start();
      if (anew.phase === "no-account") {
        await done(world, anew.messenger.comeBack(ada.accessKey));
      }
      await saved(world, anew);
      assert.equal((await only(anew)).contact.state.value.name, "Robert");
      const backup = await backupAtRelay(world, ada.accessKey);
      assert.equal(backup?.contacts.length, 1);
      assert.equal(backup?.account.deviceList.version, 2);
      await anew.close();
      await bob.close();
      if (!died) assert.ok(fatal > 10, String(fatal));
    }
  }));
