/** Own devices that stay when one is removed: what it knew of them leads nowhere, and nothing of theirs is lost. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes, randomBytes } from "@noble/hashes/utils.js";
import { decodeFrame, queueId } from "../wire/mod.ts";
import {
  type Cell,
  cellName,
  type Cells,
  DEVICE_KIND,
} from "./backup/cells.ts";
import { heldOfDevice } from "./backup/held.ts";
import { ANNOUNCEMENT, openEnvelope, sealEnvelope } from "./content/mod.ts";
import { readAnnouncement, signAnnouncement } from "./devices/announcement.ts";
import {
  type Address,
  addressOf,
  encodeAddress,
  parseAddress,
  parseQueue,
} from "./keys/mod.ts";
import { RelayError } from "./link/mod.ts";
import { openAccount } from "./own_account.ts";
import { bindQueue, bindQueues } from "./queues.ts";
import { accountTable, ownDevicesTable, queueTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { onConnection } from "./testing/backup_at_relay.ts";
import {
  done,
  fresh,
  meet,
  newcomer,
  only,
  queuesAre,
  saved,
  sees,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import {
  allSee,
  beside,
  knowEachOther,
  removesNamed,
  removesUntold,
} from "./testing/several_devices.ts";
import { writeAsThief } from "./testing/thiefs_backup.ts";
import type { Person, World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** Longer than the relay keeps what waits for a device. */
const MONTH_MS = 30 * 86_400_000;

/** What the proof of work may take that has a queue made: longer than until a backup is written and read. */
const WORK_MS = 20_000;

/** Ada with three devices, and Bob. */
async function threeDevices(world: World) {
  const phone = await newcomer(world, "Ada", { deviceName: "phone" });
  const bob = await newcomer(world, "Bob");
  await meet(world, phone, bob);
  await saved(world, phone);
  const laptop = await beside(world, phone, { deviceName: "laptop" });
  const tablet = await beside(world, phone, { deviceName: "tablet" });
  await knowEachOther(world, [phone, laptop, tablet]);
  await world.settle();
  return { phone, laptop, tablet, bob };
}

function idOf({ messenger }: Person, name: string): number {
  const device = messenger.devices.list.value.find((one) => one.name === name);
  assert.ok(device);
  return device.id;
}

type OwnOnDisk = Awaited<ReturnType<typeof ownOnDisk>>;

/** What a device that does not run has on disk about own devices: queues as the relay names them, hex. */
async function ownOnDisk({ disk }: Person) {
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  const account = await vault.get(accountTable, SELF);
  const devices = await vault.get(ownDevicesTable, SELF);
  assert.ok(account && devices);
  const record = await vault.get(queueTable, devices.queue);
  assert.ok(record);
  await vault.close();
  const addresses = await Promise.all(
    devices.others.map(({ address }) => parseAddress(address)),
  );
  return {
    account,
    devices,
    addresses,
    others: addresses.map(nameOf),
    credentials: await parseQueue(record.credentials),
  };
}

function nameOf({ send }: Address): string {
  return bytesToHex(queueId(send.publicKey));
}

/** Whether the relay knows a queue to which this leads. */
function leadsAnywhere(world: World, { send }: Address): Promise<boolean> {
  return onConnection(world, async (connection) => {
    const queue = queueId(send.publicKey);
    try {
      await bindQueue(connection, { role: "send", pair: send, queue });
      return true;
    } catch (error) {
      const none = error instanceof RelayError &&
        error.code === "no-such-queue";
      if (!none) throw error;
      return false;
    }
  });
}

/** Announcements that wait for a device, read by whoever has it, without running it. */
async function waitsAt(
  world: World,
  { credentials: { receive: pair, sealKey }, devices }: OwnOnDisk,
): Promise<Uint8Array[]> {
  const queue = hexToBytes(devices.queue);
  const envelopes = await onConnection(world, async (connection) => {
    const heard: Uint8Array[] = [];
    const binding = {
      role: "receive",
      pair,
      queue,
      generation: 1_000,
    } as const;
    await bindQueues(
      connection,
      [binding],
      (_, handle) =>
        connection.listen(handle, (push) => {
          if (push.type === "MSG") heard.push(push.envelope);
        }),
    );
    await new Promise<void>((resolve) => world.clock.after(1_000, resolve));
    return heard;
  });
  return envelopes.flatMap((envelope) => {
    const { message } = openEnvelope({ sealKey, queue }, envelope);
    return message.type === ANNOUNCEMENT ? [message.bytes] : [];
  });
}

