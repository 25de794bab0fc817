import assert from "node:assert/strict";
import { safetyNumber } from "../signal/mod.ts";
import {
  deriveAccount,
  type DeviceList,
  newDevice,
  parseAccessKey,
  publicDevice,
  signDeviceList,
} from "./keys/mod.ts";
import {
  accountTable,
  announcedTable,
  contactsTable,
  SELF,
} from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { deviceListOf, otherDevice } from "./testing/other_device.ts";
import {
  codeOf,
  meet,
  newcomer,
  online,
  only,
  saved,
  sees,
  withWorld,
} from "./testing/people.ts";
import { beside } from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

const verificationOf = ({ messenger }: Person) =>
  messenger.conversations.value[0].contact.verification;

async function accountOf({ accessKey }: { accessKey: string }) {
  const reading = parseAccessKey(accessKey);
  assert.ok(reading.ok);
  return await deriveAccount(reading.key);
}

Deno.test("two people see the same sixty digits, those of their account keys", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const a = await (await only(ada)).contact.safetyNumber();
    const b = await (await only(bob)).contact.safetyNumber();
    assert.deepEqual(a.groups, b.groups);
    assert.equal(a.groups.length, 12);
    assert.ok(a.groups.every((group) => /^\d{5}$/u.test(group)));
    const [mine, theirs] = [await accountOf(ada), await accountOf(bob)];
    const expected = await safetyNumber({
      localId: mine.accountId,
      localKey: mine.accountKey.publicKey,
      remoteId: theirs.accountId,
      remoteKey: theirs.accountKey.publicKey,
    });
    assert.equal(a.groups.join(""), expected.displayable);
  }));

Deno.test("scanning the other's code verifies; another code, or none of ours, does not", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const cem = await newcomer(world, "Cem");
    await meet(world, ada, bob);
    const { code } = await (await only(bob)).contact.safetyNumber();
    const { contact } = await only(ada);
    const { code: own } = await contact.safetyNumber();
    await meet(world, bob, cem);
    const { code: another } = await (await only(cem)).contact.safetyNumber();

    assert.equal(await contact.compare(another), "different");
    assert.equal(await contact.compare(own), "different", "one's own screen");
    for (
      const text of ["", "https://example.org", "WHISPER:", "WHISPER:0801"]
    ) {
      assert.equal(await contact.compare(text), "no-number");
    }
    assert.equal(await contact.compare(code.slice(0, -2)), "no-number");
    assert.equal(verificationOf(ada), "unverified");
    assert.equal(await contact.compare(code), "same");
    assert.equal(verificationOf(ada), "verified");
    assert.equal(
      (await only(bob)).contact.state.value.verification,
      "unverified",
      "each compares for themselves",
    );
  }));

Deno.test("a mark is kept through a restart, and can be taken back", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await (await only(ada)).contact.setVerified(true);
    await ada.messenger.close();
    await ada.start();
    assert.equal(verificationOf(ada), "verified");
    await (await only(ada)).contact.setVerified(false);
    assert.equal(verificationOf(ada), "unverified");
  }));

/** Ada has verified Bob, who then lost his device. */
async function bobIsGone(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  await (await only(ada)).contact.setVerified(true);
  await bob.close();
  return { ada, bob, list: await deviceListOf(bob) };
}

Deno.test("a device that the person does not know of withdraws the mark and warns, until it is looked at", () =>
  withWorld(async (world) => {
    const { ada, bob, list } = await bobIsGone(world);
    const { contact } = await only(ada);
    const before = await contact.safetyNumber();
    const newBob = await otherDevice(world, "Bob", bob.accessKey, list);
    await meet(world, newBob, ada);
    assert.equal(verificationOf(ada), "new-device");
    assert.deepEqual(
      await contact.safetyNumber(),
      before,
      "the account is his",
    );
    await ada.messenger.close();
    await ada.start();
    assert.equal(verificationOf(ada), "new-device");

    await (await only(ada)).contact.acknowledge();
    assert.equal(verificationOf(ada), "unverified");
    const { code } = await (await only(newBob)).contact.safetyNumber();
    assert.equal(await (await only(ada)).contact.compare(code), "same");
    assert.equal(verificationOf(ada), "verified");
  }));

Deno.test("nobody meets us as someone we know with a device list that contradicts the known one", () =>
  withWorld(async (world) => {
    const { ada, bob } = await bobIsGone(world);
    // The access key in other hands: a first list beside the first list there was.
    const other = await otherDevice(world, "Bob", bob.accessKey, undefined);
    await ada.messenger.invite.connect(await codeOf(other));
    await world.until(
      () => ada.messenger.invite.join.value.at === "failed",
      "the meeting comes to nothing",
    );
    assert.deepEqual(ada.messenger.invite.join.value, {
      at: "failed",
      reason: "device-list",
    });
    assert.equal(verificationOf(ada), "verified");
  }));

