/** What only a person, their device and whom they met may know, got from the browser's own disk with the access key. */
import { ok } from "node:assert/strict";
import { hexToBytes } from "@noble/hashes/utils.js";
import { openEnvelope } from "../../lib/client/content/mod.ts";
import {
  accountIdToBytes,
  deriveAccount,
  parseAccessKey,
  parseOwnDevice,
  parseQueue,
} from "../../lib/client/keys/mod.ts";
import {
  accountTable,
  contactsTable,
  contactTable,
  preKeysTable,
  queueTable,
  SELF,
  sessionTable,
} from "../../lib/client/records.ts";
import { parsePreKeyStock } from "../../lib/signal/mod.ts";
import { MemoryDisk, Vault } from "../../lib/client/storage/mod.ts";
import type { StoreEntry } from "../../lib/client/storage/mod.ts";
import type { BrowserStorage } from "./support_browser_storage.ts";
import type { Needles } from "./support_needles.ts";
import type { WireFrame } from "./support_wire.ts";

/** A queue's name and the key that its envelopes are sealed under. */
export type SealKeys = Map<string, Uint8Array>;

/** Adds everything secret about a person to `needles`; gives the keys of the own queues. */
export async function addSecrets(
  needles: Needles,
  { name, accessKey }: { readonly name: string; readonly accessKey: string },
  storage: BrowserStorage,
): Promise<SealKeys> {
  const add = (what: string, bytes: Uint8Array) =>
    needles.bytes(`${name}'s ${what}`, bytes);
  const reading = parseAccessKey(accessKey);
  ok(reading.ok);
  addAccessKey(needles, name, accessKey);
  add("access key in bytes", reading.key.slice(0, 12));
  const account = await deriveAccount(reading.key);
  add("account key", account.accountKey.publicKey.subarray(1));
  add("private account key", account.accountKey.privateKey);
  add("recovery key", account.recovery.publicKey.subarray(1));
  add("account id", accountIdToBytes(account.accountId));
  needles.text(`${name}'s account id in letters`, account.accountId);

  const disk = new MemoryDisk();
  disk.load(recordsOf(storage));
  const vault = await Vault.recover(disk.platform(), account.recovery);
  const record = await vault.get(accountTable, SELF);
  ok(record);
  const device = await parseOwnDevice(record.device);
  add("identity key", device.identity.publicKey.subarray(1));
  add("private identity key", device.identity.privateKey);
  // Two bytes can't be looked for. They lie in front of the identity key in the device's record, as
  // in a card, and inside the Signal messages whose every piece is looked for.
  needles.pieces(`${name}'s device`, record.device, 8);
  needles.pieces(`${name}'s device list`, record.deviceList, 16);
  const prekeys = await vault.get(preKeysTable, SELF);
  ok(prekeys);
  const { standing: [{ signed, seed }], ready } = parsePreKeyStock(
    prekeys.stock,
  );
  add("signed prekey", signed.keyPair.publicKey.subarray(1));
  add("private signed prekey", signed.keyPair.privateKey);
  add("seed of the last resort", seed);
  for (const pair of ready.slice(0, 8)) {
    add(`prekey ${pair.id}`, pair.privateKey);
    add(`Kyber prekey ${pair.id}`, pair.seed);
  }

  const sealKeys: SealKeys = new Map();
  const contacts = await vault.get(contactsTable, SELF);
  ok(contacts && contacts.ids.length === 1);
  for (const id of contacts.ids) {
    const session = await vault.get(sessionTable, `${id}.1`);
    const contact = await vault.get(contactTable, id);
    ok(session && contact);
    needles.pieces(`${name}'s session`, session, 16);
    for (const queueName of contact.queues) {
      const queue = await vault.get(queueTable, queueName);
      ok(queue);
      const { sealKey, receive } = await parseQueue(queue.credentials);
      add("seal key", sealKey);
      add("key to read a queue", receive.seed);
      sealKeys.set(queueName, sealKey);
    }
  }
  await vault.close();
  return sealKeys;
}

function addAccessKey(needles: Needles, name: string, key: string): void {
  const groups = key.split("-");
  for (let i = 0; i + 1 < groups.length; i++) {
    for (const joint of ["-", "", " "]) {
      const part = `${groups[i]}${joint}${groups[i + 1]}`;
      needles.text(`${name}'s access key from group ${i + 1}`, part);
      needles.text(
        `${name}'s access key from group ${i + 1}`,
        part.toLowerCase(),
      );
    }
  }
}

/** The vault's records as they lie in the browser. */
function recordsOf({ records }: BrowserStorage): StoreEntry[] {
  return records.flatMap(({ store, key, value }) =>
    store === "records" && key.kind === "bytes" && value.kind === "bytes"
      ? [{ key: key.bytes, value: value.bytes }]
      : []
  );
}

/**
 * Opens the envelopes that were sent and adds every piece of the Signal messages in them: ratchet
 * keys and counters, identity keys, registration ids. Gives how many there were.
 */
export function addSignalMessages(
  needles: Needles,
  frames: readonly WireFrame[],
  keys: SealKeys,
): number {
  let count = 0;
  for (const command of frames.flatMap(({ commands }) => commands)) {
    if (command.type !== "SEND") continue;
    const opened = [...keys].flatMap(([name, sealKey]) => {
      try {
        const queue = { sealKey, queue: hexToBytes(name) };
        return [openEnvelope(queue, command.envelope).message.bytes];
      } catch {
        return []; // another queue's
      }
    });
    ok(opened.length === 1, "an envelope that nobody can open was sent");
    needles.pieces(`Signal message ${++count}`, opened[0], 8);
  }
  return count;
}
