/** Removing a device, cut short at every moment: it is done or not, and done when it is tried again. */
import assert from "node:assert/strict";
import { only, saved, sees, withWorld } from "./testing/people.ts";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import { attempt } from "./testing/scenario.ts";
import { together } from "./testing/several_devices.ts";
import type { World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** A removal in which one of the two dies at some moment; gives whether they did. */
async function story(
  world: World,
  who: "remover" | "removed",
  fatal: number,
): Promise<boolean> {
  const { phone, laptop, bob } = await together(world);
  await world.settle();
  const mortal = { remover: phone, removed: laptop }[who];
  let moments = 0;
  let died = false;
  mortal.onMoment = () => {
    const now = moments++ === fatal;
    died ||= now;
    return now;
  };
  const { accessKey } = phone;
  const devices = () => phone.messenger.devices.list.value;
  while (devices().length !== 1) {
    await attempt(world, phone, async () => {
      const other = devices().find(({ own }) => !own);
      if (other) await phone.messenger.devices.remove(other.id, accessKey);
    });
    if (!phone.alive) await attempt(world, phone, () => phone.start());
  }
  while (laptop.phase !== "removed") {
    await world.until(
      () => !mortal.alive || laptop.phase === "removed",
      "the removed device is told",
    );
    if (mortal.alive) continue;
    await attempt(world, mortal, () => mortal.start());
    // What was erased before the power failed is a browser that has nothing.
    if (mortal === laptop && laptop.phase === "no-account") break;
  }
  mortal.onMoment = undefined;
  if (!mortal.alive) await mortal.start();
  assert.deepEqual(laptop.disk.entries(), []);
  await (await only(bob)).send("to the phone");
  await sees(world, await only(phone), ["to the phone"]);
  await (await only(phone)).send("alone again");
  await sees(world, await only(bob), ["to the phone", "alone again"]);
  await world.settle();
  await saved(world, phone);
  const backup = await backupAtRelay(world, accessKey);
  assert.equal(backup?.account.writeKey.epoch, 2);
  assert.equal(backup?.account.deviceList.version, 3);
  assert.equal(backup?.contacts.length, 1);
  for (const person of [phone, laptop, bob]) await person.close();
  return died;
}

function withDeathsOf(who: "remover" | "removed"): Promise<void> {
  return withWorld(async (world) => {
    let fatal = 0;
    while (await story(world, who, fatal)) fatal += SLOW ? 1 : 5;
    assert.ok(fatal > 8, String(fatal));
  });
}

Deno.test("a death of the device that removes another, at any moment of it, leaves it done or undone, and done when it is tried again", () =>
  withDeathsOf("remover"));

Deno.test("a death of the device that is removed, at any moment of that, leaves nothing of it", () =>
  withDeathsOf("removed"));
