import assert from "node:assert/strict";
import { bytesToHex } from "@noble/hashes/utils.js";
import { queueId } from "../wire/mod.ts";
import { onDisk } from "./testing/on_disk.ts";
import { deviceListOf, otherDevice } from "./testing/other_device.ts";
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
  verifiedFriends,
  withWorld,
} from "./testing/people.ts";
import { accepts, asks, linkOf } from "./testing/links.ts";
import { allSee, beside, together } from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

/** Changes the access key of somebody who is online. Resolves with the new one. */
async function changed(
  world: World,
  person: Person,
  accessKey: string,
): Promise<string> {
  const another = await person.messenger.changeAccessKey(accessKey);
  assert.ok(another.ok, JSON.stringify(another));
  assert.notEqual(another.accessKey, accessKey);
  assert.equal(await done(world, another.commit()), true);
  await online(world, person);
  return another.accessKey;
}

function verificationOf({ messenger }: Person): string {
  return messenger.conversations.value[0].contact.verification;
}

Deno.test("with another access key everything goes on: contacts follow and are told of the new number, the old key finds nothing, the new one brings all back", () =>
  withWorld(async (world) => {
    const { ada, bob } = await verifiedFriends(world);
    const before = (await (await only(bob)).contact.safetyNumber()).groups;
    const next = await changed(world, ada, ada.accessKey);
    await world.until(
      () => verificationOf(bob) === "new-number",
      "Bob is told of another number",
    );
    const numbers = await Promise.all(
      [ada, bob].map(async (person) =>
        (await (await only(person)).contact.safetyNumber()).groups
      ),
    );
    assert.deepEqual(numbers[0], numbers[1]);
    assert.notDeepEqual(numbers[1], before);
    await (await only(bob)).send("two");
    await (await only(ada)).send("three");
    const all = ["one", "two", "three"];
    await sees(world, await only(ada), all);
    await saved(world, ada);
    assert.equal(await backupAtRelay(world, ada.accessKey), undefined);
    const backup = await backupAtRelay(world, next);
    assert.equal(backup?.contacts.length, 1);
    await ada.close();

    const anew = await fresh(world);
    assert.deepEqual(
      await done(world, anew.messenger.logIn(ada.accessKey)),
      { ok: false, reason: "nothing-here" },
    );
    assert.deepEqual(
      await done(world, anew.messenger.comeBack(next, "instead")),
      {
        ok: true,
      },
    );
    await (await only(anew)).send("back");
    await world.until(
      () => {
        const [{ id }] = bob.messenger.conversations.value;
        const messages = bob.messenger.conversation(id)?.messages.value ?? [];
        return textsOf(messages).includes("back");
      },
      "Bob hears who came back",
    );
    // Whose key this is follows from what Bob's backup says, too.
    await saved(world, bob);
    const other = await beside(world, bob);
    const mine = (await (await only(anew)).contact.safetyNumber()).groups;
    const theirs = (await (await only(other)).contact.safetyNumber()).groups;
    assert.deepEqual(theirs, mine);
  }));

Deno.test("what a backup of before the change names is none of the queues that anybody writes to, once contacts have heard", () =>
  withWorld(async (world) => {
    const { ada, bob } = await verifiedFriends(world);
    const before = await backupAtRelay(world, ada.accessKey);
    const [contact] = before?.contacts ?? [];
    const [device] = before?.devices ?? [];
    const named = [
      ...contact.accountQueues.map(({ send }) => queueId(send.publicKey)),
      ...device.queues.filter(({ from }) => from === contact.record.accountId)
        .map(({ id }) => id),
    ].map(bytesToHex);
    assert.equal(named.length, 2);
    const next = await changed(world, ada, ada.accessKey);
    await world.settle(70_000);
    await (await only(bob)).send("two");
    await (await only(ada)).send("three");
    await sees(world, await only(ada), ["one", "two", "three"]);
    await sees(world, await only(bob), ["one", "two", "three"]);
    await saved(world, ada);
    await queuesAre(world, 6);
    const after = await backupAtRelay(world, next);
    assert.equal(after?.contacts[0].accountQueues.length, 1);
    await bob.close();
    const { addresses } = await onDisk(bob);
    assert.equal(addresses.length, 2);
    assert.deepEqual(addresses.filter((name) => named.includes(name)), []);
  }));

