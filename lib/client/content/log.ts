/**
 * A conversation's log: appended to by events, read as rows in pages. Made for
 * 100,000 messages: whatever is done, it reads and writes a handful of records.
 *
 * Writing goes to a `VaultWriter`, so that the caller commits it together with
 * ratchet state and outbox.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { FAR_AHEAD_MS } from "../clock.ts";
import type { VaultChange, VaultReader, VaultWriter } from "../storage/mod.ts";
import { type Content, MAX_TIME, parseContent } from "./content.ts";
import { MAX_AWAITED } from "./limits.ts";
import { forgetAwaited, keepAwaited } from "./awaited.ts";
import {
  type Cleared,
  type Editing,
  entries,
  type Entry,
  entryId,
  keysBetween,
  PAGE_SIZE,
  sameEntry,
  summaries,
  type SummaryRecord,
} from "./log_records.ts";
import {
  merge,
  type MessageKey,
  NOTHING,
  type Part,
  partsOf,
  type Progress,
} from "./message_state.ts";
import { newsBetween, place } from "./placing.ts";
import { bodyOf, contentOf, reactionsOf, type Row } from "./row.ts";

/** What an event came to. */
export interface Appended {
  /** The new message, when the event is one; undefined for a repeat. */
  readonly added?: Row;
  /** Messages that were there already and look different now. */
  readonly changed: readonly Row[];
}

export interface Page {
  /** Oldest first. */
  readonly rows: readonly Row[];
  /** What to pass as `before` for the page before this one; undefined when there is none. */
  readonly before: number | undefined;
}

export interface Summary {
  readonly conversation: string;
  readonly unread: number;
  readonly draft: string;
  readonly editing?: Editing;
  /** ms since the epoch by this device's clock: the last message's arrival, or the beginning. */
  readonly activity: number;
  readonly last?: Row;
}

/** A message that nothing is stored of. */
const UNKNOWN: Entry = { state: NOTHING, failed: false };

export class ConversationLog {
  readonly #me: string;

  /** @param me account id of this account */
  constructor(me: string) {
    this.#me = me;
  }

  /** Begins a conversation; one that is there stays as it is. @param at ms since the epoch */
  async start(w: VaultWriter, conversation: string, at: number): Promise<void> {
    if (!await w.get(summaries, hexToBytes(conversation))) {
      w.put(summaries, hexToBytes(conversation), emptySummary(at));
    }
  }

