/** What the relay and the network get to see: everything that crosses the wire, and all that lies at the relay. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hexToBytes } from "@noble/hashes/utils.js";
import { describePreKeyStock, parsePreKeyStock } from "../signal/mod.ts";
import { decodeFrame } from "../wire/mod.ts";
import { openContact } from "./contact.ts";
import { openEnvelope } from "./content/mod.ts";
import {
  accountIdToBytes,
  deriveAccount,
  parseAccessKey,
  parseOwnDevice,
  parseQueue,
} from "./keys/mod.ts";
import {
  accountTable,
  backupKeysTable,
  type ContactRecord,
  contactsTable,
  contactTable,
  preKeysTable,
  type QueueRecord,
  queueTable,
  SELF,
  sessionTable,
} from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { codeOf, only, sees, withWorld } from "./testing/people.ts";
import type { Person, World } from "./testing/world.ts";

/** Bytes to look for, and what they are. */
type Needles = Map<string, Uint8Array>;

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Everything that lies in the relay's store: keys and values. */
async function stored(world: World): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const { key, value } of world.kv.list({ prefix: [] })) {
    for (const part of [...key, value]) {
      parts.push(part instanceof Uint8Array ? part : utf8(String(part)));
    }
  }
  return parts;
}

function found(haystack: readonly Uint8Array[], needles: Needles): string[] {
  const all = Buffer.concat(haystack.flatMap((part) => [part, utf8("|")]));
  return [...needles].filter(([, needle]) => all.includes(needle))
    .map(([name]) => name);
}

/** What only the person's own device and contacts may know. */
async function secretsOf(
  name: string,
  person: Person & { accessKey: string },
): Promise<Needles> {
  const needles: Needles = new Map();
  const hide = (what: string, bytes: Uint8Array) => {
    assert.ok(bytes.length >= 6, `${what} could be found by chance`);
    needles.set(`${name}'s ${what}`, bytes);
  };
  const key = parseAccessKey(person.accessKey);
  assert.ok(key.ok);
  hide("access key", key.key.slice(0, 18));
  hide("access key in letters", utf8(person.accessKey.slice(0, 9)));
  const secret = await deriveAccount(key.key);
  hide("account key", secret.accountKey.publicKey.subarray(1));
  hide("private account key", secret.accountKey.privateKey);
  hide("recovery key", secret.recovery.publicKey.subarray(1));
  hide("backup's read seed", secret.backup.readSeed);
  hide("backup's own seed", secret.backup.ownSeed);
  hide("backup's seal key", secret.backup.sealKey);
  hide("account id", accountIdToBytes(secret.accountId));
  hide("account id in letters", utf8(secret.accountId));

  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const account = await vault.get(accountTable, SELF);
  assert.ok(account);
  const backup = await vault.get(backupKeysTable, SELF);
  assert.ok(backup);
  hide("backup key", backup.key.key);
  hide("backup's write seed", backup.writeSeed);
  const device = await parseOwnDevice(account.device);
  hide("identity key", device.identity.publicKey.subarray(1));
  hide("device list", account.deviceList.subarray(0, 40));
  const kept = await vault.get(preKeysTable, SELF);
  assert.ok(kept);
  const stock = parsePreKeyStock(kept.stock);
  for (const { signed, seed } of stock.standing) {
    hide("signed prekey", signed.keyPair.publicKey.subarray(1));
    hide("private signed prekey", signed.keyPair.privateKey);
    hide("seed of the last resort", seed);
  }
  for (const { id, privateKey, seed } of stock.ready) {
    hide(`prekey ${id}`, privateKey);
    hide(`Kyber prekey ${id}`, seed);
  }
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  for (const id of ids) {
    const session: Uint8Array | undefined = await vault.get(
      sessionTable,
      `${id}.1`,
    );
    assert.ok(session);
    for (let at = 0; at + 16 <= session.length; at += 16) {
      const part = session.subarray(at, at + 16);
      // Runs of zeros and counters are everywhere; keys are not.
      if (new Set(part).size > 10) hide(`session at ${at}`, part);
    }
  }
  // The one that was given is used up.
  assert.equal(describePreKeyStock(stock).given, 0);
  await vault.close();
  return needles;
}

/** The keys of everybody's queues: what envelopes are sealed under. */
async function sealKeys(person: Person): Promise<Map<string, Uint8Array>> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const keys = new Map<string, Uint8Array>();
  for (const id of (await vault.get(contactsTable, SELF))?.ids ?? []) {
    const record: ContactRecord | undefined = await vault.get(contactTable, id);
    assert.ok(record);
    for (const name of record.queues) {
      const queue: QueueRecord | undefined = await vault.get(queueTable, name);
      assert.ok(queue);
      keys.set(name, (await parseQueue(queue.credentials)).sealKey);
    }
    assert.equal((await openContact(record)).devices.length, 1);
  }
  await vault.close();
  return keys;
}

