import assert from "node:assert/strict";
import {
  type CiphertextMessage,
  encrypt,
  parseSession,
  type Session,
} from "../signal/mod.ts";
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
import { openAccount } from "./own_account.ts";
import { sessionName } from "./outbox.ts";
import { bindQueue, deleteQueue } from "./queues.ts";
import { systemRandom } from "./random.ts";
import {
  accountTable,
  contactsTable,
  contactTable,
  queueTable,
  SELF,
  sessionTable,
} from "./records.ts";
import { Vault } from "./storage/mod.ts";
import {
  codeOf,
  meet,
  newcomer,
  only,
  sees,
  textsOf,
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

Deno.test("a death at any commit while many messages are taken loses none and doubles none", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    const said: string[] = [];
    let deaths = 0;
    for (const when of ["before", "after"] as const) {
      // The first commit counts the opening; the ones after it take two batches.
      for (const chosen of [1, 2, 3]) {
        await bob.close();
        for (let i = 0; i < 40; i++) {
          said.push(`message ${said.length}`);
          await (await only(ada)).send(said[said.length - 1]);
        }
        await world.settle();
        let commits = 0;
        bob.onMoment = (moment) =>
          moment.at === "commit" && moment.when === when &&
          commits++ === chosen;
        await bob.start();
        await world.until(() => !bob.alive, "Bob is gone");
        deaths++;
        bob.onMoment = undefined;
        await bob.start();
        await world.settle();
        const conversation = await only(bob);
        while (conversation.hasOlder.value) await conversation.loadOlder();
        assert.deepEqual(textsOf(conversation.messages.value), said);
      }
    }
    assert.equal(deaths, 6);
    await bob.close();
    assert.equal((await leftovers(bob)).unreadable, 0);
  }));

/** What somebody who is not there, under control of another program, writes to their first contact. */
async function writer(person: Person) {
  const vault = await vaultOf(person);
  const account = await vault.get(accountTable, SELF);
  const contacts = await vault.get(contactsTable, SELF);
  const contact = contacts?.ids[0] ?? "";
  const stored = await vault.get(sessionTable, sessionName(contact, 1));
  await vault.close();
  assert.ok(account && stored);
  const { local } = await openAccount(account);
  const remote = { serviceId: contact, deviceId: 1 };
  let session: Session = parseSession(stored);
  return async (): Promise<CiphertextMessage> => {
    const sent = await encrypt({
      local,
      remote,
      session,
      plaintext: new Uint8Array(10),
      now: 0,
    });
    session = sent.session;
    return sent.message;
  };
}

Deno.test("who makes us walk far ahead in vain, three times, is followed no more than near", () =>
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
    const { connection, link } = await outsider(world);
    const handle = await bindQueue(connection, {
      role: "send",
      pair: address.send,
      queue,
    });
    const write = await writer(ada);
    /** A message of Ada's after as many that are lost. */
    const after = async (lost: number) => {
      for (let i = 0; i < lost; i++) await write();
      return await write();
    };
    const forged = ({ type, bytes }: CiphertextMessage) => ({
      type,
      bytes: bytes.with(-1, bytes[bytes.length - 1] ^ 1),
    });
    /** How far Bob has come in what is a new chain of Ada's; opens his account again. */
    const heard = async () => {
      await bob.messenger.close();
      const vault = await vaultOf(bob);
      const ids = (await vault.get(contactsTable, SELF))?.ids ?? [];
      const bytes = await vault.get(sessionTable, sessionName(ids[0], 1));
      await vault.close();
      await bob.start();
      assert.ok(bytes);
      return parseSession(bytes).current.ratchet.receiving.at(-1)?.chain.index;
    };
    const send = async (messages: readonly CiphertextMessage[]) => {
      for (const message of messages) {
        const envelope = sealEnvelope(
          { sealKey: address.sealKey, queue },
          1,
          message,
        );
        const id = systemRandom.bytes(16);
        await connection.request({ type: "SEND", handle, id, envelope });
      }
      await world.settle();
    };
    for (let i = 0; i < 2; i++) {
      const far = await after(2_001);
      await send([forged(far), forged(far), far]);
    }
    const near = await after(1);
    const far = await after(2_001);
    await send([forged(far), forged(far), forged(far), far]);
    await send([near]);
    assert.equal(await heard(), 2 * 2_002 + 2);
    // Until the account is opened again.
    await send([far]);
    assert.equal(await heard(), 3 * 2_002 + 2);
    link.stop();
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
    const { send, remove } = await queueAt(bob);
    await deleteQueue(connection, queueId(send.publicKey), remove);
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
