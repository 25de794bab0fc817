/** A past that was written on a device, without the time that writing it takes. */
import assert from "node:assert/strict";
import {
  ConversationLog,
  newContent,
  newContentId,
  removeLog,
} from "../content/mod.ts";
import { accountTable, contactsTable, contactTable, SELF } from "../records.ts";
import { Vault } from "../storage/mod.ts";
import type { Person } from "./world.ts";

/** A month before the world's time. */
const MONTH_MS = 30 * 86_400_000;

/**
 * Puts `texts` into the conversation with the one contact of somebody who is closed, said in turn by both,
 * a second apart, a month ago.
 */
export async function writeBefore(
  person: Person,
  texts: readonly string[],
  now: number,
): Promise<void> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const account = await vault.get(accountTable, SELF);
  const contacts = await vault.get(contactsTable, SELF);
  assert.ok(account && contacts);
  const contact = await vault.get(contactTable, contacts.ids[0]);
  assert.ok(contact);
  const { conversation } = contact;
  const log = new ConversationLog(account.accountId);
  const begin = now - MONTH_MS;
  await vault.transact(async (w) => {
    await removeLog(w, conversation);
    await log.start(w, conversation, begin);
    for (const [i, text] of texts.entries()) {
      const time = begin + 1_000 * i;
      const content = newContent({
        conversation,
        id: newContentId(),
        time,
        expiry: 0,
        deviceList: { version: 1, hash: new Uint8Array(8) },
        backupVersion: 0,
      }, { kind: "text", text });
      const author = i % 2 === 0 ? contact.accountId : account.accountId;
      await log.append(w, { content, author, at: time });
      if (author !== account.accountId) continue;
      await log.raise(w, conversation, [content.id], "read");
    }
    await log.markRead(w, conversation);
  });
  await vault.close();
}
