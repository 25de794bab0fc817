/**
 * A device that was removed, in the hands of somebody whose own program has all that lay in it and all that
 * it was ever given: whatever that gives out again, makes up or fills, the others go on as if it was not there.
 */
import assert from "node:assert/strict";
import { bytesToHex } from "@noble/hashes/utils.js";
import { queueId } from "../wire/mod.ts";
import { cellName, type Cells, DEVICE_KIND } from "./backup/cells.ts";
import { readContents } from "./backup/contents.ts";
import { heldOfDevice } from "./backup/held.ts";
import { ANNOUNCEMENT } from "./content/mod.ts";
import { readAnnouncement } from "./devices/announcement.ts";
import {
  type Address,
  encodeAddress,
  parseAddress,
  verifyDeviceList,
} from "./keys/mod.ts";
import { RelayError } from "./link/mod.ts";
import { bindQueue } from "./queues.ts";
import { accountTable, ownDevicesTable, queueTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { backupAtRelay, onConnection } from "./testing/backup_at_relay.ts";
import { givenTo, HostileDevice, sentIn } from "./testing/hostile_device.ts";
import {
  done,
  meet,
  newcomer,
  only,
  saved,
  withWorld,
} from "./testing/people.ts";
import { allSee, beside, knowEachOther } from "./testing/several_devices.ts";
import { writeAsThief } from "./testing/thiefs_backup.ts";
import type { Person, World } from "./testing/world.ts";

/** Ada with three devices, of which what one is given is kept, and Bob. */
async function threeDevices(world: World) {
  const phone = await newcomer(world, "Ada", { deviceName: "phone" });
  const bob = await newcomer(world, "Bob");
  await meet(world, phone, bob);
  await saved(world, phone);
  const laptop = world.person({ deviceName: "laptop" });
  const given = givenTo(laptop);
  await laptop.start();
  const back = laptop.messenger.comeBack(phone.accessKey, "beside");
  assert.deepEqual(await done(world, back), { ok: true });
  const tablet = await beside(world, phone, { deviceName: "tablet" });
  await knowEachOther(world, [phone, laptop, tablet]);
  await world.settle();
  for (const person of [phone, bob, tablet, laptop]) {
    await (await only(person)).send("before");
    await world.settle();
  }
  await allSee(world, [phone, laptop, tablet, bob], Array(4).fill("before"));
  await (await only(bob)).contact.acknowledge();
  // What is answered once an hour may be answered again.
  world.clock.advance(3_700_000);
  await world.settle();
  return { phone, laptop, tablet, bob, given };
}

function idOf({ messenger }: Person, name: string): number {
  const device = messenger.devices.list.value.find((one) => one.name === name);
  assert.ok(device, name);
  return device.id;
}

async function remove(
  world: World,
  by: Person & { accessKey: string },
  id: number,
): Promise<void> {
  const removal = by.messenger.devices.remove(id, by.accessKey);
  assert.deepEqual(await done(world, removal), { ok: true });
}

/** What a device has on disk about own devices, while it goes on. */
async function ownOnDisk(world: World, { disk }: Person) {
  const copy = world.person();
  copy.disk.copy(disk);
  const vault = await Vault.open(copy.disk.platform());
  assert.ok(vault instanceof Vault);
  const account = await vault.get(accountTable, SELF);
  const devices = await vault.get(ownDevicesTable, SELF);
  assert.ok(account && devices);
  assert.ok(await vault.get(queueTable, devices.queue));
  await vault.close();
  return { account, devices };
}

/** Whether the relay knows a queue to which this leads. */
function leadsAnywhere(world: World, { send: pair }: Pick<Address, "send">) {
  return onConnection(world, async (connection) => {
    const queue = queueId(pair.publicKey);
    try {
      await bindQueue(connection, { role: "send", pair, queue });
      return true;
    } catch (error) {
      const none = error instanceof RelayError &&
        error.code === "no-such-queue";
      if (!none) throw error;
      return false;
    }
  });
}

/** The queue that an address leads to, hex. */
async function queueOf(address: Uint8Array): Promise<string> {
  const { send } = await parseAddress(address);
  return bytesToHex(queueId(send.publicKey));
}

/** What these send to anybody's queue from now on, each once however often it is tried. */
function sentBy(people: readonly Person[]): ReadonlySet<string> {
  const sent = new Set<string>();
  for (const person of people) {
    person.onMoment = (moment) => {
      for (const id of sentIn(moment)) sent.add(id);
      return false;
    };
  }
  return sent;
}

/** What somebody is warned of, and whom they see in which state. */
function warnings({ messenger }: Person) {
  const [{ contact }] = [messenger.conversations.value[0]];
  return {
    standing: messenger.standing.value,
    wentBack: messenger.backup.value.wentBack,
    verification: contact.verification,
    contacts: messenger.conversations.value.length,
    phase: messenger.phase.value.at,
  };
}

const CALM = {
  standing: "current",
  wentBack: false,
  verification: "unverified",
  contacts: 1,
  phase: "ready",
};

/**
 * Cells about all devices that say what is not so: other names, addresses of this one, no queues. Of itself it
 * says that the others' queues are its own, and such as nobody can delete.
 */
async function forged(
  { loot: { account, own, contact } }: HostileDevice,
  cells: Cells,
  about: readonly number[],
) {
  const { devices } = await readContents(cells, account.accountKey);
  const theirs = devices.filter(({ id }) => id !== account.device.id)
    .flatMap(({ queues }) => queues);
  const [any] = theirs;
  const sealed = { ...any, removeKey: any.removeKey.map((byte) => byte ^ 1) };
  const bobs = queueId(contact.addresses[0].send.publicKey);
  return devices.filter(({ id }) =>
    about.includes(id) || id === account.device.id
  ).map((device) => {
    const mine = device.id === account.device.id;
    const held = heldOfDevice({
      ...device,
      address: mine ? device.address : encodeAddress(own),
      name: `forged ${device.id}`,
      day: 9_999,
      queues: mine
        ? [sealed, { ...any, id: bobs }, ...theirs, ...device.queues]
        : [],
    });
    const name = cellName({ kind: DEVICE_KIND + device.id, subject: NOBODY });
    const { time = 0 } = cells.get(name)?.stamp ?? {};
    return { ...held, stamp: { time: time + 1_000_000, device: 127 } };
  });
}

const NOBODY = new Uint8Array();

Deno.test("whatever somebody does who has all of a removed device, the others hear all of each other, once and in order, and are led and warned nowhere", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet, bob, given } = await threeDevices(world);
    const [phoneId, laptopId, tabletId] = ["phone", "laptop", "tablet"]
      .map((name) => idOf(phone, name));
    await laptop.messenger.close();
    const hostile = await HostileDevice.of(world, laptop, given);
    const { account: { accountId }, contact, siblings } = hostile.loot;
    assert.ok(hostile.heard.length > 10, String(hostile.heard.length));
    assert.equal(hostile.ways.length, 5);

    // While all are there: each of the others puts right what was written of it.
    await writeAsThief(
      world,
      laptop,
      (cells) => forged(hostile, cells, [phoneId, tabletId]),
    );
    await phone.messenger.settings.setReadReceipts(false);
    await world.settle();
    await saved(world, phone);
    await saved(world, tablet);
    const backup = await backupAtRelay(world, phone.accessKey);
    for (const [id, name] of [[phoneId, "phone"], [tabletId, "tablet"]]) {
      const said = backup?.devices.find((device) => device.id === id);
      assert.equal(said?.name, name);
      assert.equal(said?.queues.length, 2);
    }

    // Also to whom it was who said it.
    await hostile.puts(siblings, phoneId, hostile.heard);
    await world.settle();
    for (
      const [person, own] of [[phone, phoneId], [tablet, tabletId]] as const
    ) {
      const { devices: { others } } = await ownOnDisk(world, person);
      assert.equal(others.length, 2);
      assert.ok(others.every(({ id }) => id !== own));
    }

    await tablet.messenger.close();
    const { loot: { queues: [, tabletFromBob] } } = await HostileDevice.of(
      world,
      tablet,
      [],
    );
    await writeAsThief(
      world,
      laptop,
      (cells) => forged(hostile, cells, [phoneId]),
    );
    // What was said to it as one of them.
    await hostile.reads();
    const sent = sentBy([phone, tablet, bob]);
    await remove(world, phone, laptopId);
    await (await only(phone)).send("one");
    await world.settle(20_000);
    const present = (await ownOnDisk(world, phone)).account;
    const list = await verifyDeviceList(present.deviceList, present);
    const before = sent.size;

    // All that it wrote of itself kept nobody from deleting its queue, and led nobody to delete another's.
    const [, fromBob] = hostile.loot.queues;
    assert.equal(await leadsAnywhere(world, fromBob), false);
    assert.equal(await leadsAnywhere(world, tabletFromBob), true);

    await hostile.makesQueues();
    for (const from of [phoneId, laptopId, tabletId]) {
      await hostile.puts(hostile.ways, from, hostile.heard);
    }
    const toOwn = hostile.announcements(accountId, list);
    const toBob = hostile.announcements(contact.accountId, list);
    await hostile.puts(hostile.ways, laptopId, [...toOwn, ...toBob]);
    const text = { kind: "text", text: "forged" } as const;
    for (const to of [phoneId, tabletId]) {
      const epoch = {
        kind: "epoch",
        deviceList: list.bytes,
        epoch: 9,
        key: new Uint8Array(32),
        box: new Uint8Array(81),
        writeSeed: new Uint8Array(32),
      } as const;
      await hostile.puts(siblings, laptopId, [
        ...await hostile.tells(to, epoch),
        ...await hostile.tells(to, { kind: "saved", version: 0x7fff_0000 }),
      ]);
    }
    for (const { id } of contact.deviceList.devices) {
      const { accountId: to, conversation, addresses } = contact;
      const said = await hostile.inSession(to, id, conversation, text);
      assert.equal(said.length, 1);
      await hostile.puts(addresses, laptopId, said);
    }
    await world.settle();
    await (await only(bob)).send("two");
    await (await only(phone)).send("three");
    assert.ok(await hostile.fills(hostile.ways, phoneId) > 400);
    await (await only(bob)).send("four");
    await world.settle(20_000);

    await tablet.start();
    await knowEachOther(world, [phone, tablet]);
    await (await only(tablet)).send("five");
    await world.settle(70_000);
    await (await only(bob)).send("six");
    await (await only(phone)).send("seven");
    const said = ["one", "two", "three", "four", "five", "six", "seven"];
    const texts = [...Array(4).fill("before"), ...said];
    await allSee(world, [phone, tablet, bob], texts);
    await world.settle(70_000);
    await allSee(world, [phone, tablet, bob], texts);
    for (const person of [phone, tablet, bob]) {
      assert.deepEqual(warnings(person), CALM);
    }
    assert.ok(sent.size < before + 200, String(sent.size - before));

    // It heard that it was removed, and where nobody is.
    const told = await hostile.reads();
    // By each of those that stay, at once and when it asked.
    assert.equal(told.length, 4);
    const owner = hostile.loot.account;
    for (const { type, bytes } of told) {
      assert.equal(type, ANNOUNCEMENT);
      const said = await readAnnouncement(bytes, owner, accountId);
      assert.deepEqual(said.deviceList.bytes, list.bytes);
      assert.deepEqual(
        [said.address, said.accountAddress, said.bundles.size],
        [undefined, undefined, 0],
      );
    }

    const [one, two] = [
      await ownOnDisk(world, phone),
      await ownOnDisk(world, tablet),
    ];
    for (const { account } of [one, two]) {
      assert.deepEqual(account.deviceList, list.bytes);
    }
    for (const [{ devices: a }, { devices: b }] of [[one, two], [two, one]]) {
      assert.equal(a.renewed, undefined);
      assert.equal(a.others.length, 1);
      const [{ address, name }] = a.others;
      assert.deepEqual(await queueOf(address), b.queue);
      assert.equal(name, b.name);
    }
    for (const way of [...siblings, ...contact.addresses]) {
      assert.equal(await leadsAnywhere(world, way), false);
    }
  }));