  /**
   * Adds an event, own or received. Adding it again changes nothing. Of events about messages that
   * have not arrived, those about the first `MAX_AWAITED` of them are kept, and the rest dropped; a
   * receipt for an own message is dropped as well, unless another device may have sent it.
   * @param event.author account id of its author: for what was received, whom the
   *   Signal session proves. The caller has checked that the conversation is theirs.
   * @param event.at when it arrived (or was written) by this device's clock, ms since the epoch
   * @param event.alone whether the account has no other device: its messages are here before anybody's answer
   */
  async append(
    w: VaultWriter,
    { content, author, at, alone = true }: {
      content: Content;
      author: string;
      at: number;
      alone?: boolean;
    },
  ): Promise<Appended> {
    const { conversation } = content;
    const parts = partsOf(content, author, this.#me);
    if (parts.length === 0) return { changed: [] };
    const targets = parts.map(({ target }) => target);
    const namesake = { author: this.#me, id: targets[0].id };
    const before = await this.#entries(
      w,
      conversation,
      author === this.#me ? targets : [...targets, namesake],
    );
    if (isImpostor(parts[0], before[targets.length])) return { changed: [] };
    let added: Row | undefined;
    const changed: Row[] = [];
    for (const [i, { target, state }] of parts.entries()) {
      const old = before[i];
      if (state.progress && !old.place && alone) continue;
      const entry = { ...old, state: merge(old.state, state) };
      if (state.base && !old.place) {
        const awaited = old !== UNKNOWN;
        added = await this.#place(w, conversation, target, entry, at, awaited);
      } else if (!sameEntry(old, entry)) {
        const room = old !== UNKNOWN ||
          await this.#await(w, conversation, target, at);
        if (!room) continue;
        w.put(entries, entryId(conversation, target), entry);
        const row = this.#row(conversation, target, entry);
        if (row) changed.push(row);
        if (state.deleted && author === this.#me) {
          await this.#stopEditing(w, conversation, target.id);
        }
      }
    }
    return { added, changed };
  }

  /**
   * Adds a message that was composed here just now. Its id is new and random, so nothing is looked
   * up for it: `append` would ask the disk for what can't be there.
   * @param at ms since the epoch
   * @returns undefined for what does not stay in the conversation
   */
  async compose(
    w: VaultWriter,
    content: Content,
    at: number,
  ): Promise<Row | undefined> {
    const [part] = partsOf(content, this.#me, this.#me);
    if (!part?.state.base) return undefined;
    const { target, state } = part;
    const entry = { ...UNKNOWN, state };
    return await this.#place(w, content.conversation, target, entry, at, false);
  }

  /** Own messages have come this far; what has come further stays. Returns those that changed. */
  async raise(
    w: VaultWriter,
    conversation: string,
    ids: readonly string[],
    progress: Progress,
  ): Promise<Row[]> {
    return await this.#changeOwn(w, conversation, ids, (entry) => ({
      ...entry,
      state: merge(entry.state, { ...NOTHING, progress }),
    }));
  }

  /** Sending an own message was given up, or is tried again. Without effect once it was sent. */
  async setFailed(
    w: VaultWriter,
    conversation: string,
    id: string,
    failed: boolean,
  ): Promise<Row | undefined> {
    const rows = await this.#changeOwn(
      w,
      conversation,
      [id],
      (entry) => ({ ...entry, failed }),
    );
    return rows[0];
  }

  /** The newest rows, or those before `before`: up to 50. */
  async page(
    r: VaultReader,
    conversation: string,
    before?: number,
  ): Promise<Page> {
    const summary = await r.get(summaries, hexToBytes(conversation));
    const { next = 0, clearedTo = 0 } = summary ?? {};
    const end = Math.max(before ?? next, clearedTo);
    const start = Math.max(clearedTo, end - PAGE_SIZE);
    const rows = await this.#rowsBetween(r, conversation, start, end);
    return { rows, before: start > clearedTo ? start : undefined };
  }

  /**
   * Rows from the sequence `after` on, oldest first, up to 50: for reading a conversation from its
   * beginning, 0. `after` of what it gives is for the next; undefined at the end.
   */
  async pageAfter(
    r: VaultReader,
    conversation: string,
    after: number,
  ): Promise<
    { readonly rows: readonly Row[]; readonly after: number | undefined }
  > {
    const summary = await r.get(summaries, hexToBytes(conversation));
    const { next = 0, clearedTo = 0 } = summary ?? {};
    const start = Math.max(after, clearedTo);
    const end = Math.min(start + PAGE_SIZE, next);
    return {
      rows: await this.#rowsBetween(r, conversation, start, end),
      after: end < next ? end : undefined,
    };
  }

  /**
   * One message, as shown and as sent; `content` is undefined once it was taken back. `edit`: the
   * newest, as it was sent.
   */
  async find(
    r: VaultReader,
    conversation: string,
    key: MessageKey,
  ): Promise<
    | {
      readonly row: Row;
      readonly content: Content | undefined;
      readonly edit: Content | undefined;
    }
    | undefined
  > {
    const [entry] = await this.#entries(r, conversation, [key]);
    const row = this.#row(conversation, key, entry);
    const { edit } = entry.state;
    return row && {
      row,
      content: contentOf(entry.state),
      edit: edit && parseContent(edit),
    };
  }

  /**
   * Own messages, oldest first, among the last `most` of the conversation, and such as are younger than
   * `since` (ms since the epoch, by this device's clock): those of which nobody has confirmed that they
   * arrived, and of the others those that were changed.
   */
  async toBeSaidAgain(
    r: VaultReader,
    conversation: string,
    { since, most }: { since: number; most: number },
  ): Promise<{ unconfirmed: string[]; changed: string[] }> {
    const summary = await r.get(summaries, hexToBytes(conversation));
    const { next = 0, clearedTo = 0 } = summary ?? {};
    const start = Math.max(clearedTo, next - most);
    const rows = await this.#rowsBetween(r, conversation, start, next);
    const unconfirmed: string[] = [];
    const changed: string[] = [];
    for (const { id, mine, arrived, state, body } of rows) {
      if (!mine || arrived < since) continue;
      if (state !== "delivered" && state !== "read") unconfirmed.push(id);
      else if (body.kind === "deleted" || body.kind === "text" && body.edited) {
        changed.push(id);
      }
    }
    return { unconfirmed, changed };
  }

  /** In the order of `conversations`; undefined for one that was never started. */
  async summaries(
    r: VaultReader,
    conversations: readonly string[],
  ): Promise<(Summary | undefined)[]> {
    const records = await r.getMany(summaries, conversations.map(hexToBytes));
    const withLast = conversations.flatMap((conversation, i) => {
      const last = records[i]?.last;
      return last ? [{ conversation, last }] : [];
    });
    const found = await r.getMany(
      entries,
      withLast.map(({ conversation, last }) => entryId(conversation, last)),
    );
    const lastRows = new Map(withLast.map(({ conversation, last }, i) => {
      const entry = found[i];
      return [conversation, entry && this.#row(conversation, last, entry)];
    }));
    return conversations.map((conversation, i) => {
      const record = records[i];
      return record && {
        conversation,
        unread: record.unread,
        draft: record.draft,
        editing: record.editing,
        activity: record.activity,
        last: lastRows.get(conversation),
      };
    });
  }

  /** What is being written; the empty text for nothing. @param now ms since the epoch */
  async setDraft(
    w: VaultWriter,
    conversation: string,
    draft: string,
    now: number,
  ): Promise<void> {
    const summary = await w.get(summaries, hexToBytes(conversation));
    if (!summary || summary.draft === draft) return;
    const draftAt = Math.max(now, summary.draftAt + 1);
    w.put(summaries, hexToBytes(conversation), { ...summary, draft, draftAt });
  }

  /** An own message is being edited on this device, or none. */
  async setEditing(
    w: VaultWriter,
    conversation: string,
    editing: Editing | undefined,
  ): Promise<void> {
    const summary = await w.get(summaries, hexToBytes(conversation));
    if (!summary || !summary.editing && !editing) return;
    w.put(summaries, hexToBytes(conversation), { ...summary, editing });
  }

  /**
   * What is being written on another device: of two drafts the later stays, at the same moment the
   * one that sorts behind. Gives the one that stays.
   * @param now ms since the epoch; nothing is later than ten years ahead of it, so that something can follow
   */
  async takeDraft(
    w: VaultWriter,
    conversation: string,
    { text, time: said }: { text: string; time: number },
    now: number,
  ): Promise<string | undefined> {
    const summary = await w.get(summaries, hexToBytes(conversation));
    if (!summary) return undefined;
    const { draft, draftAt } = summary;
    const time = Math.min(said, now + FAR_AHEAD_MS);
    const later = time > draftAt || time === draftAt && text > draft;
    if (!later) return draft;
    w.put(summaries, hexToBytes(conversation), {
      ...summary,
      draft: text,
      draftAt: time,
    });
    return text;
  }

  /** The draft as other devices are told of it. */
  async draft(
    r: VaultReader,
    conversation: string,
  ): Promise<{ text: string; time: number } | undefined> {
    const summary = await r.get(summaries, hexToBytes(conversation));
    return summary && { text: summary.draft, time: summary.draftAt };
  }

  /** What was cleared on this device last; undefined when nothing was. */
  async cleared(
    r: VaultReader,
    conversation: string,
  ): Promise<Cleared | undefined> {
    const summary = await r.get(summaries, hexToBytes(conversation));
    return summary?.cleared;
  }

  /**
   * Everything that is there counts as read.
   * @returns the others' messages that were unread, in their order: what read receipts are for
   */
  async markRead(w: VaultWriter, conversation: string): Promise<MessageKey[]> {
    const summary = await w.get(summaries, hexToBytes(conversation));
    if (!summary || summary.readUpTo === summary.next) return [];
    const { readUpTo, next } = summary;
    const news = await newsBetween(w, conversation, readUpTo, next, this.#me);
    w.put(summaries, hexToBytes(conversation), {
      ...summary,
      unread: 0,
      readUpTo: summary.next,
    });
    return news;
  }

  /** Messages of `author` count as read, those that have not arrived yet included. */
  async markReadOf(
    w: VaultWriter,
    conversation: string,
    { author, ids, at }: { author: string; ids: readonly string[]; at: number },
  ): Promise<void> {
    const keys = [...new Set(ids)].map((id) => ({ author, id }));
    const found = await this.#entries(w, conversation, keys);
    for (const [i, key] of keys.entries()) {
      const entry = found[i];
      if (entry.read) continue;
      const { unread = 0, readUpTo = 0 } =
        await w.get(summaries, hexToBytes(conversation)) ?? {};
      if (entry.place && entry.place.sequence < readUpTo) continue;
      const room = entry !== UNKNOWN ||
        await this.#await(w, conversation, key, at);
      if (!room) continue;
      w.put(entries, entryId(conversation, key), { ...entry, read: true });
      const summary = await w.get(summaries, hexToBytes(conversation));
      if (!summary || !entry.place) continue;
      w.put(summaries, hexToBytes(conversation), {
        ...summary,
        unread: unread - 1,
      });
    }
  }

  /** The rank of a message that is written now: above those of all that there is. @param now ms since the epoch */
  async nextRank(
    r: VaultReader,
    conversation: string,
    now: number,
  ): Promise<number> {
    const summary = await r.get(summaries, hexToBytes(conversation));
    return Math.min(Math.max(now, (summary?.rank ?? 0) + 1), MAX_TIME);
  }

  /** Gives a message that arrived its place. */
  async #place(
    w: VaultWriter,
    conversation: string,
    key: MessageKey,
    entry: Entry,
    at: number,
    awaited: boolean,
  ): Promise<Row | undefined> {
    const before = await w.get(summaries, hexToBytes(conversation)) ??
      emptySummary(at);
    const own = key.author === this.#me;
    const message = { key, entry };
    const placed = await place(w, conversation, before, message, { at, own });
    const { summary } = placed;
    w.put(summaries, hexToBytes(conversation), {
      ...summary,
      awaited: Math.max(0, summary.awaited - (awaited ? 1 : 0)),
    });
    if (awaited) await forgetAwaited(w, conversation, key);
    return this.#row(conversation, key, placed.entry);
  }

  /** Counts one more message that is spoken of and has not arrived; false when there are too many. */
  async #await(
    w: VaultWriter,
    conversation: string,
    key: MessageKey,
    at: number,
  ): Promise<boolean> {
    const summary = await w.get(summaries, hexToBytes(conversation)) ??
      emptySummary(at);
    if (summary.awaited >= MAX_AWAITED) return false;
    w.put(summaries, hexToBytes(conversation), {
      ...summary,
      awaited: summary.awaited + 1,
    });
    await keepAwaited(w, conversation, key);
    return true;
  }

  /** What was taken back is edited no more, and nothing of it stays. */
  async #stopEditing(
    w: VaultWriter,
    conversation: string,
    id: string,
  ): Promise<void> {
    const summary = await w.get(summaries, hexToBytes(conversation));
    if (summary?.editing?.id !== id) return;
    w.put(summaries, hexToBytes(conversation), {
      ...summary,
      editing: undefined,
    });
  }

  async #changeOwn(
    w: VaultWriter,
    conversation: string,
    ids: readonly string[],
    change: (entry: Entry) => Entry,
  ): Promise<Row[]> {
    const keys = [...new Set(ids)].map((id) => ({ author: this.#me, id }));
    const found = await this.#entries(w, conversation, keys);
    return keys.flatMap((key, i) => {
      const entry = change(found[i]);
      if (!entry.place || sameEntry(found[i], entry)) return [];
      w.put(entries, entryId(conversation, key), entry);
      return this.#row(conversation, key, entry) ?? [];
    });
  }

  async #entries(
    r: VaultReader,
    conversation: string,
    keys: readonly MessageKey[],
  ): Promise<Entry[]> {
    const found = await r.getMany(
      entries,
      keys.map((key) => entryId(conversation, key)),
    );
    return found.map((entry) => entry ?? UNKNOWN);
  }

  async #rowsBetween(
    r: VaultReader,
    conversation: string,
    start: number,
    end: number,
  ): Promise<Row[]> {
    const keys = await keysBetween(r, conversation, start, end);
    const found = await this.#entries(r, conversation, keys);
    return keys.flatMap((key, i) =>
      this.#row(conversation, key, found[i]) ?? []
    );
  }

  #row(
    conversation: string,
    key: MessageKey,
    { state, place, failed }: Entry,
  ): Row | undefined {
    if (!state.base || !place) return undefined;
    const mine = key.author === this.#me;
    return {
      ...key,
      conversation,
      mine,
      ...place,
      rank: state.base.rank,
      time: state.base.time,
      body: bodyOf(state),
      reactions: reactionsOf(state),
      state: mine
        ? state.progress ?? (failed ? "failed" : "sending")
        : undefined,
    };
  }
}

/**
 * Whether somebody else's message carries the id of an own one. A contact knows
 * those ids; used again they would make two messages look like one.
 * @param namesake the own message with that id, for what somebody else said
 */
function isImpostor({ state }: Part, namesake: Entry | undefined): boolean {
  return state.base !== undefined && namesake?.place !== undefined;
}

function emptySummary(at: number): SummaryRecord {
  return {
    next: 0,
    readUpTo: 0,
    unread: 0,
    activity: at,
    draft: "",
    draftAt: 0,
    rank: 0,
    awaited: 0,
    clearedTo: 0,
    erasedTo: 0,
  };
}

/** The log of a conversation in which nothing was said since `at` (ms since the epoch). */
export function emptyLog(conversation: string, at: number): VaultChange {
  return summaries.put(hexToBytes(conversation), emptySummary(at));
}
