import { cellName, KINDS } from "../backup/cells.ts";
import { parseCells } from "../backup/cell_codec.ts";
import { type Contact, conversationOf } from "../contact.ts";
import { clearUpTo, type Content, parseContent } from "../content/mod.ts";
import type { ConversationHands } from "../conversations.ts";
import type { Desk } from "../desk.ts";
import { accountIdToBytes, MalformedError } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { backupTable, SELF } from "../records.ts";
import type { Sync } from "./sync.ts";

/** What another device told of a conversation. */
export type SyncOfConversation = Extract<
  Sync,
  { kind: "sent" | "heard" | "settled" | "read" | "draft" | "cleared" }
>;

/** What was done in conversations on other devices of the account, done here. */
export class Elsewhere {
  readonly #desk: Desk;
  readonly #hands: ConversationHands;

  constructor(desk: Desk, hands: ConversationHands) {
    this.#desk = desk;
    this.#hands = hands;
  }

  /** Does it, unless the contact was removed. One who is not known yet may be soon: see `#isRemoved`. */
  async happened(entry: Entry, sync: SyncOfConversation): Promise<void> {
    const { about } = sync;
    const contact = this.#desk.contactIn(entry, about);
    if (!contact && await this.#isRemoved(entry, about)) return;
    const conversation = conversationOf(this.#desk.account.accountId, about);
    switch (sync.kind) {
      case "sent":
        return await this.#sent(entry, conversation, sync.content);
      case "heard":
        return await this.#heard(entry, conversation, about, sync.content);
      default:
        return await this.#changed(entry, conversation, contact, sync);
    }
  }

  async #sent(
    entry: Entry,
    conversation: string,
    bytes: Uint8Array,
  ): Promise<void> {
    const content = contentOf(bytes, conversation);
    if (!content) return;
    const appended = await this.#hands.log.append(entry, {
      content,
      author: this.#desk.account.accountId,
      at: this.#desk.clock.now(),
    });
    await this.#hands.changed(entry, conversation, appended);
  }

  async #heard(
    entry: Entry,
    conversation: string,
    author: string,
    bytes: Uint8Array,
  ): Promise<void> {
    const content = contentOf(bytes, conversation);
    if (!content) return;
    const contact = this.#desk.contactIn(entry, author);
    if (contact) return await this.#hands.handed(entry, contact, content);
    // Whoever they are, it is in the log when they are a contact here, too.
    await this.#hands.log.append(entry, {
      content,
      author,
      at: this.#desk.clock.now(),
      alone: false,
    });
  }

  async #changed(
    entry: Entry,
    conversation: string,
    contact: Contact | undefined,
    sync: Exclude<SyncOfConversation, { kind: "sent" | "heard" }>,
  ): Promise<void> {
    const { log } = this.#hands;
    switch (sync.kind) {
      case "settled":
        await this.#hands.settle(entry, conversation, sync.ids, sync.outcome);
        return;
      case "read":
        await log.markReadOf(entry, conversation, {
          author: sync.about,
          ids: sync.ids,
          at: this.#desk.clock.now(),
        });
        return await this.#hands.changed(entry, conversation, { changed: [] });
      case "draft": {
        if (!contact) return;
        const now = this.#desk.clock.now();
        const text = await log.takeDraft(entry, conversation, sync, now);
        if (text === sync.text) this.#hands.draft(entry, conversation, text);
        return;
      }
      case "cleared": {
        const me = this.#desk.account.accountId;
        await clearUpTo(entry, conversation, sync.upTo, me);
        return await this.#hands.cleared(entry, conversation);
      }
    }
  }

  /**
   * Whether somebody who is no contact here was one. What is said to somebody new may be heard of before
   * the backup that names them was read, and is kept; what comes late of somebody removed is not.
   */
  async #isRemoved(entry: Entry, accountId: string): Promise<boolean> {
    const record = await entry.get(backupTable, SELF);
    if (!record) return false;
    const subject = accountIdToBytes(accountId);
    const cells = parseCells(record.cells);
    const has = (kind: number) => cells.has(cellName({ kind, subject }));
    return has(KINDS.removed) && !has(KINDS.person);
  }
}

/** Undefined for what is no content of this conversation. */
function contentOf(
  bytes: Uint8Array,
  conversation: string,
): Content | undefined {
  try {
    const content = parseContent(bytes);
    return content.conversation === conversation ? content : undefined;
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return undefined;
  }
}
