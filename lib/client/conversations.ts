import type { ReadonlySignal } from "@preact/signals-core";
import {
  clearLog,
  type Content,
  ConversationLog,
  type Row,
  type Summary,
} from "./content/mod.ts";
import { type Contact, isConnected } from "./contact.ts";
import type { Contacts } from "./contacts.ts";
import { composed } from "./contents.ts";
import { Conversation } from "./conversation.ts";
import type { Desk } from "./desk.ts";
import type { Outcome } from "./devices/sync.ts";
import { Drafts } from "./drafts.ts";
import { Eraser } from "./eraser.ts";
import type { Entry } from "./ledger.ts";
import { type Change, OpenConversations } from "./open_conversations.ts";
import type { MessageRef, Outbox } from "./outbox.ts";
import { hasOthers } from "./own_devices.ts";
import { OwnMessages } from "./own_messages.ts";
import type { Receipts } from "./receipts.ts";
import type { ConversationSummary, ConversationView } from "./view.ts";

/** Messages that one word to other devices names. */
const IDS_AT_ONCE = 1_000;

/** For what other devices of the account did: see devices/elsewhere.ts. */
export interface ConversationHands {
  readonly log: ConversationLog;
  /** Shows, after the commit, what a step did to a conversation. */
  changed(entry: Entry, conversation: string, change: Change): Promise<void>;
  /** As `Conversations.said`, for what another device was told. */
  handed(entry: Entry, contact: Contact, content: Content): Promise<void>;
  /** What became of own messages. */
  settle(
    entry: Entry,
    conversation: string,
    ids: readonly string[],
    outcome: Outcome,
  ): Promise<readonly Row[]>;
  /** The past was put below what there is; `onlyOlder`: nothing else has moved or changed. */
  restored(
    entry: Entry,
    conversation: string,
    onlyOlder: boolean,
  ): Promise<void>;
  /** Shows what is left of a conversation. */
  cleared(entry: Entry, conversation: string): Promise<void>;
  draft(entry: Entry, conversation: string, text: string): void;
}

/** Something to say to someone one has parted from. */
export class NotConnectedError extends Error {
  override readonly name = "NotConnectedError";
  constructor() {
    super("there is no way to this contact");
  }
}

/** All conversations: what is said in them, in memory and on disk. */
export class Conversations {
  readonly #desk: Desk;
  readonly #log: ConversationLog;
  readonly #own: OwnMessages;
  readonly #receipts: Receipts;
  readonly #contacts: Contacts;
  readonly #eraser: Eraser;
  readonly #drafts: Drafts;
  readonly #open: OpenConversations;
  /** Account ids of those whom the conversations are with. */
  readonly #people = new Map<string, string>();

