/** Own devices that stay when one is removed: what it knew of them leads nowhere, and nothing of theirs is lost. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { queueId } from "../wire/mod.ts";
import { ANNOUNCEMENT, openEnvelope } from "./content/mod.ts";
import { readAnnouncement } from "./devices/announcement.ts";
import { type Address, parseAddress, parseQueue } from "./keys/mod.ts";
import { RelayError } from "./link/mod.ts";
import { bindQueue } from "./queues.ts";
import { accountTable, ownDevicesTable, queueTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { onConnection } from "./testing/backup_at_relay.ts";
import {
  done,
  meet,
  newcomer,
  only,
  queuesAre,
  saved,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import { allSee, beside, knowEachOther } from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** How long those of before are read at most. */
const THREE_WEEKS_MS = 21 * 86_400_000;

type Known = Person & { readonly accessKey: string };

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

async function remove(world: World, by: Known, name: string): Promise<void> {
  const removal = by.messenger.devices.remove(idOf(by, name), by.accessKey);
  assert.deepEqual(await done(world, removal), { ok: true });
}

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
    await remove(world, phone, "laptop");
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
    await remove(world, phone, "laptop");
    await world.settle(70_000);
    // Whoever has it reads what waits for it, without ever running it.
    const { credentials, account } = before;
    const queue = hexToBytes(before.devices.queue);
    const envelopes = await onConnection(world, async (connection) => {
      const heard: Uint8Array[] = [];
      const handle = await bindQueue(connection, {
        role: "receive",
        pair: credentials.receive,
        queue,
        generation: 1_000,
      });
      connection.listen(handle, (push) => {
        if (push.type === "MSG") heard.push(push.envelope);
      });
      await new Promise<void>((resolve) => world.clock.after(1_000, resolve));
      return heard;
    });
    const { accountId, accountKey } = account;
    const told: Address[] = [];
    for (const envelope of envelopes) {
      const { sealKey } = credentials;
      const { message } = openEnvelope({ sealKey, queue }, envelope);
      if (message.type !== ANNOUNCEMENT) continue;
      const said = await readAnnouncement(
        message.bytes,
        { accountId, accountKey },
        accountId,
      );
      assert.equal(said.deviceList.devices.length, 2, "it is told");
      told.push(said.address);
    }
    assert.ok(told.length > 0);
    for (const address of told) {
      assert.equal(await leadsAnywhere(world, address), false);
    }
    await phone.close();
    await tablet.close();
    const now = [await ownOnDisk(phone), await ownOnDisk(tablet)];
    for (const { devices } of now) {
      assert.ok(!told.map(nameOf).includes(devices.queue));
      assert.ok(!before.others.includes(devices.queue));
    }
  }));

Deno.test("what a device of before is written to is given up after three weeks, also while another stays away", () =>
  withWorld(async (world) => {
    const { phone, laptop, tablet } = await threeDevices(world);
    const stolen = (await copied(world, laptop)).addresses;
    await tablet.messenger.close();
    await remove(world, phone, "laptop");
    await world.settle(70_000);
    await phone.messenger.close();
    world.clock.advance(THREE_WEEKS_MS + 1);
    await phone.start();
    await world.settle(70_000);
    await phone.messenger.close();
    const { devices } = await ownOnDisk(phone);
    assert.equal(devices.renewed, undefined);
    const [, , ...rest] = stolen;
    assert.deepEqual(rest, []);
    const there = [];
    for (const address of stolen) {
      there.push(await leadsAnywhere(world, address));
    }
    // The tablet's own is as it was: it has yet to hear of it.
    assert.deepEqual(there, [false, true]);
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

for (const who of ["phone", "tablet"] as const) {
  Deno.test(`a death of the ${who} at any moment of it loses nothing, and the devices that stay receive elsewhere in the end`, () =>
    withWorld(async (world) => {
      let fatal = 0;
      while (await story(world, who, fatal)) {
        fatal += SLOW ? 1 : 13;
      }
      assert.ok(fatal > 8, String(fatal));
    }));
}