Deno.test("the new key opens what is stored here, and the old one does not", () =>
  withWorld(async (world) => {
    const { ada } = await verifiedFriends(world);
    const next = await changed(world, ada, ada.accessKey);
    await ada.messenger.logOut();
    assert.deepEqual(await ada.messenger.logIn(ada.accessKey), {
      ok: false,
      reason: "other-account",
    });
    assert.deepEqual(await ada.messenger.logIn(next), { ok: true });
    assert.deepEqual(textsOf((await only(ada)).messages.value), ["one"]);
  }));

Deno.test("a key can be changed again and again, and whoever was away follows all of it", () =>
  withWorld(async (world) => {
    const { ada, bob } = await verifiedFriends(world);
    await bob.close();
    const keys = [ada.accessKey];
    for (let i = 0; i < 3; i++) {
      keys.push(await changed(world, ada, keys[i]));
    }
    await (await only(ada)).send("two");
    await world.settle();
    await bob.start();
    await sees(world, await only(bob), ["one", "two"]);
    await world.until(
      () => verificationOf(bob) === "new-number",
      "Bob is told of another number",
    );
    await (await only(bob)).send("three");
    await sees(world, await only(ada), ["one", "two", "three"]);
    await saved(world, ada);
    for (const [i, key] of keys.entries()) {
      const there = await backupAtRelay(world, key) !== undefined;
      assert.equal(there, i === 3, `a backup under key ${i}`);
    }
  }));

Deno.test("who is met after a change knows the account by its first id", () =>
  withWorld(async (world) => {
    const { ada, bob } = await verifiedFriends(world);
    await changed(world, ada, ada.accessKey);
    const cleo = await newcomer(world, "Cleo");
    await meet(world, ada, cleo);
    await (await only(cleo)).send("hello");
    const [{ id }] = ada.messenger.conversations.value;
    await sees(world, ada.messenger.conversation(id)!, ["hello"]);
    // Bob meets Ada again by a code: she is who she was.
    await world.settle();
    await ada.messenger.invite.connect(await codeOf(bob));
    await world.until(
      () => bob.messenger.invite.offer.value.at === "failed",
      "Bob hears who it is",
    );
    assert.deepEqual(bob.messenger.invite.offer.value, {
      at: "failed",
      reason: "already-connected",
    });
  }));

Deno.test("who is met by a link after a change knows the account by its first id, and a device stands beside with the new key", () =>
  withWorld(async (world) => {
    const { ada, bob } = await verifiedFriends(world);
    const next = await changed(world, ada, ada.accessKey);
    const cleo = await newcomer(world, "Cleo");
    await asks(world, cleo, await linkOf(world, ada));
    await accepts(world, ada);
    await world.until(
      () => cleo.messenger.conversations.value.length === 1,
      "Cleo is in",
    );
    await (await only(cleo)).send("by a link");
    await saved(world, ada);
    await world.settle();
    const laptop = await beside(
      world,
      Object.assign(ada, { accessKey: next }),
    );
    await world.until(
      () => laptop.messenger.conversations.value.length === 2,
      "the laptop knows both",
    );
    await (await only(bob)).send("to both");
    for (const device of [ada, laptop]) {
      await world.until(
        () =>
          device.messenger.conversations.value.some(({ last }) =>
            last?.body.kind === "text" && last.body.text === "to both"
          ),
        "both devices of Ada hear Bob",
      );
    }
    const { devices } = ada.messenger;
    await world.until(() => devices.list.value.length === 2, "there are two");
    const { id } = devices.list.value[1];
    const removed = await devices.remove(id, next);
    assert.deepEqual(removed, { ok: true });
    await world.until(
      () => laptop.phase === "removed",
      "the laptop is removed with the new key",
    );
  }));