/** Sends an announcement to a device of the account, as if from the device `from`. */
function inject(
  world: World,
  { send: pair, sealKey }: Address,
  from: number,
  bytes: Uint8Array,
): Promise<void> {
  const queue = queueId(pair.publicKey);
  return onConnection(world, async (connection) => {
    const handle = await bindQueue(connection, { role: "send", pair, queue });
    const message = { type: ANNOUNCEMENT, bytes } as const;
    await connection.request({
      type: "SEND",
      handle,
      id: randomBytes(16),
      envelope: sealEnvelope({ sealKey, queue }, from, message),
    });
  });
}

Deno.test("once those that stay have heard of each other, nothing that a removed device knew of them leads anywhere, and nothing is lost", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet, bob } = await threeDevices(world);
    await laptop.messenger.close();
    const { addresses: stolen } = await ownOnDisk(laptop);
    assert.equal(stolen.length, 2);
    for (const address of stolen) {
      assert.equal(await leadsAnywhere(world, address), true);
    }
    // What the tablet says is on its way to where the phone is to receive no more.
    tablet.unreachable = true;
    tablet.cut();
    await (await only(tablet)).send("from the train");
    await removesNamed(world, phone, "laptop");
    await world.settle(70_000);
    const [{ addresses: [old] }] = [await ownOnDisk(laptop)];
    assert.equal(await leadsAnywhere(world, old), true, "the tablet is away");
    tablet.unreachable = false;
    await allSee(world, [phone, tablet, bob], ["from the train"]);
    await world.settle(70_000);
    await (await only(bob)).send("to both");
    await (await only(phone)).send("to you");
    await allSee(world, [phone, tablet, bob], [
      "from the train",
      "to both",
      "to you",
    ]);
    for (const address of stolen) {
      assert.equal(await leadsAnywhere(world, address), false);
    }
    await phone.close();
    await tablet.close();
    const [one, two] = [await ownOnDisk(phone), await ownOnDisk(tablet)];
    assert.deepEqual(one.others, [two.devices.queue]);
    assert.deepEqual(two.others, [one.devices.queue]);
    for (const { devices } of [one, two]) {
      assert.equal(devices.renewed, undefined);
      assert.ok(!stolen.map(nameOf).includes(devices.queue));
    }
    // Bob's three; of Ada's two devices two each, and one of their account; the laptop's own, which is away.
    await queuesAre(world, 9);
  }));

Deno.test("a removed device is told so, and not where the others receive now", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet } = await threeDevices(world);
    await laptop.messenger.close();
    const before = await ownOnDisk(laptop);
    await removesNamed(world, phone, "laptop");
    await world.settle(70_000);
    const { accountId, accountKey } = before.account;
    const owner = { accountId, accountKey };
    const told = await waitsAt(world, before);
    assert.ok(told.length > 0);
    for (const bytes of told) {
      const said = await readAnnouncement(bytes, owner, accountId);
      assert.equal(said.deviceList.devices.length, 2, "it is told");
      assert.equal(said.address, undefined);
    }
    await phone.close();
    await tablet.close();
    const now = [await ownOnDisk(phone), await ownOnDisk(tablet)];
    for (const { devices } of now) {
      assert.ok(!before.others.includes(devices.queue));
    }
  }));

Deno.test("what a removed device was told, or anybody told it before, leads the others nowhere when it gives that out again", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet } = await threeDevices(world);
    await laptop.messenger.close();
    const thief = await ownOnDisk(laptop);
    const phoneBefore = await copied(world, phone);
    const [toPhone, toTablet] = thief.addresses;
    await removesNamed(world, phone, "laptop");
    await world.settle(15_000);
    const account = await openAccount(phoneBefore.account);
    const { accountId, deviceList, device } = account;
    // As the phone may have told it when it came.
    const before = signAnnouncement({
      from: accountId,
      to: accountId,
      time: world.clock.now() + 60_000,
      successions: [],
      deviceList,
      address: toPhone,
      backupVersion: 1,
      bundles: new Map(),
    }, device);
    const told = await waitsAt(world, thief);
    assert.ok(told.length > 0);
    for (const bytes of [...told, before]) {
      await inject(world, toTablet, device.id, bytes);
    }
    // At once: later the backup would say again where the phone is.
    await world.settle(1_000);
    await (await only(tablet)).send("from the tablet");
    await allSee(world, [phone, tablet], ["from the tablet"]);
    await world.settle(70_000);
    await phone.close();
    await tablet.close();
    const [one, two] = [await ownOnDisk(phone), await ownOnDisk(tablet)];
    assert.deepEqual(two.others, [one.devices.queue]);
  }));

