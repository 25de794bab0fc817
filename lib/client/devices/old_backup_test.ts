import assert from "node:assert/strict";
import {
  done,
  fresh,
  meet,
  newcomer,
  online,
  only,
  saved,
  sees,
  withWorld,
} from "../testing/people.ts";
import { openContact } from "../contact.ts";
import { queueName } from "../queues.ts";
import {
  contactsTable,
  contactTable,
  heardTable,
  laneTable,
  SELF,
  standingTable,
} from "../records.ts";
import { Vault } from "../storage/mod.ts";
import { backupAtRelay } from "../testing/backup_at_relay.ts";
import { HostileDevice } from "../testing/hostile_device.ts";
import { attempt } from "../testing/scenario.ts";
import {
  beside,
  diesBeforeItSends,
  knowEachOther,
  together,
} from "../testing/several_devices.ts";
import { putOnItsWay } from "../testing/say_anything.ts";
import type { Person, World } from "../testing/world.ts";
import { BLOBS, contentsOf, goBack } from "../testing/relay_goes_back.ts";

async function back(
  world: World,
  { messenger }: Person,
  { accessKey }: { accessKey: string },
): Promise<void> {
  const outcome = await done(world, messenger.comeBack(accessKey, "instead"));
  assert.deepEqual(outcome, { ok: true });
}

Deno.test("a relay that gives out an old backup is noticed when a contact is heard from", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await saved(world, ada);
    const before = await contentsOf(world, BLOBS);
    await ada.messenger.settings.setReadReceipts(false);
    await saved(world, ada);
    await (await only(ada)).send("my backup has another version now");
    await world.settle();
    await ada.messenger.close();
    await bob.messenger.close();
    await goBack(world, before, BLOBS);
    const anew = await fresh(world);
    await back(world, anew, ada);
    await saved(world, anew);
    assert.equal(anew.messenger.settings.readReceipts.value, true);
    assert.equal(anew.messenger.backup.value.wentBack, false, "nobody said so");
    await bob.start();
    await world.until(
      () => anew.messenger.backup.value.wentBack,
      "Bob's greeting tells of a later version",
    );
    await saved(world, anew);
    await anew.messenger.close();
    await anew.start();
    const wentBack = () => anew.messenger.backup.value.wentBack;
    assert.equal(wentBack(), true, "until it was seen");
    assert.equal(anew.messenger.standing.value, "current");

    await anew.messenger.putAway("went-back");
    assert.equal(wentBack(), false);
    await online(world, anew);
    // Bob says the same once more, and something is written.
    await bob.messenger.close();
    await bob.start();
    await anew.messenger.settings.setReadReceipts(false);
    await world.settle();
    await saved(world, anew);
    assert.equal(wentBack(), false, "that was seen");
    await anew.messenger.close();
    const then = await contentsOf(world, BLOBS);
    await anew.start();
    assert.equal(wentBack(), false, "also by the next opening");
    await anew.messenger.settings.setDeliveryReceipts(false);
    await online(world, anew);
    await saved(world, anew);
    await goBack(world, then, BLOBS);
    await online(world, anew);
    await anew.messenger.settings.setDeliveryReceipts(true);
    await saved(world, anew);
    assert.equal(wentBack(), true, "it went back once more");
  }));

Deno.test("the same backup as others have heard of is no reason to worry", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await saved(world, ada);
    await (await only(ada)).send("this is the version");
    await world.settle();
    await ada.messenger.close();
    const anew = await fresh(world);
    await back(world, anew, ada);
    await (await only(anew)).send("back");
    await sees(world, await only(bob), ["this is the version", "back"]);
    await world.settle();
    assert.equal(anew.messenger.backup.value.wentBack, false);
    assert.equal(anew.messenger.standing.value, "current");
    assert.equal(bob.messenger.standing.value, "current");
  }));