Deno.test("all devices of a contact follow", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await changed(world, bob, bob.accessKey);
    for (const device of [phone, laptop]) {
      await world.until(
        () => verificationOf(device) === "new-number",
        "a device is told of Bob's other number",
      );
    }
    await (await only(bob)).send("to both");
    await sees(world, await only(laptop), ["to both"]);
    await (await only(laptop)).send("from the laptop");
    await allSee(world, [phone, laptop, bob], ["to both", "from the laptop"]);
  }));

Deno.test("whoever has the old key is not heard by contacts who know the new one", () =>
  withWorld(async (world) => {
    const { ada, bob } = await verifiedFriends(world);
    await changed(world, ada, ada.accessKey);
    await (await only(ada)).send("changed");
    await sees(world, await only(bob), ["one", "changed"]);
    await world.until(
      () => verificationOf(bob) === "new-number",
      "Bob is told of another number",
    );
    await (await only(bob)).contact.acknowledge();
    await ada.close();
    const list = await deviceListOf(ada);
    await ada.start();
    // In a list by the old key that follows the last one there is.
    const thief = await otherDevice(world, "Ada", ada.accessKey, list);
    await thief.messenger.invite.connect(await codeOf(bob));
    await world.until(
      () => bob.messenger.invite.offer.value.at === "failed",
      "Bob's program declines the thief",
    );
    assert.deepEqual(bob.messenger.invite.offer.value, {
      at: "failed",
      reason: "device-list",
    });
    await (await only(ada)).send("still me");
    await sees(world, await only(bob), ["one", "changed", "still me"]);
    assert.equal(verificationOf(bob), "unverified");
  }));

Deno.test("a wrong, mistyped or other account's key changes nothing, nor does one that is not committed", () =>
  withWorld(async (world) => {
    const { ada, bob } = await verifiedFriends(world);
    const { accessKey } = ada;
    const wrong = accessKey.startsWith("0") ? "1" : "0";
    const change = (key: string) => ada.messenger.changeAccessKey(key);
    assert.deepEqual(await change("nonsense"), {
      ok: false,
      reason: "malformed",
    });
    assert.deepEqual(await change(wrong + accessKey.slice(1)), {
      ok: false,
      reason: "mistyped",
      group: 1,
    });
    assert.deepEqual(await change(bob.accessKey), {
      ok: false,
      reason: "other-account",
    });
    await ada.messenger.invite.generate();
    assert.deepEqual(await change(accessKey), { ok: false, reason: "invite" });
    await ada.messenger.invite.withdraw();
    const another = await change(accessKey);
    assert.ok(another.ok);
    another.forget();
    await ada.messenger.logOut();
    assert.deepEqual(await ada.messenger.logIn(accessKey), { ok: true });
  }));

Deno.test("a full disk, and a device that comes while the new key is shown, leave the old key as it is, and that is said", () =>
  withWorld(async (world) => {
    const { ada } = await verifiedFriends(world);
    const another = await ada.messenger.changeAccessKey(ada.accessKey);
    assert.ok(another.ok);
    ada.disk.full = true;
    const committed = another.commit();
    await world.until(() => ada.phase === "storage-full", "the disk is full");
    ada.disk.full = false;
    await ada.messenger.retry();
    assert.equal(await done(world, committed), false);
    await online(world, ada);
    await saved(world, ada);

    const late = await ada.messenger.changeAccessKey(ada.accessKey);
    assert.ok(late.ok);
    await beside(world, ada);
    await world.until(
      () => ada.messenger.devices.list.value.length === 2,
      "there is another device",
    );
    assert.equal(await done(world, late.commit()), false);
    await online(world, ada);
    assert.equal(ada.messenger.devices.list.value.length, 2);
    await ada.messenger.logOut();
    for (const { accessKey } of [another, late]) {
      assert.deepEqual(await ada.messenger.logIn(accessKey), {
        ok: false,
        reason: "other-account",
      });
    }
    assert.deepEqual(await ada.messenger.logIn(ada.accessKey), { ok: true });
  }));
