import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import {
  clearLog,
  type Content,
  ConversationLog,
  type Row,
  type Summary,
} from "./content/mod.ts";
import {
  type Contact,
  isConnected,
  type Recipient,
  recipientOf,
} from "./contact.ts";
import type { Contacts } from "./contacts.ts";
import { composed } from "./contents.ts";
import { Conversation } from "./conversation.ts";
import type { Desk } from "./desk.ts";
import type { Outcome } from "./devices/sync.ts";
import { Eraser } from "./eraser.ts";
import type { Entry } from "./ledger.ts";
import { type MessageRef, type Outbox, sessionName } from "./outbox.ts";
import { hasOthers } from "./own_devices.ts";
import type { Receipts } from "./receipts.ts";
import { draftsDueTable, SELF, unsentTable } from "./records.ts";
import type { ConversationSummary, ConversationView } from "./view.ts";

/** What a device that is new to us, or that lost its session, has again: as many own messages, as young, as nobody confirmed. */
const AGAIN = { most: 500, ms: 14 * 86_400_000 };

/** How long a draft rests before other devices hear of it, ms. */
const DRAFT_RESTS_MS = 2_000;

/** Messages that one word to other devices names. */
const IDS_AT_ONCE = 1_000;

/** Messages that wait for a session with one device; the oldest go first. */
const MAX_UNSENT = 1_000;

