/** Somebody whose program says what ours does not. */
import assert from "node:assert/strict";
import { encrypt, parseSession, serializeSession } from "../../signal/mod.ts";
import { queueId } from "../../wire/mod.ts";
import { openContact } from "../contact.ts";
import {
  type KnownBody,
  newContent,
  newContentId,
  sealEnvelope,
} from "../content/mod.ts";
import { openAccount } from "../own_account.ts";
import { sessionName } from "../outbox.ts";
import { queueName } from "../queues.ts";
import {
  accountTable,
  contactsTable,
  contactTable,
  laneTable,
  outgoingTable,
  SELF,
  sessionTable,
} from "../records.ts";
import { Vault } from "../storage/mod.ts";
import type { Person } from "./world.ts";

/** Puts a body, in their session, on its way to every device of the one contact of somebody who is closed. */
export async function putOnItsWay(
  person: Person,
  body: KnownBody,
  now: number,
): Promise<void> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const stored = await vault.get(accountTable, SELF);
  const contacts = await vault.get(contactsTable, SELF);
  assert.ok(stored && contacts);
  const record = await vault.get(contactTable, contacts.ids[0]);
  assert.ok(record);
  const account = await openAccount(stored);
  const { devices } = await openContact(record);
  const content = newContent({
    conversation: record.conversation,
    id: newContentId(),
    time: now,
    expiry: 0,
    deviceList: { version: 1, hash: account.deviceList.hash.slice(0, 8) },
    backupVersion: 0,
  }, body);
  for (const { id, identityKey, address } of devices) {
    const name = sessionName(record.accountId, id);
    const session: Uint8Array | undefined = await vault.get(sessionTable, name);
    assert.ok(session, "there is a session");
    const encrypted = await encrypt({
      local: account.local,
      remote: { serviceId: record.accountId, deviceId: id },
      session: parseSession(session),
      identityKey,
      plaintext: content.bytes,
      now,
    });
    const { send, sealKey } = address;
    const queue = queueName(send.publicKey);
    const lane = await vault.get(laneTable, queue) ?? { first: 0, next: 0 };
    await vault.commit([
      sessionTable.put(name, serializeSession(encrypted.session)),
      outgoingTable.put(`${queue}.${lane.next}`, {
        id: crypto.getRandomValues(new Uint8Array(16)),
        envelope: sealEnvelope(
          { sealKey, queue: queueId(send.publicKey) },
          account.device.id,
          encrypted.message,
        ),
      }),
      laneTable.put(queue, { ...lane, next: lane.next + 1 }),
    ]);
  }
  await vault.close();
}