  constructor(
    desk: Desk,
    outbox: Outbox,
    receipts: Receipts,
    contacts: Contacts,
  ) {
    this.#desk = desk;
    this.#receipts = receipts;
    this.#contacts = contacts;
    this.#log = new ConversationLog(desk.account.accountId);
    this.#open = new OpenConversations(this.#log);
    this.#own = new OwnMessages(desk, outbox, this.#log);
    this.#drafts = new Drafts(
      desk,
      this.#log,
      (conversation) => this.#people.get(conversation),
    );
    this.#eraser = new Eraser(desk.ledger);
  }

  get list(): ReadonlySignal<readonly ConversationSummary[]> {
    return this.#open.list;
  }

  async load(): Promise<void> {
    const contacts = [...this.#desk.contacts.values()];
    const summaries = await this.#log.summaries(
      this.#desk.ledger.reader,
      contacts.map(({ record }) => record.conversation),
    );
    for (const [i, contact] of contacts.entries()) {
      const summary = summaries[i];
      if (summary) this.#add(contact, summary);
    }
    await this.#eraser.load(
      contacts.map(({ record }) => record.conversation),
    );
    this.#drafts.load();
  }

  get hands(): ConversationHands {
    return {
      log: this.#log,
      changed: (entry, conversation, change) =>
        this.#open.changed(entry, conversation, change),
      handed: (entry, contact, content) => this.#keep(entry, contact, content),
      settle: (entry, conversation, ids, outcome) =>
        this.#settle(entry, conversation, ids, outcome),
      restored: (entry, conversation, onlyOlder) =>
        this.#restored(entry, conversation, onlyOlder),
      cleared: (entry, conversation) => this.#showCleared(entry, conversation),
      draft: (entry, conversation, text) =>
        entry.after(() => {
          this.#open.get(conversation)?.takeDraft(text);
          this.#open.touched();
        }),
    };
  }

  /** undefined when there is no such conversation. */
  view(id: string): ConversationView | undefined {
    const conversation = this.#open.get(id);
    // Its failure is the ledger's: told there.
    conversation?.open().catch(() => {});
    return conversation;
  }

  /** Begins the conversation with someone just met, or goes on with the one there was. */
  async start(entry: Entry, contact: Contact): Promise<void> {
    const { conversation, metAt } = contact.record;
    await this.#eraser.keep(entry, conversation);
    await this.#log.start(entry, conversation, metAt);
    const [summary] = await this.#log.summaries(entry, [conversation]);
    entry.after(() => {
      if (this.#open.get(conversation)) this.#open.touched();
      else if (summary) this.#add(contact, summary);
    });
  }

  /** In the commit of a parting: what waited for a session with the contact has failed. */
  async part(entry: Entry, { record, deviceList }: Contact): Promise<void> {
    for (const { id } of deviceList.devices) {
      await this.left(entry, record, id);
    }
  }

  /** A device of a contact will have nothing more: what waited for it alone has failed. */
  async left(
    entry: Entry,
    record: Contact["record"],
    device: number,
  ): Promise<void> {
    const { conversation } = record;
    const ids = await this.#own.takeWaiting(entry, record, device);
    await this.settled(
      entry,
      ids.map((id) => ({ conversation, id })),
      "failed",
    );
  }

  /** A device of a contact is to have what nobody confirmed, as soon as there is a session with it. */
  async joined(
    entry: Entry,
    { record }: Contact,
    device: number,
  ): Promise<void> {
    const { conversation } = record;
    const ids = await this.#own.oweUnconfirmed(entry, record, device);
    const changed = await this.#setFailed(entry, conversation, ids, false);
    if (changed.length > 0) {
      await this.#open.changed(entry, conversation, { changed });
    }
  }

  /** In the commit that deletes a contact: the conversation is gone, the disk follows. */
  async leave(entry: Entry, { record }: Contact): Promise<void> {
    const { conversation } = record;
    await clearLog(entry, conversation, this.#desk.clock.now());
    await this.#eraser.leave(entry, conversation);
    entry.after(() => {
      this.#drafts.forget(conversation);
      this.#open.remove(conversation);
    });
  }

  /**
   * Keeps what a contact's device said, and notes the receipts it asks for. Other devices of the
   * account hear of it from this one, when the contact may not have said it to all of them.
   */
  async said(entry: Entry, contact: Contact, content: Content): Promise<void> {
    const { deviceList } = this.#desk.own.in(entry).account;
    const { accountId: about } = contact.record;
    const saidToAll = content.body.kind === "hello" ||
      (content.knows ?? 0) >= deviceList.version;
    if (!saidToAll) {
      const { bytes } = content;
      await this.#desk.tell(entry, { kind: "heard", about, content: bytes });
    }
    await this.#keep(entry, contact, content);
  }

  async #keep(
    entry: Entry,
    contact: Contact,
    content: Content,
  ): Promise<void> {
    const { accountId, conversation } = contact.record;
    const appended = await this.#log.append(entry, {
      content,
      author: accountId,
      at: this.#desk.clock.now(),
      alone: !hasOthers(this.#desk.own.in(entry)),
    });
    if (appended.added) {
      const { id } = appended.added;
      const { archived, muted } = contact.record.settings;
      if (archived.value && !muted.value) {
        this.#contacts.decide(entry, contact, { archived: false });
      }
      await this.#receipts.note(entry, contact, "delivered", [id]);
      if (this.#open.get(conversation)?.visible) {
        await this.#read(entry, contact);
      }
    } else if (content.body.kind === "text") {
      // It is here already. Who sends it once more has not heard that it arrived.
      await this.#receipts.note(entry, contact, "delivered", [content.id]);
    }
    await this.#open.changed(entry, conversation, appended);
  }

  /** What became of messages on their way. */
  async settled(
    entry: Entry,
    messages: readonly MessageRef[],
    outcome: "sent" | "failed",
  ): Promise<void> {
    const byConversation = Map.groupBy(
      messages,
      ({ conversation }) => conversation,
    );
    for (const [conversation, refs] of byConversation) {
      const changed = await this.#settle(
        entry,
        conversation,
        refs.map(({ id }) => id),
        outcome,
      );
      const ids = changed.map(({ id }) => id);
      await this.#tellIds(entry, conversation, ids, {
        kind: "settled",
        outcome,
      });
    }
  }

  async #settle(
    entry: Entry,
    conversation: string,
    ids: readonly string[],
    outcome: Outcome,
  ): Promise<readonly Row[]> {
    const changed = outcome === "failed"
      ? await this.#setFailed(entry, conversation, ids, true)
      : await this.#log.raise(entry, conversation, ids, outcome);
    await this.#open.changed(entry, conversation, { changed });
    return changed;
  }

  /** The other devices hear what became of messages. */
  async #tellIds(
    entry: Entry,
    conversation: string,
    ids: readonly string[],
    what: { kind: "read" } | { kind: "settled"; outcome: "sent" | "failed" },
  ): Promise<void> {
    const about = this.#people.get(conversation);
    if (about === undefined) return;
    for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
      const some = ids.slice(at, at + IDS_AT_ONCE);
      await this.#desk.tell(entry, { ...what, about, ids: some });
    }
  }

  /** Sends what waited for a session with a device of a contact. */
  async sendWaiting(
    entry: Entry,
    contact: Contact,
    device: number,
  ): Promise<void> {
    await this.#own.postWaiting(entry, contact, device);
  }

  /** Forgets everything; what is on disk stays. */
  stop(): void {
    this.#drafts.stop();
    this.#open.clear();
  }

  #add(contact: Contact, summary: Summary): void {
    const { accountId, conversation: id } = contact.record;
    const { ledger, contacts } = this.#desk;
    this.#people.set(id, accountId);
    /** As they are when a step begins; they may be gone by then, and their conversation with them. */
    const present = () => {
      const now = contacts.get(accountId);
      if (!now) throw new NotConnectedError();
      return now;
    };
    this.#open.add(
      new Conversation(this.#contacts.view(contact), summary, {
        load: (before) =>
          ledger.run(async (entry) => {
            const page = await this.#log.page(entry, id, before);
            entry.after(() => this.#open.get(id)?.show(page));
          }),
        send: (text) => {
          // What is written from here on goes to disk after the message.
          this.#drafts.forget(id);
          return ledger.run((entry) => this.#send(entry, present(), text));
        },
        edit: (message, text) => {
          this.#drafts.forget(id);
          return ledger.run((entry) =>
            this.#edit(entry, present(), message, text)
          );
        },
        delete: (message) =>
          ledger.run((entry) => this.#delete(entry, present(), message)),
        retry: (message) =>
          ledger.run((entry) => this.#retry(entry, present(), message)),
        written: (what) => {
          this.#open.touched();
          this.#drafts.change(id, what);
        },
        read: () =>
          ledger.post(async (entry) => {
            const now = contacts.get(accountId);
            if (!now) return;
            await this.#read(entry, now);
            await this.#open.changed(entry, id, { changed: [] });
          }),
        clear: () => {
          this.#drafts.forget(id);
          return ledger.run((entry) => this.#clear(entry, id));
        },
      }),
    );
  }

  async #send(entry: Entry, contact: Contact, text: string): Promise<void> {
    if (text.trim() === "") throw new RangeError("there is nothing to send");
    if (!isConnected(contact)) throw new NotConnectedError();
    const { accountId, conversation } = contact.record;
    const now = this.#desk.clock.now();
    const rank = await this.#log.nextRank(entry, conversation, now);
    const content = composed(
      this.#desk,
      contact,
      { kind: "text", text },
      { rank },
    );
    const added = await this.#log.compose(entry, content, now);
    await this.#desk.tell(entry, {
      kind: "sent",
      about: accountId,
      content: content.bytes,
    });
    await this.#own.post(entry, contact, content.id, { content });
    // In one commit: a page that ends now has the draft or the message, never both or neither.
    const draft = this.#open.get(conversation)?.draft.value ?? "";
    await this.#drafts.set(entry, conversation, { text: draft });
    await this.#open.changed(entry, conversation, { added, changed: [] });
  }

  async #edit(
    entry: Entry,
    contact: Contact,
    id: string,
    text: string,
  ): Promise<void> {
    if (text.trim() === "") throw new RangeError("there is nothing to send");
    const { conversation } = contact.record;
    const { row, edit } = await this.#ownText(entry, contact, id);
    if (row.body.text !== text) {
      const content = composed(
        this.#desk,
        contact,
        { kind: "edit", target: id, text },
        // The newest counts, and the clock of the device that wrote the last one may be ahead.
        { after: edit?.time },
      );
      await this.#change(entry, contact, row, content);
    }
    const editing = this.#open.get(conversation)?.editing.value ?? null;
    await this.#drafts.set(entry, conversation, { editing });
  }

  async #delete(entry: Entry, contact: Contact, id: string): Promise<void> {
    const { row } = await this.#ownText(entry, contact, id);
    const deletion = { kind: "deletion", target: id } as const;
    const content = composed(this.#desk, contact, deletion);
    await this.#change(entry, contact, row, content);
  }

  /** An own text as it is now. Throws where there is none, or nobody to tell. */
  async #ownText(entry: Entry, contact: Contact, id: string) {
    if (!isConnected(contact)) throw new NotConnectedError();
    const { conversation } = contact.record;
    const author = this.#desk.account.accountId;
    const found = await this.#log.find(entry, conversation, { author, id });
    const body = found?.row.body;
    if (!found || body?.kind !== "text") {
      throw new RangeError("there is no such text");
    }
    return { ...found, row: { ...found.row, body } };
  }

  /** Changes an own message, here and for everyone else. */
  async #change(
    entry: Entry,
    contact: Contact,
    { id, state, author }: Row,
    content: Content,
  ): Promise<void> {
    const { accountId, conversation } = contact.record;
    const at = this.#desk.clock.now();
    const appended = await this.#log.append(entry, { content, author, at });
    await this.#desk.tell(entry, {
      kind: "sent",
      about: accountId,
      content: content.bytes,
    });
    const failed = state === "failed" && content.body.kind === "edit";
    const again = failed
      ? await this.#setFailed(entry, conversation, [id], false)
      : [];
    if (failed) await this.#own.post(entry, contact, id);
    else await this.#own.postChange(entry, contact, id, content);
    const changed = [...appended.changed, ...again];
    await this.#open.changed(entry, conversation, { changed });
  }

  async #clear(entry: Entry, conversation: string): Promise<void> {
    const upTo = await clearLog(entry, conversation, this.#desk.clock.now());
    await this.#showCleared(entry, conversation);
    const about = this.#people.get(conversation);
    if (about === undefined) return;
    await this.#desk.tell(entry, { kind: "cleared", about, upTo });
    await this.#drafts.note(entry, conversation);
  }

  async #restored(
    entry: Entry,
    conversation: string,
    onlyOlder: boolean,
  ): Promise<void> {
    const shown = onlyOlder &&
      await this.#open.reachesBack(entry, conversation);
    if (!shown) await this.#showCleared(entry, conversation);
  }

  async #showCleared(entry: Entry, conversation: string): Promise<void> {
    await this.#open.cleared(entry, conversation);
    entry.after(() => this.#eraser.begin(conversation));
  }

  async #retry(entry: Entry, contact: Contact, id: string): Promise<void> {
    if (!isConnected(contact)) throw new NotConnectedError();
    const { conversation } = contact.record;
    const author = this.#desk.account.accountId;
    const found = await this.#log.find(entry, conversation, { author, id });
    if (found?.row.state !== "failed") return;
    const changed = await this.#setFailed(entry, conversation, [id], false);
    await this.#own.post(entry, contact, id);
    await this.#open.changed(entry, conversation, { changed });
  }

  async #setFailed(
    entry: Entry,
    conversation: string,
    ids: readonly string[],
    failed: boolean,
  ): Promise<Row[]> {
    const rows: Row[] = [];
    for (const id of ids) {
      const row = await this.#log.setFailed(entry, conversation, id, failed);
      if (row) rows.push(row);
    }
    return rows;
  }

  async #read(entry: Entry, contact: Contact): Promise<void> {
    const { conversation } = contact.record;
    const read = await this.#log.markRead(entry, conversation);
    const ids = read.map(({ id }) => id);
    await this.#receipts.note(entry, contact, "read", ids);
    await this.#tellIds(entry, conversation, ids, { kind: "read" });
  }
}
