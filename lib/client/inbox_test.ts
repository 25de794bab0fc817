import assert from "node:assert/strict";
import { decodeFrame, queueId } from "../wire/mod.ts";
import { openContact } from "./contact.ts";
import { sealEnvelope } from "./content/mod.ts";
import {
  type Address,
  encodeOwnDevice,
  newDevice,
  parseQueue,
  type QueueCredentials,
} from "./keys/mod.ts";
import { type Connection, Link, unknownNetwork } from "./link/mod.ts";
import { bindQueue, deleteQueue } from "./queues.ts";
import { systemRandom } from "./random.ts";
import {
  accountTable,
  contactsTable,
  contactTable,
  queueTable,
  SELF,
} from "./records.ts";
import { Vault } from "./storage/mod.ts";
import {
  codeOf,
  meet,
  newcomer,
  only,
  sees,
  withWorld,
} from "./testing/people.ts";
import { leftovers } from "./testing/scenario.ts";
import type { Person, World } from "./testing/world.ts";

/** What is on the disk of somebody who is not there. */
async function vaultOf(person: Person): Promise<Vault> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  return vault;
}

/** The queue at which somebody who is not there receives from their first contact. */
async function queueAt(person: Person): Promise<QueueCredentials> {
  const vault = await vaultOf(person);
  const contacts = await vault.get(contactsTable, SELF);
  const record = await vault.get(contactTable, contacts?.ids[0] ?? "");
  const queue = await vault.get(queueTable, record?.queues[0] ?? "");
  await vault.close();
  assert.ok(queue);
  return await parseQueue(queue.credentials);
}

/** Where the first contact of somebody who is not there receives from them. */
async function addressAt(person: Person): Promise<Address> {
  const vault = await vaultOf(person);
  const contacts = await vault.get(contactsTable, SELF);
  const record = await vault.get(contactTable, contacts?.ids[0] ?? "");
  await vault.close();
  assert.ok(record);
  return (await openContact(record)).devices[0].address;
}

/** A connection of somebody who is nobody's messenger. */
async function outsider(world: World): Promise<{
  connection: Connection;
  link: Link;
}> {
  const link = new Link({
    url: "ws://relay.example/relay",
    relayKey: undefined,
    transport: world.transport,
    network: unknownNetwork,
    clock: world.clock,
    random: systemRandom,
    connected: () => {},
    lost: () => {},
  });
  link.start();
  await world.until(() => link.connection !== undefined, "an outsider is in");
  const { connection } = link;
  assert.ok(connection);
  return { connection, link };
}

Deno.test("envelopes that can't be read are counted, and hold nothing up", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await (await only(ada)).send("before");
    await sees(world, await only(bob), ["before"]);
    await world.settle();
    await ada.messenger.close();
    const address = await addressAt(ada);
    const queue = queueId(address.send.publicKey);
    const sealed = (device: number, type: 2 | 3, bytes: Uint8Array) =>
      sealEnvelope({ sealKey: address.sealKey, queue }, device, {
        type,
        bytes,
      });
    const random = (length: number) => systemRandom.bytes(length);
    const envelopes = [
      random(480),
      random(32_736),
      sealed(1, 2, new Uint8Array()),
      sealed(1, 2, random(100)),
      sealed(1, 2, Uint8Array.of(0x44, 1, 2, 3, ...random(60))),
      sealed(1, 3, Uint8Array.of(0x44, ...random(300))),
      sealed(2, 2, random(100)),
      sealed(127, 3, random(1_700)),
      sealEnvelope({ sealKey: random(32), queue }, 1, {
        type: 2,
        bytes: random(80),
      }),
    ];
    const { connection, link } = await outsider(world);
    const handle = await bindQueue(connection, {
      role: "send",
      pair: address.send,
      queue,
    });
    for (const envelope of envelopes) {
      await connection.request({
        type: "SEND",
        handle,
        id: random(16),
        envelope,
      });
    }
    link.stop();
    await ada.start();
    await (await only(ada)).send("after");
    await sees(world, await only(bob), ["before", "after"]);
    await (await only(bob)).send("all well");
    await sees(world, await only(ada), ["before", "after", "all well"]);
    await world.settle();
    await bob.close();
    const { unreadable } = await leftovers(bob);
    assert.equal(unreadable, envelopes.length);
  }));