/** The Signal messages in what was sent, cut into pieces: headers, counters, ratchet keys, ids. */
function signalMessages(
  wire: readonly Uint8Array[],
  keys: ReadonlyMap<string, Uint8Array>,
): { count: number; needles: Needles } {
  const needles: Needles = new Map();
  let count = 0;
  for (const command of wire.flatMap((frame) => decodeFrame(frame))) {
    if (command.type !== "SEND") continue;
    const opened = [...keys].flatMap(([name, sealKey]) => {
      try {
        const key = { sealKey, queue: hexToBytes(name) };
        return [openEnvelope(key, command.envelope).message.bytes];
      } catch {
        return []; // another queue's
      }
    });
    assert.equal(opened.length, 1);
    count++;
    for (let at = 0; at + 8 <= opened[0].length; at += 8) {
      const piece = opened[0].subarray(at, at + 8);
      needles.set(`Signal message ${count} at ${at}`, piece);
    }
  }
  return { count, needles };
}

Deno.test("nothing that crosses the wire or lies at the relay tells a word, a name or a key", () =>
  withWorld(async (world) => {
    const wire: Uint8Array[] = [];
    const atRelay: Uint8Array[] = [];
    const watched = async (name: string) => {
      const person = world.person();
      person.onMoment = (moment) => {
        if (moment.at === "frame") wire.push(moment.frame.slice());
        return false;
      };
      const messenger = await person.start();
      const account = await messenger.newAccount(name);
      await account.commit();
      return Object.assign(person, { accessKey: account.accessKey });
    };
    const look = async () => {
      atRelay.push(...await stored(world));
    };
    const ada = await watched("Ada Lovelace");
    const bob = await watched("Bob Hamilton");
    await world.until(
      () =>
        [ada, bob].every(({ messenger }) =>
          messenger.connection.value.at === "online"
        ),
      "both are online",
    );
    const code = await codeOf(ada);
    await bob.messenger.invite.connect(code);
    while (bob.messenger.invite.join.value.at !== "connected") {
      await look();
      await world.settle(0);
    }
    await world.until(
      () => ada.messenger.conversations.value.length > 0,
      "Ada has met Bob",
    );
    const texts = [
      "The cipher is broken",
      "Then make a better one",
      "Done so.",
    ];
    await (await only(ada)).send(texts[0]);
    await sees(world, await only(bob), texts.slice(0, 1));
    (await only(bob)).setVisible(true);
    await (await only(bob)).send(texts[1]);
    await sees(world, await only(ada), texts.slice(0, 2));
    await world.settle();
    await bob.messenger.close();
    await (await only(ada)).send(texts[2]);
    await world.settle();
    await look();
    await bob.start();
    await sees(world, await only(bob), texts);
    await world.settle();
    await look();
    for (const person of [ada, bob]) await person.close();

    const needles: Needles = new Map([
      ...await secretsOf("Ada", ada),
      ...await secretsOf("Bob", bob),
      ["Ada's name", utf8("Lovelace")],
      ["Bob's name", utf8("Hamilton")],
      ["the secret of the code", utf8(code.slice(4))],
      ...texts.map((
        text,
      ): [string, Uint8Array] => [text, utf8(text.slice(0, 8))]),
    ].filter(([, needle]) => needle.length >= 6) as [string, Uint8Array][]);
    assert.deepEqual(found(wire, needles), []);
    assert.deepEqual(found(atRelay, needles), []);

    const keys = new Map([...await sealKeys(ada), ...await sealKeys(bob)]);
    const signal = signalMessages(wire, keys);
    assert.ok(signal.count >= 6, `${signal.count} envelopes were sent`);
    assert.deepEqual(found(wire, signal.needles), []);
    assert.deepEqual(found(atRelay, signal.needles), []);

    // The search would have found them: what the relay may know is there.
    const names = [...keys.keys()].map((name): [string, Uint8Array] => [
      name,
      hexToBytes(name),
    ]);
    assert.deepEqual(found(wire, new Map(names)), names.map(([name]) => name));
    assert.equal(found(atRelay, new Map(names)).length, names.length);
    assert.ok(
      wire.every((frame) => Number.isInteger(Math.log2(frame.length / 512))),
    );
  }));
