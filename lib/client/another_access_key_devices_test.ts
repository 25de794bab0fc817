/** Another access key for somebody with several devices: the one that changes it goes on alone, and others come again. */
import assert from "node:assert/strict";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import {
  done,
  meet,
  newcomer,
  online,
  only,
  queuesAre,
  saved,
  textsOf,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import {
  allSee,
  beside,
  knowEachOther,
  together,
} from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

async function begun(world: World, person: Person, accessKey: string) {
  const another = await done(
    world,
    person.messenger.changeAccessKey(accessKey),
  );
  assert.ok(another.ok, JSON.stringify(another));
  return another;
}

const isRemoved = (world: World, person: Person) =>
  world.until(() => person.phase === "removed", "a device is told");

Deno.test("with several devices the key is changed on one, which goes on alone; the others are told and erase all, a copy of one gets nothing, and they come again with the new key", () =>
  withWorld(async (world) => {
    const phone = await newcomer(world, "Ada", { deviceName: "phone" });
    const bob = await newcomer(world, "Bob");
    await meet(world, phone, bob);
    await saved(world, phone);
    const laptop = await beside(world, phone, { deviceName: "laptop" });
    await world.settle();
    const tablet = await beside(world, phone, { deviceName: "tablet" });
    await world.settle();
    await (await only(bob)).send("to all");
    await allSee(world, [phone, laptop, tablet], ["to all"]);
    await saved(world, tablet);
    await tablet.close();
    const thief = world.person();
    thief.disk.copy(tablet.disk);

    const another = await begun(world, phone, phone.accessKey);
    assert.deepEqual(another.removes, ["laptop", "tablet"]);
    assert.equal(await done(world, another.commit()), true);
    await online(world, phone);
    await isRemoved(world, laptop);
    await tablet.start();
    await isRemoved(world, tablet);
    for (const { disk } of [laptop, tablet]) {
      assert.deepEqual(disk.entries(), []);
    }
    assert.deepEqual(
      phone.messenger.devices.list.value.map(({ name }) => name),
      ["phone"],
    );
    assert.deepEqual(
      phone.messenger.devices.news.value.filter(({ what }) =>
        what === "removed"
      ),
      [{ what: "removed", name: "laptop" }, {
        what: "removed",
        name: "tablet",
      }],
    );
    const ada = () => bob.messenger.conversations.value[0].contact;
    await world.until(
      () => ada().deviceLeft && ada().verification === "new-number",
      "Bob is told of both",
    );
    await saved(world, phone);
    assert.equal(await backupAtRelay(world, phone.accessKey), undefined);
    const backup = await backupAtRelay(world, another.accessKey);
    assert.equal(backup?.devices.length, 1);

    await (await only(bob)).send("to the phone");
    await (await only(phone)).send("from the phone");
    const said = ["to all", "to the phone", "from the phone"];
    await allSee(world, [phone, bob], said);
    await world.settle(70_000);
    // Bob's three, and the phone's three: nothing is left of the others.
    await queuesAre(world, 6);

    await thief.start();
    await world.settle();
    await attempt(world, thief, async () => (await only(thief)).send("forged"));
    await (await only(bob)).send("the thief is deaf");
    await world.settle(60_000);
    assert.deepEqual(textsOf((await only(thief)).messages.value), [
      "to all",
      "forged",
    ]);
    await allSee(world, [phone, bob], [...said, "the thief is deaf"]);

    const anew = await beside(world, another, { deviceName: "laptop" });
    await world.until(
      () => phone.messenger.devices.list.value.length === 2,
      "the phone knows the laptop again",
    );
    await (await only(bob)).send("to both");
    const last = () => anew.messenger.conversations.value[0].last?.body;
    await world.until(() => {
      const body = last();
      return body?.kind === "text" && body.text === "to both";
    }, "the laptop hears Bob");
  }));

Deno.test("what another device wrote while this one was away is kept when the key is changed, and without the relay it is not changed", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await together(world);
    await world.settle();
    await phone.close();
    const cem = await newcomer(world, "Cem");
    await meet(world, laptop, cem);
    await saved(world, laptop);
    await laptop.close();

    phone.unreachable = true;
    await phone.start();
    assert.deepEqual(
      await done(world, phone.messenger.changeAccessKey(phone.accessKey)),
      { ok: false, reason: "unreachable" },
    );
    phone.unreachable = false;
    phone.messenger.reconnect();
    await online(world, phone);
    const another = await begun(world, phone, phone.accessKey);
    assert.equal(await done(world, another.commit()), true);
    await online(world, phone);
    await saved(world, phone);
    const backup = await backupAtRelay(world, another.accessKey);
    assert.equal(backup?.contacts.length, 2);
    await (await only(cem)).send("to Ada");
    await world.until(
      () =>
        phone.messenger.conversations.value.some(({ last }) =>
          last?.body.kind === "text" && last.body.text === "to Ada"
        ),
      "who was met on the laptop reaches the phone",
    );
  }));

Deno.test("a key that is changed at the moment at which another device removes one: all others are told and erase all, contacts follow, nobody is alarmed of two lists", () =>
  withWorld(async (world) => {
    for (const first of ["key", "removal"] as const) {
      for (const away of [false, true]) {
        const phone = await newcomer(world, "Ada", { deviceName: "phone" });
        const bob = await newcomer(world, "Bob");
        await meet(world, phone, bob);
        await saved(world, phone);
        const laptop = await beside(world, phone, { deviceName: "laptop" });
        const tablet = await beside(world, phone, { deviceName: "tablet" });
        await knowEachOther(world, [phone, laptop, tablet]);
        await world.settle();
        // Away, he hears of both at once.
        bob.unreachable = away;
        if (away) bob.cut();
        const another = await begun(world, phone, phone.accessKey);
        const going = tablet.messenger.devices.list.value
          .find(({ name }) => name === "laptop");
        assert.ok(going);
        const { id } = going;
        const changes = {
          key: () => another.commit(),
          removal: () => tablet.messenger.devices.remove(id, phone.accessKey),
        };
        const second = first === "key" ? "removal" : "key";
        // A removal comes to nothing if the device that does it is gone by then.
        const at = [changes[first](), changes[second]()];
        await done(world, Promise.allSettled<unknown>(at));
        bob.unreachable = false;
        await isRemoved(world, laptop);
        await isRemoved(world, tablet);
        await world.settle(70_000);
        assert.equal(phone.messenger.devices.list.value.length, 1);
        assert.equal(phone.messenger.standing.value, "current");
        const { contact } = await only(bob);
        assert.equal(contact.state.value.verification, "new-number");
        await (await only(bob)).send("to Ada");
        await (await only(phone)).send("to Bob");
        await allSee(world, [phone, bob], ["to Ada", "to Bob"]);
      }
    }
  }));
