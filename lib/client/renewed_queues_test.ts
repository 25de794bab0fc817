/** Contacts of somebody who removes a device: what it knew leads nowhere, and nothing of the others is lost. */
import assert from "node:assert/strict";
import { decodeFrame } from "../wire/mod.ts";
import { sessionName } from "./outbox.ts";
import { announcedTable, contactsTable, repairTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { only, queuesAre, saved, sees, withWorld } from "./testing/people.ts";
import { onDisk } from "./testing/on_disk.ts";
import { attempt } from "./testing/scenario.ts";
import {
  allSee,
  beside,
  removesNamed,
  together,
} from "./testing/several_devices.ts";
import type { World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

Deno.test("once a contact has heard of it, nothing that a removed device knew is an address of anybody, and all goes on", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    const tablet = await beside(world, phone, { deviceName: "tablet" });
    await world.settle();
    await (await only(bob)).send("before");
    await allSee(world, [phone, laptop, tablet], ["before"]);
    await world.settle();
    const thief = world.person();
    thief.disk.copy(laptop.disk);
    const { addresses: stolen } = await onDisk(thief);
    assert.equal(stolen.length, 2);
    // A device that stays and is away: its words are on their way to where Bob receives no more.
    await tablet.messenger.close();
    await removesNamed(world, phone, "");
    await world.settle(70_000);
    tablet.unreachable = true;
    await tablet.start();
    await (await only(tablet)).send("from the train");
    tablet.unreachable = false;
    await sees(world, await only(bob), ["before", "from the train"]);
    await world.settle(70_000);
    await (await only(bob)).send("to both");
    await (await only(phone)).send("to you");
    await allSee(world, [phone, tablet, bob], [
      "before",
      "from the train",
      "to both",
      "to you",
    ]);
    // Bob's three; of Ada's devices two each, and one of their account.
    await queuesAre(world, 8);

    await thief.start();
    await attempt(world, thief, async () => (await only(thief)).send("forged"));
    await world.settle();
    await bob.close();
    const { queues } = await onDisk(bob);
    assert.equal(queues.length, 2);
    assert.deepEqual(queues.filter((name) => stolen.includes(name)), []);
    const [, forged] = (await only(thief)).messages.value;
    assert.equal(forged.state, "failed");
    assert.deepEqual((await onDisk(thief)).addresses, stolen);
  }));

Deno.test("what had arrived where a contact received before, and goes to where they receive now, is known there and asks for no session", () =>
  withWorld(async (world) => {
    const { phone, bob } = await together(world);
    const tablet = await beside(world, phone, { deviceName: "tablet" });
    await world.settle();
    const sends = (frame: Uint8Array) =>
      decodeFrame(frame).some(({ type }) => type === "SEND");
    // It dies when all of it is at the relay, and before it knows that.
    let sent = false;
    tablet.onMoment = (moment) => {
      if (moment.at === "commit") return sent && moment.when === "before";
      sent ||= moment.way === "out" && sends(moment.frame);
      return false;
    };
    await attempt(world, tablet, async () => {
      await (await only(tablet)).send("once");
      await new Promise(() => {});
    });
    tablet.onMoment = undefined;
    await sees(world, await only(bob), ["once"]);
    await removesNamed(world, phone, "");
    await world.settle(5_000);
    // It hears where Bob receives now before it sends anything again.
    tablet.worksFor = (frame) => sends(frame) ? 20_000 : 0;
    await tablet.start();
    await world.settle(15_000);
    tablet.worksFor = undefined;
    await world.settle(30_000);
    await (await only(tablet)).send("and again");
    await sees(world, await only(bob), ["once", "and again"]);
    const { id } = tablet.messenger.devices.list.value[0];
    await bob.close();
    const vault = await Vault.open(bob.disk.platform());
    assert.ok(vault instanceof Vault);
    const { ids: [about] } = await vault.get(contactsTable, SELF) ??
      { ids: [] };
    const repair = await vault.get(repairTable, sessionName(about, id));
    await vault.close();
    assert.equal(repair?.asked, undefined);
  }));

