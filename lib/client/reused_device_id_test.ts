/** A device that gets the id of one that was removed is another device to everybody. */
import assert from "node:assert/strict";
import {
  done,
  only,
  saved,
  sees,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import {
  allSee,
  beside,
  removesUntold,
  together,
} from "./testing/several_devices.ts";

Deno.test("a device that gets the id of a removed one takes nothing of what was for that one, and what that one says is not taken for its words", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await (await only(bob)).send("to both");
    await allSee(world, [phone, laptop], ["to both"]);
    const [{ id }] = laptop.messenger.devices.list.value;
    await saved(world, laptop);
    await laptop.close();
    const thief = world.person();
    thief.disk.copy(laptop.disk);
    // Waits at the relay for the laptop, and on Bob's and the phone's disks, sealed for its sessions.
    await (await only(bob)).send("while the laptop is away");
    await allSee(world, [phone], ["to both", "while the laptop is away"]);
    bob.unreachable = true;
    bob.cut();
    await (await only(bob)).send("for the laptop");
    await (await only(phone)).contact.rename("Robert");
    await bob.close();
    bob.unreachable = false;

    const removed = await done(
      world,
      phone.messenger.devices.remove(id, phone.accessKey),
    );
    assert.deepEqual(removed, { ok: true });
    await saved(world, phone);
    // The program in it is honest, and does as it is told; the thief's copy was not told.
    await laptop.start();
    await world.until(() => laptop.phase === "removed", "the laptop is told");
    const tablet = await beside(world, phone);
    assert.equal(tablet.messenger.devices.list.value[0].id, id);
    await world.until(
      () => phone.messenger.devices.list.value.length === 2,
      "the phone knows the tablet",
    );
    await world.settle();

    // Bob hears of both changes at once: the same id, and another device.
    await bob.start();
    await world.until(
      () => bob.messenger.conversations.value[0].contact.deviceLeft,
      "Bob hears that a device is gone",
    );
    await (await only(bob)).send("for the tablet");
    await sees(world, await only(phone), [
      "to both",
      "while the laptop is away",
      "for the laptop",
      "for the tablet",
    ]);
    await world.settle();
    await (await only(tablet)).send("from the tablet");
    await world.until(
      () =>
        bob.messenger.conversations.value[0].last?.body.kind === "text" &&
        bob.messenger.conversations.value[0].unread === 1,
      "Bob hears the tablet",
    );

    await thief.start();
    assert.equal(thief.phase, "ready");
    await attempt(world, thief, async () => (await only(thief)).send("forged"));
    await thief.messenger.settings.setReadReceipts(false);
    await (await only(bob)).send("the last word");
    await world.settle(60_000);
    const said = [
      "to both",
      "while the laptop is away",
      "for the laptop",
      "for the tablet",
      "from the tablet",
      "the last word",
    ];
    await sees(world, await only(bob), said);
    await sees(world, await only(phone), said);
    const onTablet = textsOf((await only(tablet)).messages.value);
    assert.deepEqual(onTablet.slice(-3), said.slice(-3));
    assert.equal(new Set(onTablet).size, onTablet.length, "nothing twice");
    assert.ok(!onTablet.includes("forged"));
    for (const person of [phone, tablet]) {
      assert.equal(person.messenger.settings.readReceipts.value, true);
      assert.equal(person.messenger.conversations.value[0].name, "Robert");
    }
    const onThief = textsOf((await only(thief)).messages.value);
    assert.deepEqual(onThief, ["to both", "forged"]);
  }));

Deno.test("a contact who hears of the device that got the id, and never of the list without either, writes to that one alone", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    await (await only(bob)).send("to both");
    await allSee(world, [phone, laptop], ["to both"]);
    const [{ id }] = laptop.messenger.devices.list.value;
    await saved(world, laptop);
    await world.settle();
    await laptop.close();
    const thief = world.person();
    thief.disk.copy(laptop.disk);
    await removesUntold(world, phone, id);
    const tablet = await beside(world, phone);
    assert.equal(tablet.messenger.devices.list.value[0].id, id);
    await world.until(
      () => bob.messenger.conversations.value[0].contact.deviceLeft,
      "Bob hears of the tablet, and that a device is gone",
    );
    await world.settle();
    await (await only(bob)).send("for the tablet");
    await world.until(
      () => tablet.messenger.conversations.value[0]?.unread > 0,
      "the tablet hears Bob",
    );
    await thief.start();
    await attempt(world, thief, async () => (await only(thief)).send("forged"));
    await world.settle(60_000);
    assert.deepEqual(textsOf((await only(thief)).messages.value), [
      "to both",
      "forged",
    ]);
    await phone.start();
    await (await only(tablet)).send("from the tablet");
    await sees(world, await only(bob), [
      "to both",
      "for the tablet",
      "from the tablet",
    ]);
    await sees(world, await only(phone), [
      "to both",
      "for the tablet",
      "from the tablet",
    ]);
  }));