Deno.test("an envelope that is sent again under another transport id is not shown again", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    const envelopes: Uint8Array[] = [];
    ada.onMoment = (moment) => {
      const { frame } = moment.at === "frame" ? moment : { frame: undefined };
      if (frame?.[0] === 0x12) envelopes.push(frame.slice(25, 25 + 480));
      return false;
    };
    await (await only(ada)).send("once");
    await sees(world, await only(bob), ["once"]);
    await world.settle();
    await ada.messenger.close();
    const address = await addressAt(ada);
    const { connection, link } = await outsider(world);
    const handle = await bindQueue(connection, {
      role: "send",
      pair: address.send,
      queue: queueId(address.send.publicKey),
    });
    for (const envelope of envelopes) {
      const id = systemRandom.bytes(16);
      await connection.request({ type: "SEND", handle, id, envelope });
    }
    await world.settle();
    link.stop();
    await sees(world, await only(bob), ["once"]);
    await bob.close();
    assert.equal((await leftovers(bob)).unreadable, envelopes.length);
    assert.ok(envelopes.length > 0);
  }));

Deno.test("words under another identity key than the signed device list's are not believed", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await bob.messenger.invite.connect(await codeOf(ada));
    // Bob gives his card, and is gone before he hears that it arrived.
    let given = false;
    bob.onMoment = (moment) => {
      if (moment.at !== "frame") return false;
      if (moment.way === "in") return given;
      given ||= decodeFrame(moment.frame).some((command) =>
        command.type === "PASS" && command.index === 1
      );
      return false;
    };
    await world.until(
      () => !bob.alive && ada.messenger.conversations.value.length > 0,
      "Ada has met Bob, and Bob is gone",
    );
    bob.onMoment = undefined;

    // What comes back as Bob's device has another key than his card said.
    const vault = await vaultOf(bob);
    const account = await vault.get(accountTable, SELF);
    assert.ok(account);
    const other = await newDevice(1);
    await vault.commit([
      accountTable.put(SELF, { ...account, device: encodeOwnDevice(other) }),
    ]);
    await vault.close();
    await bob.start();
    await world.until(
      () => bob.messenger.conversations.value.length > 0,
      "the other Bob has finished the meeting",
    );
    await (await only(bob)).send("it is me");
    await world.settle();
    assert.deepEqual((await only(ada)).messages.value, []);
    await ada.close();
    assert.equal((await leftovers(ada)).unreadable, 2);
  }));

Deno.test("what can't arrive any more is shown as failed, and goes out when it is tried again", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    await bob.messenger.close();
    const { connection, link } = await outsider(world);
    await deleteQueue(connection, await queueAt(bob));
    link.stop();
    const a = await only(ada);
    const stateOf = (i: number) => a.messages.value[i].state;
    await a.send("one");
    await world.until(() => stateOf(0) === "failed", "the message failed");
    await a.send("two");
    await world.until(() => stateOf(1) === "failed", "the next one failed too");
    await ada.messenger.close();
    await ada.start();
    // A device that finds its queue gone makes it again.
    await bob.start();
    await world.settle();
    const again = await only(ada);
    assert.equal(again.messages.value[0].state, "failed");
    await again.retry(again.messages.value[0].id);
    await sees(world, await only(bob), ["one"]);
    await world.until(
      () => again.messages.value[0].state === "delivered",
      "it is delivered after all",
    );
    assert.equal(again.messages.value[1].state, "failed");
  }));