Deno.test("a device that writes into the backup where another one receives leads nobody there", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet } = await threeDevices(world);
    const tabletId = idOf(phone, "tablet");
    await tablet.messenger.close();
    const { devices: { queue } } = await ownOnDisk(tablet);
    await laptop.messenger.close();
    await writeAsThief(world, laptop, async (cells) => {
      const own = await ownOnDisk(laptop);
      const relay = { url: "https://relay.example", key: new Uint8Array(32) };
      const cell = cells.get(
        cellName({ kind: DEVICE_KIND + tabletId, subject: new Uint8Array() }),
      );
      assert.ok(cell);
      const said = heldOfDevice({
        id: tabletId,
        address: encodeAddress(addressOf(own.credentials, relay)),
        signature: new Uint8Array(64),
        since: 100,
        name: "tablet",
        day: 1,
        queues: [],
      });
      const time = cell.stamp.time + 1_000;
      return [{ ...said, stamp: { time, device: tabletId } }];
    });
    await phone.messenger.settings.setReadReceipts(false);
    await world.settle();
    await saved(world, phone);
    assert.ok((await copied(world, phone)).others.includes(queue));
    await removesNamed(world, phone, "laptop");
    await tablet.start();
    await knowEachOther(world, [phone, tablet]);
    await world.settle(70_000);
    await (await only(phone)).send("from the phone");
    await allSee(world, [phone, tablet], ["from the phone"]);
  }));

Deno.test("where a device received before is nowhere any more, also when another writes that into the backup as it was signed", () =>
  withWorld(async (world) => {
    const { phone, tablet } = await threeDevices(world);
    const watch = await beside(world, phone, { deviceName: "watch" });
    await world.settle();
    const about = {
      kind: DEVICE_KIND + idOf(phone, "tablet"),
      subject: new Uint8Array(),
    };
    const cellOf = (cells: Cells) => {
      const cell = cells.get(cellName(about));
      assert.ok(cell);
      return cell;
    };
    let before: Cell | undefined;
    await writeAsThief(world, watch, (cells) => {
      before = cellOf(cells);
      return [];
    });
    await removesNamed(world, phone, "laptop");
    await world.settle(70_000);
    await saved(world, watch);
    await writeAsThief(world, watch, (cells) => {
      const { stamp } = cellOf(cells);
      assert.ok(before);
      return [{ ...before, stamp: { ...stamp, time: stamp.time + 1_000 } }];
    });
    await phone.messenger.settings.setReadReceipts(false);
    await world.settle();
    await saved(world, phone);
    const { devices: { queue } } = await copied(world, tablet);
    assert.ok((await copied(world, phone)).others.includes(queue));
    await (await only(phone)).send("from the phone");
    await allSee(world, [phone, tablet, watch], ["from the phone"]);
  }));

Deno.test("a device that was away for a month while another was removed is told when it is back, and goes on", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet } = await threeDevices(world);
    const { addresses: stolen } = await copied(world, laptop);
    await tablet.messenger.close();
    await removesNamed(world, phone, "laptop");
    await world.settle(70_000);
    await phone.messenger.close();
    world.clock.advance(MONTH_MS);
    await phone.start();
    await world.settle(70_000);
    await tablet.start();
    // It is not said to who was away so long; it asks by itself.
    await knowEachOther(world, [phone, tablet]);
    await world.settle(70_000);
    await saved(world, tablet);
    await (await only(tablet)).send("from the tablet");
    await (await only(phone)).send("from the phone");
    for (const person of [phone, tablet]) {
      await sees(world, await only(person), [
        "from the tablet",
        "from the phone",
      ]);
    }
    await world.settle(70_000);
    for (const address of stolen) {
      assert.equal(await leadsAnywhere(world, address), false);
    }
  }));

Deno.test("who changes the access key, and so removes the others, receives elsewhere afterwards", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await threeDevices(world);
    const { addresses: [stolen] } = await copied(world, laptop);
    const next = await done(
      world,
      phone.messenger.changeAccessKey(phone.accessKey),
    );
    assert.ok(next.ok);
    assert.equal(await done(world, next.commit()), true);
    await world.settle(70_000);
    assert.equal(await leadsAnywhere(world, stolen), false);
    await saved(world, phone);
    const tablet = await beside(world, next, { deviceName: "another" });
    await knowEachOther(world, [phone, tablet]);
    await (await only(tablet)).send("from another");
    await allSee(world, [phone, tablet], ["from another"]);
  }));

