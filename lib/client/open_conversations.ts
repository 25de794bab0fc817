import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import type { ConversationLog, Row } from "./content/mod.ts";
import type { Conversation } from "./conversation.ts";
import type { Entry } from "./ledger.ts";
import type { ConversationSummary } from "./view.ts";

/** What a step did to a conversation. */
export interface Change {
  readonly added?: Row;
  readonly changed: readonly Row[];
}

/** The conversations in memory, as screens see them: shown as they are after each commit. */
export class OpenConversations {
  readonly #log: ConversationLog;
  readonly #open = new Map<string, Conversation>();
  /** Counts changes, so that the list is computed anew. */
  readonly #version: Signal<number> = signal(0);
  readonly list: ReadonlySignal<readonly ConversationSummary[]> = computed(
    () => {
      void this.#version.value;
      return [...this.#open.values()].map(({ summary }) => summary)
        .sort((a, b) => b.time - a.time || (a.id < b.id ? -1 : 1));
    },
  );

  constructor(log: ConversationLog) {
    this.#log = log;
  }

  get(id: string): Conversation | undefined {
    return this.#open.get(id);
  }

  add(conversation: Conversation): void {
    this.#open.set(conversation.id, conversation);
    this.touched();
  }

  remove(id: string): void {
    this.#open.delete(id);
    this.touched();
  }

  clear(): void {
    this.#open.clear();
    this.touched();
  }

  /** What the list says of one is not what it was. */
  touched(): void {
    this.#version.value++;
  }

  /** Shows, after the commit, what a step did. */
  async changed(
    entry: Entry,
    conversation: string,
    { added, changed }: Change,
  ): Promise<void> {
    const [summary] = await this.#log.summaries(entry, [conversation]);
    if (!summary) return;
    entry.after(() => {
      this.#open.get(conversation)
        ?.update(summary, added ? [added] : [], changed);
      this.touched();
    });
  }

  /** Shows, after the commit, what is left of a conversation. */
  async cleared(entry: Entry, conversation: string): Promise<void> {
    const [summary] = await this.#log.summaries(entry, [conversation]);
    const page = await this.#log.page(entry, conversation);
    entry.after(() => {
      const open = this.#open.get(conversation);
      if (summary) open?.cleared(summary);
      open?.show(page);
      this.touched();
    });
  }

  /** Shows, after the commit, that there is more before what was loaded; false when all is to be shown anew. */
  async reachesBack(entry: Entry, conversation: string): Promise<boolean> {
    if (this.#open.get(conversation)?.hasRoom) return false;
    const [summary] = await this.#log.summaries(entry, [conversation]);
    if (summary) {
      entry.after(() => {
        this.#open.get(conversation)?.reachesBack(summary);
        this.touched();
      });
    }
    return true;
  }
}
