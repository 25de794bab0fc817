/**
 * A conversation cut into pages, so that a change redraws one page and not ten thousand rows, and the
 * browser can skip those out of sight. Where a page ends is decided by the message id alone: adding
 * at either end moves no other cut, whatever was loaded first.
 */
import type { MessageView } from "../../lib/client/view.ts";

export interface Page {
  /** Stays while messages are added to it. */
  readonly key: string;
  readonly messages: readonly MessageView[];
  /** The message before the first one, which decides what the first row looks like. */
  readonly previous: MessageView | undefined;
}

/** One id in 16 ends a page. Ids are random hex. */
function endsPage({ id }: MessageView): boolean {
  return Number.parseInt(id.slice(-2), 16) % 16 === 0;
}

function same(a: MessageView, b: MessageView): boolean {
  return a === b ||
    a.id === b.id && a.state === b.state && a.time === b.time &&
      a.mine === b.mine && a.body.kind === b.body.kind &&
      (a.body.kind !== "text" || b.body.kind !== "text" ||
        a.body.text === b.body.text);
}

function reusable(page: Page, old: Page | undefined): old is Page {
  return old !== undefined && old.messages.length === page.messages.length &&
    (old.previous === page.previous ||
      old.previous !== undefined && page.previous !== undefined &&
        same(old.previous, page.previous)) &&
    old.messages.every((message, i) => same(message, page.messages[i]));
}

/** Pages of `messages`, oldest first. A page equal to one of `before` is that very object. */
export function paginate(
  messages: readonly MessageView[],
  before: readonly Page[] = [],
): Page[] {
  const old = new Map(before.map((page) => [page.key, page]));
  const pages: Page[] = [];
  let start = 0;
  for (let i = 0; i < messages.length; i++) {
    const last = i === messages.length - 1;
    if (!endsPage(messages[i]) && !last) continue;
    // Named after its end, which stays when older messages come; the newest page has none yet.
    const key = endsPage(messages[i]) ? messages[i].id : "newest";
    const page: Page = {
      key,
      messages: messages.slice(start, i + 1),
      previous: messages[start - 1],
    };
    const former = old.get(key);
    pages.push(reusable(page, former) ? former : page);
    start = i + 1;
  }
  return pages;
}