/** What a device has on disk at this moment, while it goes on. */
async function copied(world: World, { disk }: Person) {
  const thief = world.person();
  thief.disk.copy(disk);
  return await ownOnDisk(thief);
}

Deno.test("no backup says that a device receives where it does not yet, however long it takes to have a queue made, and nothing is lost", () =>
  withWorld(async (world) => {
    // The first backup that says so is the one after the removal, or that of another removal.
    for (const going of [["laptop"], ["laptop", "watch"]]) {
      const { phone, laptop, tablet, bob } = await threeDevices(world);
      const watch = await beside(world, phone, { deviceName: "watch" });
      await knowEachOther(world, [phone, laptop, tablet, watch]);
      await world.settle();
      for (const device of [laptop, tablet, watch]) {
        await device.messenger.close();
      }
      // To write the backup takes no work.
      phone.worksFor = (frame) =>
        decodeFrame(frame).some(({ type }) => type === "NEW") ? WORK_MS : 0;
      for (const name of going) await removesNamed(world, phone, name);
      await world.settle();
      await tablet.start();
      await world.settle();
      await (await only(tablet)).send("from the tablet");
      await allSee(world, [phone, tablet, bob], ["from the tablet"]);
      phone.worksFor = undefined;
      await world.settle(70_000);
      for (const person of [phone, tablet, bob, watch]) await person.close();
      const [one, two] = [await ownOnDisk(phone), await ownOnDisk(tablet)];
      assert.ok(two.others.includes(one.devices.queue));
    }
  }));

/** Ada knows nobody, and has removed her laptop while the tablet is away: the phone receives by two queues. */
async function halfway(world: World) {
  const phone = await newcomer(world, "Ada", { deviceName: "phone" });
  await saved(world, phone);
  const laptop = await beside(world, phone, { deviceName: "laptop" });
  const tablet = await beside(world, phone, { deviceName: "tablet" });
  await knowEachOther(world, [phone, laptop, tablet]);
  await world.settle();
  await tablet.messenger.close();
  await removesNamed(world, phone, "laptop");
  await world.settle(70_000);
  await saved(world, phone);
  // The phone's two, and the tablet's.
  await queuesAre(world, 3);
  return { phone, tablet };
}

/** Comes back with the access key alone, instead of what there was. */
async function instead(
  world: World,
  { accessKey }: { accessKey: string },
): Promise<void> {
  const anew = await fresh(world);
  const back = await done(world, anew.messenger.comeBack(accessKey, "instead"));
  assert.deepEqual(back, { ok: true });
  await saved(world, anew);
}

Deno.test("who comes back instead of devices of which one has yet to hear where the other receives leaves no queue behind", () =>
  withWorld(async (world) => {
    const { phone } = await halfway(world);
    await phone.messenger.close();
    await instead(world, phone);
    await queuesAre(world, 1);
  }));

Deno.test("who changes the access key while a device has yet to hear where this one receives comes back with the next key, and leaves no queue behind", () =>
  withWorld(async (world) => {
    const { phone, tablet } = await halfway(world);
    const { accessKey } = phone;
    const next = await done(world, phone.messenger.changeAccessKey(accessKey));
    assert.ok(next.ok);
    assert.equal(await done(world, next.commit()), true);
    await world.settle();
    await saved(world, phone);
    // Three of the phone, and the tablet's, which deletes that when it is told.
    await queuesAre(world, 4);
    await phone.messenger.close();
    await instead(world, next);
    await tablet.start();
    await world.until(() => tablet.phase === "removed", "the tablet is told");
    await queuesAre(world, 1);
  }));

Deno.test("a device that is removed while it has two queues for the others leaves none behind", () =>
  withWorld(async (world) => {
    const { phone, tablet } = await threeDevices(world);
    await removesNamed(world, phone, "laptop");
    await knowEachOther(world, [phone, tablet]);
    await world.settle();
    assert.equal((await copied(world, tablet)).devices.renewed?.own.length, 1);
    await removesNamed(world, phone, "tablet");
    await world.until(() => tablet.phase === "removed", "the tablet is told");
    await world.settle(70_000);
    // Bob's three, the phone's two, and one of Ada's account.
    await queuesAre(world, 6);
  }));

