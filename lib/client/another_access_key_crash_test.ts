import assert from "node:assert/strict";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import {
  done,
  online,
  only,
  saved,
  textsOf,
  verifiedFriends,
  withWorld,
} from "./testing/people.ts";
import { attempt } from "./testing/scenario.ts";
import { allSee, together } from "./testing/several_devices.ts";

const SLOW = Deno.env.get("SLOW") === "1";

Deno.test("a death at any moment of changing the key with two devices leaves both with the old one, or one with the new one and the other removed", () =>
  withWorld(async (world) => {
    let fatal = 0;
    for (let died = true; died; fatal += SLOW ? 1 : 11) {
      const { phone, laptop, bob } = await together(world);
      await world.settle();
      const another = await done(
        world,
        phone.messenger.changeAccessKey(phone.accessKey),
      );
      assert.ok(another.ok);
      let moments = 0;
      died = false;
      phone.onMoment = () => {
        const now = moments++ === fatal;
        died ||= now;
        return now;
      };
      await attempt(world, phone, async () => {
        await another.commit();
        await world.settle();
      });
      phone.onMoment = undefined;
      if (!phone.alive) await phone.start();
      await online(world, phone);
      await saved(world, phone);
      await world.settle();
      const backups = [
        await backupAtRelay(world, phone.accessKey),
        await backupAtRelay(world, another.accessKey),
      ];
      assert.equal(backups.filter((backup) => backup).length, 1);
      const stay = backups[1] ? [phone] : [phone, laptop];
      if (backups[1]) {
        await world.until(() => laptop.phase === "removed", "it is told");
        assert.deepEqual(laptop.disk.entries(), []);
      }
      assert.equal(phone.messenger.devices.list.value.length, stay.length);
      await (await only(bob)).send("to Ada");
      await allSee(world, stay, ["to Ada"]);
      await (await only(phone)).send("to Bob");
      await allSee(world, [...stay, bob], ["to Ada", "to Bob"]);
      for (const person of [phone, laptop, bob]) await person.close();
    }
    assert.ok(fatal > 8, String(fatal));
  }));

Deno.test("a death at any moment of changing the key leaves the old one or the new one, and loses nobody", () =>
  withWorld(async (world) => {
    let fatal = 0;
    for (let died = true; died; fatal++) {
      const { ada, bob } = await verifiedFriends(world);
      await world.settle();
      const another = await ada.messenger.changeAccessKey(ada.accessKey);
      assert.ok(another.ok);
      let moments = 0;
      died = false;
      ada.onMoment = () => {
        const now = moments++ === fatal;
        died ||= now;
        return now;
      };
      await attempt(world, ada, async () => {
        await another.commit();
        await world.settle();
      });
      ada.onMoment = undefined;
      if (!ada.alive) await ada.start();
      await online(world, ada);
      await saved(world, ada);
      await (await only(bob)).send("to you");
      await (await only(ada)).send("to him");
      await world.settle();
      for (const person of [ada, bob]) {
        assert.deepEqual(
          textsOf((await only(person)).messages.value).sort(),
          ["one", "to him", "to you"],
        );
      }
      const backups = [
        await backupAtRelay(world, ada.accessKey),
        await backupAtRelay(world, another.accessKey),
      ];
      assert.equal(backups.filter((backup) => backup).length, 1);
      await ada.messenger.logOut();
      const key = backups[1] ? another.accessKey : ada.accessKey;
      assert.deepEqual(await ada.messenger.logIn(key), { ok: true });
      await ada.close();
      await bob.close();
    }
    assert.ok(fatal > 5, String(fatal));
  }));
