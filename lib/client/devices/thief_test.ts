import assert from "node:assert/strict";
import {
  done,
  fresh,
  meet,
  newcomer,
  only,
  saved,
  sees,
  textsOf,
  withWorld,
} from "../testing/people.ts";
import { attempt } from "../testing/scenario.ts";
import { backupAtRelay } from "../testing/backup_at_relay.ts";

Deno.test("whoever has a whole device that was replaced, its storage and keys, reads nothing new, is not heard, and writes no backup", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await (await only(bob)).send("before the theft");
    await sees(world, await only(ada), ["before the theft"]);
    await saved(world, ada);
    await world.settle();
    await ada.close();

    const anew = await fresh(world);
    const back = await done(
      world,
      anew.messenger.comeBack(ada.accessKey, "instead"),
    );
    assert.deepEqual(back, { ok: true });
    await (await only(anew)).send("my device was stolen");
    await sees(world, await only(bob), [
      "before the theft",
      "my device was stolen",
    ]);
    await saved(world, anew);

    // All that lay in the lost browser, its keys included, opened by this program.
    const thief = ada;
    await thief.start();
    assert.equal(thief.phase, "ready");
    await world.settle();
    await (await only(bob)).send("for the new device");
    await sees(world, await only(anew), [
      "my device was stolen",
      "for the new device",
    ]);
    await attempt(world, thief, async () => (await only(thief)).send("forged"));
    await thief.messenger.settings.setReadReceipts(false);
    await world.until(
      () => thief.messenger.backup.value.at === "failed",
      "the backup refuses the thief",
    );
    await world.settle();
    assert.deepEqual(
      textsOf((await only(thief)).messages.value),
      ["before the theft", "forged"],
    );
    await sees(world, await only(bob), [
      "before the theft",
      "my device was stolen",
      "for the new device",
    ]);
    const backup = await backupAtRelay(world, ada.accessKey);
    assert.equal(backup?.account.settings.readReceipts, true);
    assert.equal(backup?.account.deviceList.version, 2);
    await (await only(anew)).send("still here");
    await sees(world, await only(bob), [
      "before the theft",
      "my device was stolen",
      "for the new device",
      "still here",
    ]);
  }));