Deno.test("a removed device that makes itself known once more is told that it is none, and not where the others receive", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet } = await threeDevices(world);
    await laptop.messenger.close();
    const thief = await ownOnDisk(laptop);
    // While one is away the others are heard where they were.
    await tablet.messenger.close();
    const { devices: { others } } = thief;
    const toPhone = thief.addresses[
      others.findIndex(({ id }) => id === idOf(phone, "phone"))
    ];
    await removesNamed(world, phone, "laptop");
    // It may have been answered when it came; that is done once an hour.
    await world.settle(3_600_000);
    const { accountId, deviceList, device, accountKey } = await openAccount(
      thief.account,
    );
    const { credentials } = thief;
    const relay = { url: "https://relay.example", key: new Uint8Array(32) };
    const known = signAnnouncement({
      from: accountId,
      to: accountId,
      time: world.clock.now(),
      successions: [],
      deviceList,
      address: addressOf(credentials, relay),
      backupVersion: 1,
      bundles: new Map(),
    }, device);
    await inject(world, toPhone, device.id, known);
    await world.settle();
    const told = await waitsAt(world, thief);
    assert.equal(told.length, 2, "when it was removed, and when it asked");
    for (const bytes of told) {
      const owner = { accountId, accountKey };
      const said = await readAnnouncement(bytes, owner, accountId);
      assert.equal(said.deviceList.devices.length, 2);
      assert.equal(said.address, undefined);
    }
  }));

Deno.test("a removed device is told by those that stay, and so are contacts, when the one that removed it is lost before it told anybody", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet, bob } = await threeDevices(world);
    await removesUntold(world, phone, idOf(phone, "tablet"));
    await world.settle();
    assert.equal(tablet.phase, "ready");
    const desk = await beside(world, phone, { deviceName: "desk" });
    await world.until(() => tablet.phase === "removed", "the tablet is told");
    assert.deepEqual(tablet.disk.entries(), []);
    await world.settle(70_000);
    await (await only(bob)).send("to those that stay");
    await allSee(world, [laptop, desk], ["to those that stay"]);
    for (const { messenger } of [laptop, desk]) {
      assert.deepEqual(
        messenger.devices.list.value.map(({ name }) => name).sort(),
        ["desk", "laptop", "phone"],
      );
    }
  }));

/** One that stays dies at some moment of it; gives whether it did. */
async function story(
  world: World,
  who: "phone" | "tablet",
  fatal: number,
): Promise<boolean> {
  const { phone, laptop, tablet, bob } = await threeDevices(world);
  const stolen = (await copied(world, laptop)).others;
  const mortal = { phone, tablet }[who];
  let moments = 0;
  let died = false;
  mortal.onMoment = () => {
    const now = moments++ === fatal;
    died ||= now;
    return now;
  };
  const { accessKey } = phone;
  const listed = () => phone.messenger.devices.list.value.length;
  while (listed() !== 2) {
    await attempt(world, phone, async () => {
      if (listed() === 3) {
        await phone.messenger.devices.remove(idOf(phone, "laptop"), accessKey);
      }
    });
    if (!phone.alive) await attempt(world, phone, () => phone.start());
  }
  // To the end of the minute in which what waits may arrive, and what follows.
  for (let minutes = 0; minutes < 3; minutes++) {
    await world.settle(70_000);
    if (!mortal.alive) await attempt(world, mortal, () => mortal.start());
  }
  mortal.onMoment = undefined;
  if (!mortal.alive) await mortal.start();
  await knowEachOther(world, [phone, tablet]);
  await (await only(phone)).send("from the phone");
  await allSee(world, [phone, tablet, bob], ["from the phone"]);
  await (await only(tablet)).send("from the tablet");
  await allSee(world, [phone, tablet, bob], [
    "from the phone",
    "from the tablet",
  ]);
  await world.settle(70_000);
  for (const person of [phone, laptop, tablet, bob]) await person.close();
  const [one, two] = [await ownOnDisk(phone), await ownOnDisk(tablet)];
  assert.deepEqual(one.others, [two.devices.queue]);
  assert.deepEqual(two.others, [one.devices.queue]);
  for (const { devices } of [one, two]) {
    assert.equal(devices.renewed, undefined);
    assert.ok(!stolen.includes(devices.queue));
  }
  return died;
}

/** Tells the story with a death at each of many moments. */
function withDeathsOf(who: "phone" | "tablet"): Promise<void> {
  return withWorld(async (world) => {
    let fatal = 0;
    while (await story(world, who, fatal)) fatal += SLOW ? 1 : 35;
    assert.ok(fatal > 8, String(fatal));
  });
}

Deno.test("a death of the phone at any moment of it loses nothing, and the devices that stay receive elsewhere in the end", () =>
  withDeathsOf("phone"));

Deno.test("a death of the tablet at any moment of it loses nothing, and the devices that stay receive elsewhere in the end", () =>
  withDeathsOf("tablet"));