Deno.test("an own device that tells of the version of the backup that this one has written is no reason to worry", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await together(world);
    await world.settle();
    await phone.messenger.settings.setReadReceipts(false);
    await saved(world, phone);
    await world.settle();
    await laptop.messenger.close();
    const written = await backupAtRelay(world, phone.accessKey);
    assert.ok(written);
    const { version: backupVersion } = written;
    // It has read that, and written nothing since.
    const other = await HostileDevice.of(world, laptop, []);
    const { account: { accountId, device }, siblings } = other.loot;
    const said = (backupVersion: number) =>
      other.puts(siblings, device.id, [
        other.announcement(accountId, device.id, { backupVersion }),
      ]);
    await said(backupVersion);
    await world.settle();
    const { backup } = phone.messenger;
    assert.equal(backup.value.wentBack, false);
    world.clock.advance(1);
    await said(backupVersion + 1);
    await world.until(() => backup.value.wentBack, "a later one is missed");
  }));

Deno.test("who comes back with an old device list learns from a contact that there is another one, and the contact is warned", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await saved(world, ada);
    await ada.messenger.close();
    const before = await contentsOf(world, BLOBS);
    const second = await fresh(world);
    await back(world, second, ada);
    await (await only(second)).send("my second device");
    await sees(world, await only(bob), ["my second device"]);
    const { contact } = await only(bob);
    await contact.setVerified(true);
    await goBack(world, before, BLOBS);
    await online(world, bob);
    const third = await fresh(world);
    await back(world, third, ada);
    await world.until(
      () => third.messenger.standing.value === "forked",
      "the device with the old list hears of the other one",
    );
    assert.equal(contact.state.value.verification, "new-device");
    // Whom Bob knows stays whom he writes to.
    await (await only(bob)).send("for the second");
    await sees(world, await only(second), [
      "my second device",
      "for the second",
    ]);
    assert.deepEqual((await only(third)).messages.value, []);
    await third.messenger.close();
    await third.start();
    const standing = () => third.messenger.standing.value;
    assert.equal(standing(), "forked", "until it was seen");

    await third.messenger.putAway("standing");
    assert.equal(standing(), "current");
    // It has no session with Bob, so it announces itself again, and Bob shows the list that he knows.
    const again = async () => {
      await bob.messenger.close();
      const before = await announcedTo(bob);
      world.clock.advance(86_400_000);
      await bob.start();
      await third.start();
      assert.ok(await announcedSince(world, bob, before) > before);
      await world.settle();
    };
    await third.messenger.close();
    const earlier = await sentToAll(third);
    await again();
    assert.equal(standing(), "current", "that list was seen");
    await third.messenger.close();
    // What Bob shows asks for no answer that he would answer.
    const sent = await sentToAll(third) - earlier;
    assert.ok(sent > 0 && sent <= 3, `${sent} announcements`);
    const vault = await Vault.open(third.disk.platform());
    assert.ok(vault instanceof Vault);
    const seen = await vault.get(standingTable, SELF);
    assert.ok(seen);
    await vault.commit([
      standingTable.put(SELF, { ...seen, lists: ["another list"] }),
    ]);
    await vault.close();
    await again();
    assert.equal(standing(), "forked", "this one was not");
  }));

/** Ada's phone, and a laptop that came after what the relay had `before`; both are closed, and it has that again. */
async function beforeTheLaptop(world: World) {
  const phone = await newcomer(world, "Ada");
  await saved(world, phone);
  await world.settle();
  const before = await contentsOf(world, BLOBS);
  await online(world, phone);
  const laptop = await beside(world, phone);
  await knowEachOther(world, [phone, laptop]);
  // As often as a newcomer writes it, and more.
  for (const on of [false, true, false]) {
    await phone.messenger.settings.setReadReceipts(on);
    await world.settle();
    await saved(world, phone);
  }
  await phone.messenger.close();
  await laptop.messenger.close();
  await goBack(world, before, BLOBS);
  return { phone, laptop };
}

const isForked = (world: World, { messenger }: Person) =>
  world.until(
    () => messenger.standing.value === "forked",
    "a device says that there is another list",
  );

Deno.test("who comes beside the others by an old backup is told so once one of them is heard from, and so is that one", () =>
  withWorld(async (world) => {
    const { phone } = await beforeTheLaptop(world);
    const anew = await beside(world, phone);
    await world.settle();
    assert.equal(anew.messenger.standing.value, "current", "nobody said so");
    await phone.start();
    await isForked(world, phone);
    await isForked(world, anew);
    for (const person of [phone, anew]) {
      await person.messenger.close();
      await person.start();
      assert.equal(person.messenger.standing.value, "forked");
    }
  }));

