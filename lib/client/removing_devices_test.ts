import assert from "node:assert/strict";
import {
  done,
  meet,
  newcomer,
  only,
  queuesAre,
  saved,
  sees,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import { attempt } from "./testing/scenario.ts";
import {
  allSee,
  beside,
  knowEachOther,
  removesUntold,
  together,
} from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

/** The id of the first other device that `person` sees. */
function otherOf({ messenger }: Person): number {
  const other = messenger.devices.list.value.find(({ own }) => !own);
  assert.ok(other);
  return other.id;
}

async function remove(
  world: World,
  by: Person,
  accessKey: string,
  id = otherOf(by),
): Promise<void> {
  const outcome = await done(
    world,
    by.messenger.devices.remove(id, accessKey),
  );
  assert.deepEqual(outcome, { ok: true });
}

const isRemoved = (world: World, person: Person) =>
  world.until(() => person.phase === "removed", "the device is told");

Deno.test("each device lists all of them, and tells of those that come", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada", { deviceName: "phone" });
    await saved(world, phone);
    assert.equal(phone.messenger.devices.list.value.length, 1);
    const laptop = await beside(world, phone, { deviceName: "laptop" });
    const names = ({ messenger }: Person) =>
      messenger.devices.list.value.map(({ name, own }) => [name, own]);
    await world.until(
      () => phone.messenger.devices.list.value[1]?.name === "laptop",
      "the phone knows the laptop",
    );
    assert.deepEqual(names(phone), [["phone", true], ["laptop", false]]);
    assert.deepEqual(names(laptop), [["laptop", true], ["phone", false]]);
    const { news } = phone.messenger.devices;
    assert.deepEqual(news.value, [{ what: "added", name: "laptop" }]);
    assert.deepEqual(laptop.messenger.devices.news.value, []);
    await phone.messenger.devices.dismiss();
    assert.deepEqual(news.value, []);
  }));

Deno.test("a device that is called otherwise is called so on all of them, also on such as come later", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada", { deviceName: "phone" });
    await saved(world, phone);
    const laptop = await beside(world, phone, { deviceName: "laptop" });
    await world.settle();
    const nameOn = ({ messenger }: Person, by: Person) => {
      const [{ id }] = by.messenger.devices.list.value;
      return messenger.devices.list.value.find((device) => device.id === id)
        ?.name;
    };
    await laptop.messenger.devices.rename("  in the study ");
    await world.until(
      () => nameOn(phone, laptop) === "in the study",
      "the phone hears what the laptop is called",
    );
    assert.equal(nameOn(laptop, laptop), "in the study");
    assert.equal(nameOn(laptop, phone), "phone");
    await assert.rejects(laptop.messenger.devices.rename(" "), RangeError);
    await laptop.messenger.close();
    await laptop.start();
    assert.equal(nameOn(laptop, laptop), "in the study");
    await saved(world, laptop);
    const tablet = await beside(world, phone);
    assert.equal(nameOn(tablet, laptop), "in the study");
  }));

Deno.test("a removed device is told and wipes itself; the others and the contacts go on without it", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await (await only(bob)).send("to both");
    await allSee(world, [phone, laptop], ["to both"]);
    await remove(world, phone, phone.accessKey);
    await isRemoved(world, laptop);
    assert.deepEqual(laptop.disk.entries(), []);
    await (await only(bob)).send("to the phone");
    await allSee(world, [phone], ["to both", "to the phone"]);
    await (await only(phone)).send("alone again");
    await allSee(world, [phone, bob], [
      "to both",
      "to the phone",
      "alone again",
    ]);
    assert.equal(phone.messenger.devices.list.value.length, 1);
    await saved(world, phone);
    const backup = await backupAtRelay(world, phone.accessKey);
    assert.equal(backup?.account.writeKey.epoch, 2);
    assert.equal(backup?.account.deviceList.version, 3);
    assert.equal(backup?.contacts[0].accountQueues.length, 1);
    // Bob's three, and the phone's three: nothing is left of the laptop, nor of the account's queue of before.
    await world.settle(70_000);
    await queuesAre(world, 6);
  }));

Deno.test("a device that was away is told that it was removed when it is back, and wipes itself", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await together(world);
    await world.settle();
    await laptop.messenger.close();
    await remove(world, phone, phone.accessKey);
    await world.settle();
    await laptop.start();
    await isRemoved(world, laptop);
    assert.deepEqual(laptop.disk.entries(), []);
    await laptop.messenger.close();
    await laptop.start();
    assert.equal(laptop.phase, "no-account");
  }));

Deno.test("the devices that stay get the keys of the next backup, and tell of the one that went", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    const tablet = await beside(world, phone, { deviceName: "tablet" });
    await world.until(
      () =>
        [phone, laptop].every(({ messenger }) =>
          messenger.devices.list.value.some(({ name }) => name === "tablet")
        ),
      "the others know the tablet",
    );
    await world.settle();
    await laptop.messenger.close();
    const { id = 0 } = phone.messenger.devices.list.value
      .find(({ name }) => name === "tablet") ?? {};
    await remove(world, phone, phone.accessKey, id);
    await isRemoved(world, tablet);
    // Who did it here is not asked whether it was them.
    assert.deepEqual(phone.messenger.devices.news.value.slice(-2), [
      { what: "added", name: "tablet" },
      { what: "removed", name: "tablet", here: true },
    ]);
    await phone.messenger.settings.setReadReceipts(false);
    await saved(world, phone);
    await laptop.start();
    await world.until(
      () => laptop.messenger.settings.readReceipts.value === false,
      "the laptop reads the next backup",
    );
    assert.deepEqual(laptop.messenger.devices.news.value.slice(-2), [
      { what: "added", name: "tablet" },
      { what: "removed", name: "tablet" },
    ]);
    await laptop.messenger.settings.setDeliveryReceipts(false);
    await saved(world, laptop);
    await world.until(
      () => phone.messenger.settings.deliveryReceipts.value === false,
      "and writes it",
    );
    await (await only(bob)).send("to those that are left");
    await allSee(world, [phone, laptop], ["to those that are left"]);
    assert.equal(phone.messenger.devices.list.value.length, 2);
  }));