Deno.test("a contact sees that a device was removed until they say so, and what was verified stays so", () =>
  withWorld(async (world) => {
    const { phone, bob } = await together(world);
    await world.settle();
    const { contact } = await only(bob);
    assert.equal(contact.state.value.verification, "new-device");
    await contact.setVerified(true);
    assert.equal(contact.state.value.deviceLeft, false);
    await removesNamed(world, phone, "");
    await world.until(
      () => contact.state.value.deviceLeft,
      "the contact sees that one was removed",
    );
    await bob.close();
    await bob.start();
    const again = (await only(bob)).contact;
    assert.equal(again.state.value.deviceLeft, true);
    await again.sawDevices();
    assert.equal(again.state.value.deviceLeft, false);
    assert.equal(again.state.value.verification, "verified");
  }));

Deno.test("both devices of a contact give others to whom they write, and one of the account is left", () =>
  withWorld(async (world) => {
    const { phone, bob } = await together(world);
    const { accessKey } = bob;
    await saved(world, bob);
    const other = await beside(world, { accessKey });
    await world.settle();
    await removesNamed(world, phone, "");
    await world.settle(70_000);
    await saved(world, bob);
    await saved(world, other);
    await (await only(phone)).send("to both");
    await (await only(other)).send("from the other");
    await allSee(world, [phone, bob, other], ["to both", "from the other"]);
    await world.settle(70_000);
    await bob.close();
    await other.close();
    const [one, two] = [await onDisk(bob), await onDisk(other)];
    assert.equal(one.queues.length, 2);
    assert.equal(two.queues.length, 2);
    assert.equal(one.queues[1], two.queues[1]);
    // The phone's three; of Bob's devices two each, and one of their account.
    await queuesAre(world, 8);
  }));

Deno.test("a removed device that announces itself where a contact still reads is not heard, and learns nothing", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    const tablet = await beside(world, phone, { deviceName: "tablet" });
    await world.settle();
    await (await only(bob)).contact.setVerified(true);
    const thief = world.person();
    thief.disk.copy(laptop.disk);
    const { addresses: stolen } = await onDisk(thief);
    // Until this one knows better, Bob reads where it writes to.
    await tablet.messenger.close();
    await removesNamed(world, phone, "");
    await world.settle(70_000);
    const vault = await Vault.open(thief.disk.platform());
    assert.ok(vault instanceof Vault);
    const { ids: [about] } = await vault.get(contactsTable, SELF) ??
      { ids: [] };
    await vault.commit([announcedTable.put(about, { version: 0, at: 0 })]);
    await vault.close();
    await thief.start();
    await world.settle();
    assert.equal(
      (await only(bob)).contact.state.value.verification,
      "verified",
    );
    await thief.close();
    assert.deepEqual((await onDisk(thief)).addresses, stolen);
    const later = await Vault.open(thief.disk.platform());
    assert.ok(later instanceof Vault);
    const said = await later.get(announcedTable, about);
    await later.close();
    // It did announce itself.
    assert.equal(said?.version, 3);
  }));

/** A contact who dies at some moment while it goes over to other queues; gives whether they did. */
async function story(world: World, fatal: number): Promise<boolean> {
  const { phone, bob } = await together(world);
  await world.settle();
  let moments = 0;
  let died = false;
  bob.onMoment = () => {
    const now = moments++ === fatal;
    died ||= now;
    return now;
  };
  await removesNamed(world, phone, "");
  await world.settle(70_000);
  bob.onMoment = undefined;
  if (!bob.alive) await bob.start();
  await (await only(phone)).send("to you");
  await (await only(bob)).send("to the phone");
  for (const person of [phone, bob]) {
    const { messages } = await only(person);
    await world.until(() => messages.value.length === 2, "both have it all");
  }
  await world.settle(70_000);
  for (const person of [phone, bob]) await person.close();
  const { queues } = await onDisk(bob);
  assert.equal(queues.length, 2);
  const { addresses } = await onDisk(phone);
  assert.deepEqual(addresses.sort(), queues.sort());
  return died;
}

Deno.test("a contact who dies at any moment of it has other queues in the end, and nothing is lost", () =>
  withWorld(async (world) => {
    let fatal = 0;
    while (await story(world, fatal)) fatal += SLOW ? 1 : 5;
    assert.ok(fatal > 8, String(fatal));
  }));
