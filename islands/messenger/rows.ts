/** What stands between bubbles, and which of them belong together. */
import type { MessageView } from "../../lib/client/view.ts";
import { dayNumber } from "../format/date.ts";

/** Bubbles of one person further apart than this stand apart. */
const TOGETHER = 5 * 60_000;

export type Row =
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  | { readonly kind: "unread"; readonly key: string }
  | {
    readonly kind: "message";
    readonly key: string;
    readonly message: MessageView;
    /** The first of a run by one person: it has the tail, and room above. */
    readonly first: boolean;
  };

/** Rows of some messages. `previous` is the message before them, `unreadFrom` the id that the unread divider goes above. */
export function rowsOf(
  messages: readonly MessageView[],
  previous: MessageView | undefined,
  unreadFrom: string | undefined,
): Row[] {
  const rows: Row[] = [];
  let before = previous;
  for (const message of messages) {
    const newDay = !before ||
      dayNumber(before.time) !== dayNumber(message.time);
    const unread = message.id === unreadFrom;
    if (newDay) {
      rows.push({ kind: "day", key: `day ${message.id}`, at: message.time });
    }
    if (unread) rows.push({ kind: "unread", key: "unread" });
    rows.push({
      kind: "message",
      key: message.id,
      message,
      first: newDay || unread || before?.mine !== message.mine ||
        message.time - before.time > TOGETHER,
    });
    before = message;
  }
  return rows;
}

/** What was unread at the moment a conversation came into view. */
export interface Unread {
  readonly count: number;
  /** Id of the newest message at that moment. */
  readonly newest: string;
}

/** The oldest unread message, if it is loaded: counted back from the newest of that moment over what others wrote. */
export function firstUnread(
  messages: readonly MessageView[],
  unread: Unread | undefined,
): string | undefined {
  if (!unread || unread.count === 0) return undefined;
  let left = unread.count;
  let counting = false;
  for (let i = messages.length - 1; i >= 0; i--) {
    counting ||= messages[i].id === unread.newest;
    if (!counting || messages[i].mine) continue;
    left--;
    if (left === 0) return messages[i].id;
  }
  return undefined;
}

/**
 * What others wrote before `opened` (ms since the epoch) and came after the message with id `since`:
 * it waited while nobody looked. undefined when there is none.
 */
export function waitedSince(
  messages: readonly MessageView[],
  since: string,
  opened: number,
): Unread | undefined {
  let unread: Unread | undefined;
  for (let i = messages.length - 1; i >= 0 && messages[i].id !== since; i--) {
    const { mine, time, id } = messages[i];
    if (mine || (!unread && time >= opened)) continue;
    unread = { newest: unread?.newest ?? id, count: (unread?.count ?? 0) + 1 };
  }
  return unread;
}

/** How many messages of the other person came after the one with id `since`. */
export function countAfter(
  messages: readonly MessageView[],
  since: string | undefined,
): number {
  let count = 0;
  for (let i = messages.length - 1; i >= 0; i--) {
    if (messages[i].id === since) return count;
    if (!messages[i].mine) count++;
  }
  return 0;
}