Deno.test("the keys of the next backup reach a device also when it has heard first of one that came after that", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await together(world);
    await world.settle();
    const tablet = await beside(world, phone);
    await knowEachOther(world, [phone, laptop, tablet]);
    await world.settle();
    await laptop.close();
    const [{ id }] = tablet.messenger.devices.list.value;
    await saved(world, phone);
    await removesUntold(world, phone, id);
    const desk = await beside(world, phone);
    await laptop.start();
    await world.until(
      () =>
        desk.messenger.devices.list.value.every(({ id }) =>
          laptop.messenger.devices.list.value.some((known) => known.id === id)
        ),
      "the laptop has heard of the desk",
    );
    await phone.start();
    await isRemoved(world, tablet);
    await laptop.messenger.settings.setReadReceipts(false);
    await saved(world, laptop);
    await world.until(
      () => phone.messenger.settings.readReceipts.value === false,
      "the laptop writes the next backup",
    );
  }));

Deno.test("removing takes the access key of this account, another device, and the relay", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    const { devices } = phone.messenger;
    const [own, other] = devices.list.value;
    const tried = (id: number, key: string) =>
      done(world, devices.remove(id, key));
    const cem = await newcomer(world, "Cem");
    assert.deepEqual(await tried(other.id, cem.accessKey), {
      ok: false,
      reason: "other-account",
    });
    assert.deepEqual(await tried(other.id, "nonsense"), {
      ok: false,
      reason: "malformed",
    });
    for (const id of [own.id, 99]) {
      assert.deepEqual(await tried(id, phone.accessKey), {
        ok: false,
        reason: "no-such-device",
      });
    }
    phone.unreachable = true;
    phone.cut();
    await world.settle();
    assert.deepEqual(await tried(other.id, phone.accessKey), {
      ok: false,
      reason: "unreachable",
    });
    assert.equal(devices.list.value.length, 2);
    await (await only(bob)).send("still there");
    await sees(world, await only(laptop), ["still there"]);
  }));

Deno.test("own devices whose names look alike are numbered as they came, the same on all of them, until the others go", () =>
  withWorld(async (world) => {
    const called = { deviceName: "Chrome · Linux" };
    const first = await newcomer(world, "Ada", called);
    await saved(world, first);
    const second = await beside(world, first, called);
    await world.settle();
    // Its "o" is of another script.
    const third = await beside(world, first, {
      deviceName: "Chr\u043eme · Linux",
    });
    const own = [first, second, third];
    const shown = ({ messenger }: Person) =>
      messenger.devices.list.value.toSorted((a, b) => a.id - b.id)
        .map(({ name }) => name);
    const all = [
      "Chrome · Linux",
      "Chrome · Linux (2)",
      "Chr\u043eme · Linux (3)",
    ];
    await world.until(
      () => own.every((each) => shown(each).join() === all.join()),
      "all show the same",
    );
    const [, middle, last] = first.messenger.devices.list.value
      .toSorted((a, b) => a.id - b.id);
    assert.equal(last.chosenName, "Chr\u043eme · Linux");
    await remove(world, first, first.accessKey, middle.id);
    await isRemoved(world, second);
    assert.deepEqual(first.messenger.devices.news.value.at(-1), {
      what: "removed",
      name: "Chrome · Linux (2)",
      here: true,
    });
    await world.until(
      () =>
        [first, third].every((each) =>
          shown(each).join() === "Chrome · Linux,Chr\u043eme · Linux (2)"
        ),
      "the number of the one that went is the next one's",
    );
  }));

Deno.test("whoever has a copy of a removed device, its storage and keys, gets nothing new, is not heard, and writes no backup", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await (await only(bob)).send("before the theft");
    await allSee(world, [phone, laptop], ["before the theft"]);
    await world.settle();
    const thief = world.person();
    thief.disk.copy(laptop.disk);
    await remove(world, phone, phone.accessKey);
    // The program in it is honest, and does as it is told; the thief's copy was not told.
    await isRemoved(world, laptop);
    await saved(world, phone);
    await (await only(bob)).send("for the owner");
    await sees(world, await only(phone), ["before the theft", "for the owner"]);

    await thief.start();
    assert.equal(thief.phase, "ready");
    await world.settle();
    await (await only(bob)).send("and this");
    await (await only(phone)).send("and that");
    await attempt(world, thief, async () => (await only(thief)).send("forged"));
    await thief.messenger.settings.setReadReceipts(false);
    await world.until(
      () => thief.messenger.backup.value.at === "failed",
      "the backup refuses the thief",
    );
    await world.settle();
    assert.deepEqual(textsOf((await only(thief)).messages.value), [
      "before the theft",
      "forged",
    ]);
    const heard = [
      "before the theft",
      "for the owner",
      "and this",
      "and that",
    ];
    await sees(world, await only(bob), heard);
    await sees(world, await only(phone), heard);
    assert.equal(phone.messenger.settings.readReceipts.value, true);
    const backup = await backupAtRelay(world, phone.accessKey);
    assert.equal(backup?.account.settings.readReceipts, true);
    assert.equal(backup?.account.deviceList.version, 3);
    // Somebody met from now on is nobody to the thief.
    const cem = await newcomer(world, "Cem");
    await meet(world, phone, cem);
    await world.settle();
    assert.equal(thief.messenger.conversations.value.length, 1);
  }));
