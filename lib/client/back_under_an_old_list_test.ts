/** A device that was away while another of its person was removed, and writes before it has heard of that. */
import assert from "node:assert/strict";
import { hexToBytes } from "@noble/hashes/utils.js";
import { ANNOUNCEMENT, openEnvelope } from "./content/mod.ts";
import { parseQueue } from "./keys/mod.ts";
import { bindQueues } from "./queues.ts";
import { ownDevicesTable, queueTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { onConnection } from "./testing/backup_at_relay.ts";
import { done, only, saved, textsOf, withWorld } from "./testing/people.ts";
import {
  allSee,
  beside,
  knowEachOther,
  together,
} from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

/** What waits at the relay for a device from the others of its account, read with what lies on its disk. */
async function waitsFor(
  world: World,
  { disk }: Person,
  atLeast: number,
): Promise<("an announcement" | "a message")[]> {
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  const own = await vault.get(ownDevicesTable, SELF);
  assert.ok(own);
  const record = await vault.get(queueTable, own.queue);
  await vault.close();
  assert.ok(record);
  const { receive: pair, sealKey } = await parseQueue(record.credentials);
  const queue = hexToBytes(own.queue);
  const waiting: ("an announcement" | "a message")[] = [];
  await onConnection(world, async (connection) => {
    const binding = { role: "receive", pair, queue, generation: 99 } as const;
    const [{ status }] = await bindQueues(
      connection,
      [binding],
      (_, handle) =>
        connection.listen(handle, (push) => {
          if (push.type !== "MSG") return;
          const { message } = openEnvelope({ sealKey, queue }, push.envelope);
          waiting.push(
            message.type === ANNOUNCEMENT ? "an announcement" : "a message",
          );
        }),
    );
    assert.equal(status, "fulfilled");
    const pause = (ms: number) =>
      new Promise<void>((resolve) => world.clock.after(ms, resolve));
    while (waiting.length < atLeast) await pause(100);
    await pause(1_000);
  });
  return waiting;
}

Deno.test("what a device writes that was away while another was removed arrives, warns nobody, and does not go to the one that was removed", () =>
  withWorld(async (world) => {
    const { phone, laptop, bob } = await together(world);
    await world.settle();
    const tablet = await beside(world, phone);
    await knowEachOther(world, [phone, laptop, tablet]);
    await world.settle();
    await (await only(bob)).send("to all three");
    await allSee(world, [phone, laptop, tablet], ["to all three"]);
    await (await only(bob)).contact.setVerified(true);
    await saved(world, tablet);
    await world.settle();
    await laptop.close();
    const [{ id }] = tablet.messenger.devices.list.value;
    // In other hands by now: it reads what waits for it, and does not do as it is told.
    await tablet.close();
    assert.deepEqual(await waitsFor(world, tablet, 0), []);
    const removed = await done(
      world,
      phone.messenger.devices.remove(id, phone.accessKey),
    );
    assert.deepEqual(removed, { ok: true });
    await world.settle();

    laptop.unreachable = true;
    await laptop.start();
    await (await only(laptop)).send("under the old list");
    await laptop.messenger.settings.setReadReceipts(false);
    laptop.unreachable = false;
    laptop.messenger.reconnect();
    const said = ["to all three", "under the old list"];
    await allSee(world, [phone, bob], said);
    await world.settle();
    // By each of those that stay.
    const told = ["an announcement", "an announcement"];
    assert.deepEqual(await waitsFor(world, tablet, 2), told);
    const { verification } = bob.messenger.conversations.value[0].contact;
    assert.equal(verification, "verified");
    await (await only(bob)).send("to both");
    await allSee(world, [phone, laptop, bob], [...said, "to both"]);
    await world.until(
      () => phone.messenger.settings.readReceipts.value === false,
      "what was decided under the old list is decided",
    );
    for (const person of [phone, laptop]) {
      await saved(world, person);
      assert.equal(person.messenger.standing.value, "current");
    }
    assert.deepEqual(textsOf((await only(laptop)).messages.value), [
      ...said,
      "to both",
    ]);
  }));