Deno.test("a device that finds another list in the backup than can be one chain with its own says so", () =>
  withWorld(async (world) => {
    const { phone } = await beforeTheLaptop(world);
    const anew = await fresh(world);
    // From which nobody hears anything.
    diesBeforeItSends(anew);
    const { accessKey } = phone;
    await attempt(
      world,
      anew,
      () => anew.messenger.comeBack(accessKey, "beside"),
    );
    anew.kill();
    await phone.start();
    await online(world, phone);
    await phone.messenger.settings.setReadReceipts(true);
    await isForked(world, phone);
  }));

Deno.test("a relay that goes back is noticed when another own device is heard from", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, phone, bob);
    await saved(world, phone);
    const laptop = await beside(world, phone);
    await knowEachOther(world, [phone, laptop]);
    await (await only(phone)).send("to both");
    await sees(world, await only(laptop), ["to both"]);
    await world.settle();
    await laptop.messenger.close();
    const before = await contentsOf(world);
    await online(world, phone);
    await phone.messenger.settings.setReadReceipts(false);
    await world.settle();
    await saved(world, phone);
    // With what the phone told the laptop of it.
    await goBack(world, before);
    await laptop.start();
    await online(world, laptop);
    await world.settle();
    assert.equal(laptop.messenger.backup.value.wentBack, false);
    await online(world, phone);
    await (await only(phone)).send("later than that");
    await sees(world, await only(laptop), ["to both", "later than that"]);
    await world.settle();
    assert.equal(laptop.messenger.backup.value.wentBack, true, "at once");
  }));

/** What was ever sent by the queue that all devices of the one contact read, by somebody who is closed. */
async function sentToAll({ disk }: Person): Promise<number> {
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  const record = await vault.get(contactTable, ids[0]);
  const address = record && (await openContact(record)).accountAddress;
  assert.ok(address);
  const lane = await vault.get(laneTable, queueName(address.send.publicKey));
  await vault.close();
  return lane?.next ?? 0;
}

/** When a device of the one contact last announced itself to somebody who is closed, ms since the epoch; 0: never. */
async function announcedTo({ disk }: Person): Promise<number> {
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  const heard = await vault.get(heardTable, ids[0]);
  await vault.close();
  const told = Object.values(heard?.devices ?? {});
  return Math.max(0, ...told.map(({ announced }) => announced));
}

/** As `announcedTo`, of somebody who is there, once it is later than `before` or the world has rested so often. */
async function announcedSince(
  world: World,
  person: Person,
  before: number,
  mostRests = 20,
): Promise<number> {
  // Signing takes real time on other threads: one rest may come too early.
  for (let rests = 1;; rests++) {
    await world.settle();
    await person.messenger.close();
    const announced = await announcedTo(person);
    await person.start();
    if (announced > before || rests === mostRests) return announced;
  }
}

Deno.test("a contact who says that there is another device list, and has none to show, is asked once an hour and raises no alarm", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await (await only(ada)).send("hello");
    await sees(world, await only(bob), ["hello"]);
    let last = 0;
    for (const version of [1, 2, 0xffff_ffff]) {
      await bob.messenger.close();
      await putOnItsWay(bob, {
        kind: "hello",
        heard: {
          deviceList: { version, hash: new Uint8Array(8).fill(version) },
          backupVersion: 0,
        },
      }, world.clock.now());
      const hours = version === 2 ? 0.5 : 1;
      world.clock.advance(hours * 3_600_000);
      await bob.start();
      // Whoever had another list would answer with it.
      const rests = version === 2 ? 1 : undefined;
      const announced = await announcedSince(world, bob, last, rests);
      assert.equal(ada.messenger.standing.value, "current");
      assert.equal(announced > last, version !== 2, String(version));
      last = announced;
    }
    await (await only(bob)).send("and on it goes");
    await sees(world, await only(ada), ["hello", "and on it goes"]);
  }));