/** What a step did to a conversation. */
interface Change {
  readonly added?: Row;
  readonly changed: readonly Row[];
}

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
  readonly #outbox: Outbox;
  readonly #receipts: Receipts;
  readonly #contacts: Contacts;
  readonly #eraser: Eraser;
  readonly #open = new Map<string, Conversation>();
  /** Drafts on their way to the disk, by conversation, and still open to change. */
  readonly #drafts = new Map<string, { text: string }>();
  /** Account ids of those whom the conversations are with. */
  readonly #people = new Map<string, string>();
  #cancelDrafts: (() => void) | undefined;
  /** Counts changes, so that the list is computed anew. */
  readonly #version: Signal<number> = signal(0);
  readonly list: ReadonlySignal<readonly ConversationSummary[]> = computed(
    () => {
      void this.#version.value;
      return [...this.#open.values()].map(({ summary }) => summary)
        .sort((a, b) => b.time - a.time || (a.id < b.id ? -1 : 1));
    },
  );

  constructor(
    desk: Desk,
    outbox: Outbox,
    receipts: Receipts,
    contacts: Contacts,
  ) {
    this.#desk = desk;
    this.#outbox = outbox;
    this.#receipts = receipts;
    this.#contacts = contacts;
    this.#log = new ConversationLog(desk.account.accountId);
    this.#eraser = new Eraser(desk.ledger);
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
    this.#version.value++;
    await this.#eraser.load(
      contacts.map(({ record }) => record.conversation),
    );
    if (hasOthers(this.#desk.own.state)) this.#tellDraftsSoon();
  }

  get hands(): ConversationHands {
    return {
      log: this.#log,
      changed: (entry, conversation, change) =>
        this.#changed(entry, conversation, change),
      handed: (entry, contact, content) => this.#keep(entry, contact, content),
      settle: (entry, conversation, ids, outcome) =>
        this.#settle(entry, conversation, ids, outcome),
      cleared: (entry, conversation) => this.#showCleared(entry, conversation),
      draft: (entry, conversation, text) =>
        entry.after(() => {
          this.#open.get(conversation)?.takeDraft(text);
          this.#version.value++;
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
      if (summary && !this.#open.has(conversation)) this.#add(contact, summary);
      this.#version.value++;
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
    { accountId, conversation }: Contact["record"],
    device: number,
  ): Promise<void> {
    const name = sessionName(accountId, device);
    const unsent = await entry.get(unsentTable, name);
    if (!unsent) return;
    entry.delete(unsentTable, name);
    await this.settled(
      entry,
      unsent.ids.map((id) => ({ conversation, id })),
      "failed",
    );
  }

  /** A device of a contact is to have what nobody confirmed, as soon as there is a session with it. */
  async joined(
    entry: Entry,
    { record }: Contact,
    device: number,
  ): Promise<void> {
    const { accountId, conversation } = record;
    const { clock } = this.#desk;
    const since = clock.now() - AGAIN.ms;
    const ids = await this.#log.unconfirmed(entry, conversation, {
      since,
      most: AGAIN.most,
    });
    const changed: Row[] = [];
    for (const id of ids) {
      await this.#owe(entry, sessionName(accountId, device), id);
      const row = await this.#log.setFailed(entry, conversation, id, false);
      if (row) changed.push(row);
    }
    if (changed.length > 0) {
      await this.#changed(entry, conversation, { changed });
    }
  }

  /** In the commit that deletes a contact: the conversation is gone, the disk follows. */
  async leave(entry: Entry, { record }: Contact): Promise<void> {
    const { conversation } = record;
    await clearLog(entry, conversation, this.#desk.clock.now());
    await this.#eraser.leave(entry, conversation);
    entry.after(() => {
      this.#drafts.delete(conversation);
      this.#open.delete(conversation);
      this.#version.value++;
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
    await this.#changed(entry, conversation, appended);
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
      ? await this.#failed(entry, conversation, ids)
      : await this.#log.raise(entry, conversation, ids, outcome);
    await this.#changed(entry, conversation, { changed });
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
    const { accountId, conversation } = contact.record;
    const name = sessionName(accountId, device);
    const unsent = await entry.get(unsentTable, name);
    if (!unsent) return;
    entry.delete(unsentTable, name);
    const recipient = recipientOf(contact, device);
    for (const id of unsent.ids) {
      await this.#post(entry, recipient, conversation, id);
    }
  }

  /** Forgets everything; what is on disk stays. */
  stop(): void {
    this.#cancelDrafts?.();
    this.#drafts.clear();
    this.#open.clear();
    this.#version.value++;
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
    this.#open.set(
      id,
      new Conversation(this.#contacts.view(contact), summary, {
        load: (before) =>
          ledger.run(async (entry) => {
            const page = await this.#log.page(entry, id, before);
            entry.after(() => this.#open.get(id)?.show(page));
          }),
        send: (text) => {
          // What is written from here on goes to disk after the message.
          this.#drafts.delete(id);
          return ledger.run((entry) => this.#send(entry, present(), text));
        },
        retry: (message) =>
          ledger.run((entry) => this.#retry(entry, present(), message)),
        draft: (text) => this.#draft(id, text),
        read: () =>
          ledger.post(async (entry) => {
            const now = contacts.get(accountId);
            if (!now) return;
            await this.#read(entry, now);
            await this.#changed(entry, id, { changed: [] });
          }),
        clear: () => {
          this.#drafts.delete(id);
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
      rank,
    );
    const added = await this.#log.compose(entry, content, now);
    await this.#desk.tell(entry, {
      kind: "sent",
      about: accountId,
      content: content.bytes,
    });
    const recipient = recipientOf(contact);
    await this.#post(entry, recipient, conversation, content.id, content.bytes);
    // In one commit: a page that ends now has the draft or the message, never both or neither.
    const draft = this.#open.get(conversation)?.draft.value ?? "";
    await this.#setDraft(entry, conversation, draft);
    await this.#changed(entry, conversation, { added, changed: [] });
  }

  async #clear(entry: Entry, conversation: string): Promise<void> {
    const upTo = await clearLog(entry, conversation, this.#desk.clock.now());
    await this.#showCleared(entry, conversation);
    const about = this.#people.get(conversation);
    if (about === undefined) return;
    await this.#desk.tell(entry, { kind: "cleared", about, upTo });
    await this.#noteDraft(entry, conversation);
  }

  async #showCleared(entry: Entry, conversation: string): Promise<void> {
    const [summary] = await this.#log.summaries(entry, [conversation]);
    const page = await this.#log.page(entry, conversation);
    entry.after(() => {
      const open = this.#open.get(conversation);
      if (summary) open?.cleared(summary);
      open?.show(page);
      this.#version.value++;
      this.#eraser.begin(conversation);
    });
  }

  async #retry(entry: Entry, contact: Contact, id: string): Promise<void> {
    if (!isConnected(contact)) throw new NotConnectedError();
    const { conversation } = contact.record;
    const author = this.#desk.account.accountId;
    const found = await this.#log.find(entry, conversation, { author, id });
    if (found?.row.state !== "failed") return;
    const row = await this.#log.setFailed(entry, conversation, id, false);
    await this.#post(entry, recipientOf(contact), conversation, id);
    await this.#changed(entry, conversation, { changed: row ? [row] : [] });
  }

  /** Puts an own message on its way, or, for devices without one, among those that wait for a session. */
  async #post(
    entry: Entry,
    recipient: Recipient,
    conversation: string,
    id: string,
    bytes?: Uint8Array,
  ): Promise<void> {
    const author = this.#desk.account.accountId;
    const plaintext = bytes ??
      (await this.#log.find(entry, conversation, { author, id }))?.content
        ?.bytes;
    if (!plaintext) return;
    const ref = { conversation, id };
    const missed = await this.#outbox.post(entry, recipient, plaintext, ref);
    for (const device of missed) {
      await this.#owe(entry, sessionName(recipient.accountId, device), id);
    }
  }

  async #owe(entry: Entry, session: string, id: string): Promise<void> {
    const { ids } = await entry.get(unsentTable, session) ?? { ids: [] };
    const others = ids.filter((other) => other !== id);
    entry.put(unsentTable, session, {
      ids: [...others, id].slice(-MAX_UNSENT),
    });
  }

  async #failed(
    entry: Entry,
    conversation: string,
    ids: readonly string[],
  ): Promise<Row[]> {
    const rows: Row[] = [];
    for (const id of ids) {
      const row = await this.#log.setFailed(entry, conversation, id, true);
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

  /** Shows, after the commit, what a step did. */
  async #changed(
    entry: Entry,
    conversation: string,
    { added, changed }: Change,
  ): Promise<void> {
    const [summary] = await this.#log.summaries(entry, [conversation]);
    if (!summary) return;
    entry.after(() => {
      this.#open.get(conversation)
        ?.update(summary, added ? [added] : [], changed);
      this.#version.value++;
    });
  }

  /**
   * At once, for the page may end the next moment; changes that come before the disk is free for it
   * go with it.
   */
  #draft(id: string, text: string): void {
    this.#version.value++;
    const waiting = this.#drafts.get(id);
    if (waiting) {
      waiting.text = text;
      return;
    }
    const draft = { text };
    this.#drafts.set(id, draft);
    this.#desk.ledger.post((entry) => {
      if (this.#drafts.get(id) === draft) this.#drafts.delete(id);
      return this.#setDraft(entry, id, draft.text);
    });
  }

  async #setDraft(
    entry: Entry,
    conversation: string,
    text: string,
  ): Promise<void> {
    const before = await this.#log.draft(entry, conversation);
    if (before?.text === text) return;
    const now = this.#desk.clock.now();
    await this.#log.setDraft(entry, conversation, text, now);
    await this.#noteDraft(entry, conversation);
  }

  /** The other devices are to hear of a draft, once it rests. */
  async #noteDraft(entry: Entry, conversation: string): Promise<void> {
    if (!hasOthers(this.#desk.own.in(entry))) return;
    const { conversations } = await entry.get(draftsDueTable, SELF) ??
      { conversations: [] };
    const others = conversations.filter((other) => other !== conversation);
    entry.put(draftsDueTable, SELF, {
      conversations: [...others, conversation],
    });
    entry.after(() => this.#tellDraftsSoon());
  }

  #tellDraftsSoon(): void {
    this.#cancelDrafts?.();
    const { clock, ledger } = this.#desk;
    this.#cancelDrafts = clock.after(DRAFT_RESTS_MS, () => {
      this.#cancelDrafts = undefined;
      ledger.post((entry) => this.#tellDrafts(entry));
    });
  }

  async #tellDrafts(entry: Entry): Promise<void> {
    const due = await entry.get(draftsDueTable, SELF);
    if (!due) return;
    entry.delete(draftsDueTable, SELF);
    for (const conversation of due.conversations) {
      const draft = await this.#log.draft(entry, conversation);
      const about = this.#people.get(conversation);
      if (!draft || about === undefined) continue;
      await this.#desk.tell(entry, { kind: "draft", about, ...draft });
    }
  }
}