/** Puts another device list on the disk of somebody who is not there. */
async function putList(person: Person, list: DeviceList): Promise<void> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const record = await vault.get(accountTable, SELF);
  assert.ok(record);
  await vault.commit([
    accountTable.put(SELF, { ...record, deviceList: list.bytes }),
  ]);
  await vault.close();
}

/** Has somebody tell the one contact of their device again. */
async function announcesItself(person: Person): Promise<void> {
  await person.messenger.close();
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const contacts = await vault.get(contactsTable, SELF);
  assert.ok(contacts);
  const [id] = contacts.ids;
  await vault.commit([announcedTable.put(id, { version: 0, at: 0 })]);
  await vault.close();
  await person.start();
}

Deno.test("a message of a device that goes by a list beside the known one withdraws the mark and warns, once", () =>
  withWorld(async (world) => {
    const { ada, bob, list } = await bobIsGone(world);
    const { accountId, accountKey } = await accountOf(bob);
    const more = publicDevice(await newDevice(2));
    // The same device, and a list of the same version with one more, which nobody was shown.
    await putList(
      bob,
      signDeviceList({
        accountId,
        accountKey,
        devices: [...list.devices, more],
      }),
    );
    await bob.start();
    await (await only(bob)).send("one");
    await sees(world, await only(ada), ["one"]);
    assert.equal(verificationOf(ada), "new-device");
    await ada.messenger.close();
    await ada.start();
    assert.equal(verificationOf(ada), "new-device");

    await (await only(ada)).contact.acknowledge();
    await online(world, ada);
    await (await only(bob)).send("two");
    await sees(world, await only(ada), ["one", "two"]);
    assert.equal(verificationOf(ada), "unverified");
    await announcesItself(bob);
    await world.settle();
    await (await only(bob)).send("three");
    await sees(world, await only(ada), ["one", "two", "three"]);
    assert.equal(verificationOf(ada), "unverified");
    await (await only(ada)).contact.setVerified(true);
    assert.equal(verificationOf(ada), "verified");
  }));

Deno.test("a message of a device that goes by an earlier list warns of nothing; one that goes by a list beside an earlier one does", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await saved(world, bob);
    await (await only(bob)).send("of the first");
    await sees(world, await only(ada), ["of the first"]);
    const copy = world.person();
    copy.disk.copy(bob.disk);
    const first = await deviceListOf(copy);
    // The third list is by three before it is heard that there was a first.
    for (const text of ["of the second", "of the third"]) {
      const other = await beside(world, bob);
      await world.settle();
      await (await only(bob)).send(text);
      await world.settle();
      await other.close();
    }
    const { contact } = await only(ada);
    await contact.setVerified(true);
    await world.settle();
    const said = ["of the first", "of the second", "of the third"];
    await sees(world, await only(ada), said);

    await bob.close();
    bob.unreachable = true;
    await putList(bob, first);
    await bob.start();
    await (await only(bob)).send("under the first again");
    bob.unreachable = false;
    bob.messenger.reconnect();
    await sees(world, await only(ada), [...said, "under the first again"]);
    assert.equal(verificationOf(ada), "verified");

    await bob.close();
    bob.unreachable = true;
    const { accountId, accountKey } = await accountOf(bob);
    const more = publicDevice(await newDevice(2));
    const devices = [...first.devices, more];
    await putList(bob, signDeviceList({ accountId, accountKey, devices }));
    await bob.start();
    await (await only(bob)).send("under another first");
    bob.unreachable = false;
    bob.messenger.reconnect();
    await sees(world, await only(ada), [
      ...said,
      "under the first again",
      "under another first",
    ]);
    assert.equal(verificationOf(ada), "new-device");
  }));

Deno.test("a device that was removed from someone's list does not come back by meeting us anew", () =>
  withWorld(async (world) => {
    const { ada, bob, list } = await bobIsGone(world);
    const newBob = await otherDevice(world, "Bob", bob.accessKey, list);
    await meet(world, newBob, ada);
    await bob.start();
    await online(world, bob);
    await online(world, ada);
    await ada.messenger.invite.connect(await codeOf(bob));
    await world.until(
      () => ada.messenger.invite.join.value.at === "failed",
      "the meeting comes to nothing",
    );
    assert.deepEqual(ada.messenger.invite.join.value, {
      at: "failed",
      reason: "device-list",
    });
  }));
