/** What lies on the disk of somebody who is not there. */
import assert from "node:assert/strict";
import { bytesToHex } from "@noble/hashes/utils.js";
import { queueId } from "../../wire/mod.ts";
import { addressesOf, openContact, queuesOf } from "../contact.ts";
import { contactsTable, contactTable, queueTable, SELF } from "../records.ts";
import { Vault } from "../storage/mod.ts";
import type { Person } from "./world.ts";

/**
 * Of the one contact they have, as the relay names queues, hex: the own ones that the contact may send
 * to, all of which are there, and those by which the contact is reached.
 */
export async function onDisk({ disk }: Person) {
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  const record = await vault.get(contactTable, ids[0]);
  assert.ok(record);
  const queues = queuesOf(record);
  const there = await vault.getMany(queueTable, queues);
  await vault.close();
  assert.ok(there.every((queue) => queue !== undefined));
  const addresses = addressesOf(await openContact(record))
    .map(({ send }) => bytesToHex(queueId(send.publicKey)));
  return { queues, addresses };
}
