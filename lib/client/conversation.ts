import {
  batch,
  computed,
  type ReadonlySignal,
  signal,
} from "@preact/signals-core";
import {
  compareRanks,
  PAGE_SIZE,
  type Row,
  type Summary,
} from "./content/mod.ts";
import type { Written } from "./drafts.ts";
import type {
  ContactView,
  ConversationSummary,
  ConversationView,
  Editing,
  MessageView,
} from "./view.ts";

/** What a conversation asks of those who can write. */
export interface ConversationCommands {
  load(before: number | undefined): Promise<void>;
  send(text: string): Promise<void>;
  retry(id: string): Promise<void>;
  edit(id: string, text: string): Promise<void>;
  delete(id: string): Promise<void>;
  written(what: Written): void;
  read(): void;
  clear(): Promise<void>;
}

/** One conversation in memory: the pages that were loaded, and what a screen sees of them. */
export class Conversation implements ConversationView {
  readonly id: string;
  readonly contact: ContactView;
  readonly name: ReadonlySignal<string>;
  readonly #commands: ConversationCommands;
  readonly #messages = signal<readonly MessageView[]>([]);
  readonly #hasOlder = signal(false);
  readonly #draft = signal("");
  readonly #editing = signal<Editing | undefined>(undefined);
  #before: number | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;
  #visible = false;
  /** The rows of `messages`, and the author and id of each to look up. */
  #rows: readonly Row[] = [];
  #known = new Set<string>();
  #summary: Summary;

  constructor(
    contact: ContactView,
    summary: Summary,
    commands: ConversationCommands,
  ) {
    this.id = summary.conversation;
    this.contact = contact;
    this.name = computed(() => contact.state.value.name);
    this.#summary = summary;
    this.#draft.value = summary.draft;
    this.#editing.value = summary.editing;
    this.#commands = commands;
  }

  get messages(): ReadonlySignal<readonly MessageView[]> {
    return this.#messages;
  }

  get hasOlder(): ReadonlySignal<boolean> {
    return this.#hasOlder;
  }

  get draft(): ReadonlySignal<string> {
    return this.#draft;
  }

  get editing(): ReadonlySignal<Editing | undefined> {
    return this.#editing;
  }

  get visible(): boolean {
    return this.#visible;
  }

  /** The entry of the list. */
  get summary(): ConversationSummary {
    const { last } = this.#summary;
    const contact = this.contact.state.value;
    return {
      id: this.id,
      name: contact.name,
      contact,
      unread: this.#summary.unread,
      draft: this.#draft.value,
      time: this.#summary.activity,
      last: last && viewOf(last),
    };
  }

  /** Loads the newest page, once. */
  open(): Promise<void> {
    this.#loading ??= this.#commands.load(undefined);
    return this.#loading;
  }

  async loadOlder(): Promise<void> {
    await this.open();
    if (this.#before !== undefined) await this.#commands.load(this.#before);
  }

  send(text: string): Promise<void> {
    // On disk the draft goes with the commit that brings the message.
    if (this.#draft.value.trim() === text.trim()) this.#draft.value = "";
    return this.#commands.send(text);
  }

  retry(id: string): Promise<void> {
    return this.#commands.retry(id);
  }

  async edit(id: string, text: string): Promise<void> {
    const isEdited = this.#editing.value?.id === id;
    // On disk in the commit that brings the edit.
    if (isEdited) this.#editing.value = undefined;
    try {
      await this.#commands.edit(id, text);
    } catch (error) {
      if (isEdited) this.setEditing(this.#editing.value ?? { id, text });
      throw error;
    }
  }

  deleteForEveryone(id: string): Promise<void> {
    return this.#commands.delete(id);
  }

  setDraft(text: string): void {
    if (text === this.#draft.value) return;
    this.#draft.value = text;
    this.#commands.written({ text });
  }

  setEditing(editing: Editing | undefined): void {
    this.#editing.value = editing;
    this.#commands.written({ editing: editing ?? null });
  }

  clear(): Promise<void> {
    return this.#commands.clear();
  }

  setVisible(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    if (visible) this.#commands.read();
  }

  /** A page came from disk: the newest, or the one before what is here. */
  show(page: { rows: readonly Row[]; before: number | undefined }): void {
    const keys = page.rows.map(keyOf);
    if (keys.some((key) => this.#known.has(key))) return; // asked for twice at once
    this.#loaded = true;
    this.#before = page.before;
    this.#rows = [...page.rows, ...this.#rows];
    for (const key of keys) this.#known.add(key);
    batch(() => {
      this.#messages.value = [
        ...page.rows.map(viewOf),
        ...this.#messages.value,
      ];
      this.#hasOlder.value = page.before !== undefined;
    });
  }

  /** Whether all that there is was loaded, and is less than a page: what comes before it is shown at once. */
  get hasRoom(): boolean {
    return this.#before === undefined && this.#rows.length < PAGE_SIZE;
  }

  /** There is more before what was loaded than there was. */
  reachesBack(summary: Summary): void {
    this.#summary = summary;
    if (!this.#loaded || this.#rows.length === 0) return;
    this.#before ??= this.#rows[0].sequence;
    this.#hasOlder.value = true;
  }

  /** It was cleared; what is still there is shown after that. */
  cleared(summary: Summary): void {
    this.#summary = summary;
    this.#before = undefined;
    this.#rows = [];
    this.#known = new Set();
    batch(() => {
      this.#messages.value = [];
      this.#hasOlder.value = false;
      this.#draft.value = summary.draft;
      this.#editing.value = summary.editing;
    });
  }

  /** Something was committed: new rows, changed ones, and where the conversation stands now. */
  update(
    summary: Summary,
    added: readonly Row[],
    changed: readonly Row[],
  ): void {
    this.#summary = summary;
    const gone = changed.some(({ mine, id, body }) =>
      mine && id === this.#editing.value?.id && body.kind === "deleted"
    );
    if (gone) this.setEditing(undefined);
    // A page that was not loaded yet will have them.
    if (!this.#loaded) return;
    const ofHere = changed.filter((row) => this.#known.has(keyOf(row)));
    if (added.length === 0 && ofHere.length === 0) return;
    const rows = [...this.#rows];
    const messages = [...this.#messages.value];
    for (const row of ofHere) {
      // Mostly one of the last.
      const at = rows.findLastIndex((other) => keyOf(other) === keyOf(row));
      rows[at] = row;
      messages[at] = viewOf(row);
    }
    for (const row of added) {
      // It belongs to a page that was not loaded yet, which begins one further on now.
      if (this.#before !== undefined && row.sequence < this.#before) {
        this.#before++;
        continue;
      }
      const at = 1 +
        rows.findLastIndex((other) => compareRanks(other, row) < 0);
      rows.splice(at, 0, row);
      messages.splice(at, 0, viewOf(row));
      this.#known.add(keyOf(row));
    }
    this.#rows = rows;
    this.#messages.value = messages;
  }

  /** What is being written on another device. */
  takeDraft(text: string): void {
    this.#draft.value = text;
  }
}

function keyOf({ author, id }: Row): string {
  return `${author}/${id}`;
}

/** A row as a screen sees it. */
export function viewOf({ id, mine, body, time, state }: Row): MessageView {
  return {
    id,
    mine,
    body,
    time,
    state,
  };
}
