import type { ConversationLog, Editing } from "./content/mod.ts";
import type { Desk } from "./desk.ts";
import type { Entry } from "./ledger.ts";
import { hasOthers } from "./own_devices.ts";
import { draftsDueTable, SELF } from "./records.ts";

/** How long a draft rests before other devices hear of it, ms. */
const DRAFT_RESTS_MS = 2_000;

/** What is being written, as far as it changed. */
export interface Written {
  readonly text?: string;
  /** An own message that is being edited; null when none is any more. */
  readonly editing?: Editing | null;
}

/** What is being written: onto the disk at once, and, but for edits, to the other devices of the account once it rests. */
export class Drafts {
  readonly #desk: Desk;
  readonly #log: ConversationLog;
  readonly #about: (conversation: string) => string | undefined;
  /** On their way to the disk, by conversation, and still open to change. */
  readonly #waiting = new Map<string, Written>();
  #cancelTelling: (() => void) | undefined;

  /** @param about the account id of whom a conversation is with; undefined when it is gone */
  constructor(
    desk: Desk,
    log: ConversationLog,
    about: (conversation: string) => string | undefined,
  ) {
    this.#desk = desk;
    this.#log = log;
    this.#about = about;
  }

  /** Takes up what was not told when the account was last open. */
  load(): void {
    if (hasOthers(this.#desk.own.state)) this.#tellSoon();
  }

  /** What is written from here on goes to the disk after what is done next. */
  forget(conversation: string): void {
    this.#waiting.delete(conversation);
  }

  /**
   * At once, for the page may end the next moment; changes that come before the disk is free for it
   * go with it.
   */
  change(conversation: string, what: Written): void {
    const waiting = this.#waiting.get(conversation);
    if (waiting) {
      Object.assign(waiting, what);
      return;
    }
    const written = { ...what };
    this.#waiting.set(conversation, written);
    this.#desk.ledger.post((entry) => {
      if (this.#waiting.get(conversation) === written) {
        this.forget(conversation);
      }
      return this.set(entry, conversation, written);
    });
  }

  async set(
    entry: Entry,
    conversation: string,
    { text, editing }: Written,
  ): Promise<void> {
    if (editing !== undefined) {
      await this.#log.setEditing(entry, conversation, editing ?? undefined);
    }
    if (text === undefined) return;
    const before = await this.#log.draft(entry, conversation);
    if (before?.text === text) return;
    const now = this.#desk.clock.now();
    await this.#log.setDraft(entry, conversation, text, now);
    await this.note(entry, conversation);
  }

  /** The other devices are to hear of a draft, once it rests. */
  async note(entry: Entry, conversation: string): Promise<void> {
    if (!hasOthers(this.#desk.own.in(entry))) return;
    const { conversations } = await entry.get(draftsDueTable, SELF) ??
      { conversations: [] };
    const others = conversations.filter((other) => other !== conversation);
    entry.put(draftsDueTable, SELF, {
      conversations: [...others, conversation],
    });
    entry.after(() => this.#tellSoon());
  }

  stop(): void {
    this.#cancelTelling?.();
    this.#waiting.clear();
  }

  #tellSoon(): void {
    this.#cancelTelling?.();
    const { clock, ledger } = this.#desk;
    this.#cancelTelling = clock.after(DRAFT_RESTS_MS, () => {
      this.#cancelTelling = undefined;
      ledger.post((entry) => this.#tell(entry));
    });
  }

  async #tell(entry: Entry): Promise<void> {
    const due = await entry.get(draftsDueTable, SELF);
    if (!due) return;
    entry.delete(draftsDueTable, SELF);
    for (const conversation of due.conversations) {
      const draft = await this.#log.draft(entry, conversation);
      const about = this.#about(conversation);
      if (!draft || about === undefined) continue;
      await this.#desk.tell(entry, { kind: "draft", about, ...draft });
    }
  }
}
