/**
 * A conversation cut into pages, so that a change redraws one page and not ten thousand rows, and the
 * browser can skip those out of sight. Where a page ends is decided by the message id alone: adding
 * at either end moves no other cut, whatever was loaded first. Pages lie in sheets, cut in the same way,
 * so that a change does not even compare all pages.
 */
import type { MessageView } from "../../lib/client/view.ts";

export interface Page {
  /** Stays while messages are added to it, at either end. */
  readonly key: string;
  readonly messages: readonly MessageView[];
  /** The message before the first one, which decides what the first row looks like. */
  readonly previous: MessageView | undefined;
}

export interface Sheet {
  /** Stays while pages are added to it, at either end. */
  readonly key: string;
  readonly pages: readonly Page[];
}

/** One id in 16 ends a page. Ids are random hex. */
function endsPage({ id }: MessageView): boolean {
  return id.endsWith("0");
}

/** One page in 16 ends a sheet. */
function endsSheet({ messages }: Page): boolean {
  return messages[messages.length - 1].id.endsWith("00");
}

function same(a: MessageView | undefined, b: MessageView | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined &&
    a.id === b.id && a.state === b.state && a.time === b.time &&
    a.mine === b.mine && sameBody(a.body, b.body);
}

function sameBody(a: MessageView["body"], b: MessageView["body"]): boolean {
  return a.kind === "text" && b.kind === "text"
    ? a.text === b.text && a.edited === b.edited
    : a.kind === b.kind;
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
  const byFirst = new Map(before.map((page) => [page.messages[0].id, page]));
  const byKey = new Map(before.map((page) => [page.key, page]));
  const pages: Page[] = [];
  for (let start = 0; start < messages.length;) {
    const there = byFirst.get(messages[start].id);
    if (there && stands(there, messages, start)) {
      pages.push(there);
      start += there.messages.length;
      continue;
    }
    let end = start;
    let former: Page | undefined;
    do former ??= byKey.get(messages[end].id); while (
      !endsPage(messages[end++]) && end < messages.length
    );
    pages.push({
      // One of its own ids, so no other page's.
      key: former?.key ?? messages[start].id,
      messages: messages.slice(start, end),
      previous: messages[start - 1],
    });
    start = end;
  }
  return pages;
}

/** Sheets of `pages`, oldest first. A sheet equal to one of `before` is that very object. */
export function bind(
  pages: readonly Page[],
  before: readonly Sheet[] = [],
): Sheet[] {
  const old = new Map(before.map((sheet) => [sheet.key, sheet]));
  const sheets: Sheet[] = [];
  for (let start = 0; start < pages.length;) {
    let end = start;
    let former: Sheet | undefined;
    do former ??= old.get(pages[end].key); while (
      !endsSheet(pages[end++]) && end < pages.length
    );
    const stands = former?.pages.length === end - start &&
      former.pages.every((page, i) => page === pages[start + i]);
    sheets.push(
      former && stands
        ? former
        // The key of one of its own pages, so no other sheet's.
        : {
          key: former?.key ?? pages[start].key,
          pages: pages.slice(start, end),
        },
    );
    start = end;
  }
  return sheets;
}
