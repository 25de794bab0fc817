/**
 * A conversation cut into pages, so that a change redraws one page and not ten thousand rows, and the
 * browser can skip those out of sight. Where a page ends is decided by the message id alone: adding
 * at either end moves no other cut, whatever was loaded first.
 */
import type { MessageView } from "../../lib/client/view.ts";

export interface Page {
  /** Stays while messages are added to it, at either end. */
  readonly key: string;
  readonly messages: readonly MessageView[];
  /** The message before the first one, which decides what the first row looks like. */
  readonly previous: MessageView | undefined;
}

/** One id in 16 ends a page. Ids are random hex. */
function endsPage({ id }: MessageView): boolean {
  return id.endsWith("0");
}

function same(a: MessageView | undefined, b: MessageView | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined &&
    a.id === b.id && a.state === b.state && a.time === b.time &&
    a.mine === b.mine && a.body.kind === b.body.kind &&
    (a.body.kind !== "text" || b.body.kind !== "text" ||
      a.body.text === b.body.text);
}

/** Whether `old` is the page from `start` on, as it would be cut now. */
function stands(
  old: Page,
  messages: readonly MessageView[],
  start: number,
): boolean {
  const end = start + old.messages.length;
  return (end === messages.length || endsPage(old.messages[end - start - 1])) &&
    same(old.previous, messages[start - 1]) &&
    old.messages.every((message, i) => same(message, messages[start + i]));
}

/** Pages of `messages`, oldest first. A page equal to one of `before` is that very object. */
export function paginate(
  messages: readonly MessageView[],
  before: readonly Page[] = [],
): Page[] {
  const oldest = before[0]?.messages[0].id;
  /** Where what is in `before` begins; -1 when it is not here. */
  const shift = messages.findIndex(({ id }) => id === oldest);
  const old = new Map<number, Page>();
  for (let i = 0, at = shift; shift >= 0 && i < before.length; i++) {
    old.set(at, before[i]);
    at += before[i].messages.length;
  }
  const pages: Page[] = [];
  for (let start = 0; start < messages.length;) {
    let former = old.get(start);
    if (former && stands(former, messages, start)) {
      pages.push(former);
      start += former.messages.length;
      continue;
    }
    let end = start;
    do former ??= old.get(end); while (
      !endsPage(messages[end++]) && end < messages.length
    );
    pages.push({
      // One of its own ids, so no other page's: pages grow together and never come apart.
      key: former?.key ?? messages[start].id,
      messages: messages.slice(start, end),
      previous: messages[start - 1],
    });
    start = end;
  }
  return pages;
}
