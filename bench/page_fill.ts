/**
 * Runs in a page: lengthens the first conversation of this browser's account, with nobody else at
 * its disk. Written by what the messenger writes with, the log of a conversation on the vault on
 * IndexedDB, only without the other person, the encryption and the relay.
 */
import { openContact } from "../lib/client/contact.ts";
import {
  ConversationLog,
  newContent,
  newContentId,
} from "../lib/client/content/mod.ts";
import {
  accountTable,
  contactsTable,
  contactTable,
  SELF,
} from "../lib/client/records.ts";
import { openBrowserPlatform, Vault } from "../lib/client/storage/mod.ts";

/** Messages in one commit. */
const AT_ONCE = 500;
/** A minute and a half between two messages: days, and runs of one person. */
const APART = 90_000;
const WORDS = "what people say to each other is mostly short but not always"
  .split(" ");

/** 2 to 31 words, not the same from one message to the next. */
function text(i: number): string {
  const words = 2 + (i * 7) % 30 ** (i % 3 === 0 ? 1 : 0.7);
  return `${i}: ` + Array.from(
    { length: words },
    (_, word) => WORDS[(i + word * 5) % WORDS.length],
  ).join(" ");
}

export async function fill(count: number): Promise<void> {
  const platform = await openBrowserPlatform();
  const vault = await Vault.open(platform);
  if (!(vault instanceof Vault)) throw new Error("no account is open here");
  const me = (await vault.get(accountTable, SELF))?.accountId;
  const [them] = (await vault.get(contactsTable, SELF))?.ids ?? [];
  const record = them && await vault.get(contactTable, them);
  if (!me || !record) throw new Error("nobody to talk to");
  const { deviceList } = await openContact(record);
  const log = new ConversationLog(me);
  const { conversation } = record;
  const begin = Date.now() - count * APART;
  for (let start = 0; start < count; start += AT_ONCE) {
    await vault.transact(async (w) => {
      const own: string[] = [];
      for (let i = start; i < Math.min(count, start + AT_ONCE); i++) {
        const time = begin + i * APART;
        const mine = i % 7 < 3;
        const content = newContent({
          conversation,
          id: newContentId(),
          time,
          expiry: 0,
          deviceList: {
            version: deviceList.version,
            hash: deviceList.hash.slice(0, 8),
          },
          backupVersion: 0,
        }, { kind: "text", text: text(i) });
        await log.append(w, { content, author: mine ? me : them, at: time });
        if (mine) own.push(content.id);
      }
      await log.raise(w, conversation, own, "read");
      await log.markRead(w, conversation);
    });
  }
  await vault.close();
  platform.store.close();
}
