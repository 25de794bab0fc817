/** What was said: pages of bubbles, scrolled from the newest. */
import "./message_log.css";
import { type Signal, useComputed, useSignal } from "@preact/signals";
import { ArrowDown, LockKeyhole } from "lucide-preact";
import { useEffect, useRef } from "preact/hooks";
import type { ConversationView } from "../../lib/client/view.ts";
import { minute } from "../clock.ts";
import { dates } from "../format/mod.ts";
import { pageVisible } from "../page_visible.ts";
import { memo } from "../parts/memo.tsx";
import { announce } from "../parts/loudspeaker.tsx";
import { text } from "../text/mod.ts";
import { fetched } from "../parts/on_demand.tsx";
import { Bubble } from "./bubble.tsx";
import { bind, type Page, paginate, type Sheet } from "./pages.ts";
import { countAfter, firstUnread, rowsOf, type Unread } from "./rows.ts";
import {
  AWAY,
  useHeldScroll,
  useOlder,
  useStartAtUnread,
} from "./scrolling.ts";

const words = text.conversation;

// Fetched once there are messages on the screen, which are not to wait for it.
const MessageOptions = fetched(
  async () => (await import("./message_options.tsx")).MessageOptions,
  () => null,
);

/** The newest pages, and all from the unread divider on, are always laid out; the browser may skip those before. */
const NEAR = 4;

export function MessageLog(
  { view, unread }: {
    view: ConversationView;
    unread: Signal<Unread | undefined>;
  },
) {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const scrolled = useRef(0);
  const former = useRef<{ pages: Page[]; sheets: Sheet[] }>({
    pages: [],
    sheets: [],
  });
  const log = useComputed(() => {
    const pages = paginate(view.messages.value, former.current.pages);
    const sheets = bind(pages, former.current.sheets);
    former.current = { pages, sheets };
    return former.current;
  });
  const unreadFrom = useComputed(() =>
    firstUnread(view.messages.value, unread.value)
  );
  /** Id of the newest message when the person scrolled away from it. */
  const leftAt = useSignal<string | undefined>(undefined);

  useHeldScroll(scroller, scrolled, view);
  useOlder(scroller, top, view);
  useAnnouncements(view);
  useStartAtUnread(scroller, view, unread.value, unreadFrom.value);

  const onScroll = () => {
    scrolled.current = scroller.current?.scrollTop ?? 0;
    const away = scrolled.current < -AWAY;
    if (away === (leftAt.peek() !== undefined)) return;
    leftAt.value = away ? view.messages.peek().at(-1)?.id : undefined;
  };

  const count = unread.value?.count ?? 0;
  const { pages, sheets } = log.value;
  const divider = unreadFrom.value;
  const dividerPage = divider === undefined
    ? undefined
    : pages.find(({ messages }) => messages.some(({ id }) => id === divider));
  let near = pages.length - NEAR;
  if (dividerPage) near = Math.min(near, pages.indexOf(dividerPage));
  let before = 0;
  return (
    <div class="log-frame">
      <div
        ref={scroller}
        class="log"
        role="log"
        aria-label={words.messages}
        // What arrives is announced once and shortly (see below), not with all that loading brings.
        aria-live="off"
        tabIndex={0}
        onScroll={onScroll}
      >
        <div class="log-content">
          <div ref={top} />
          {view.hasOlder.value
            ? <p class="log-older">{words.loadingOlder}</p>
            : (
              <p class="log-beginning">
                <LockKeyhole size={14} aria-hidden="true" />
                {words.beginning(view.name.value)}
                {pages.length === 0 && ` ${words.firstMessage}`}
              </p>
            )}
          {sheets.map((sheet, i) => {
            const from = before;
            before += sheet.pages.length;
            const divided = dividerPage && sheet.pages.includes(dividerPage);
            return (
              <SheetPages
                key={sheet.key}
                sheet={sheet}
                whole={i > 0}
                far={Math.max(0, Math.min(near - from, sheet.pages.length))}
                name={view.name.value}
                dividerPage={divided ? dividerPage : undefined}
                unreadFrom={divided ? divider : undefined}
                unreadCount={divided ? count : 0}
                retry={retryOf(view)}
              />
            );
          })}
        </div>
      </div>
      {pages.length > 0 && <MessageOptions view={view} log={scroller} />}
      {leftAt.value !== undefined && (
        <JumpButton
          newer={countAfter(view.messages.value, leftAt.value)}
          onClick={() => {
            scroller.current?.scrollTo({ top: 0, behavior: "smooth" });
            scroller.current?.focus({ preventScroll: true });
          }}
        />
      )}
    </div>
  );
}

const retries = new WeakMap<ConversationView, (id: string) => void>();

/** The same function for the same conversation, so that pages stay as they are. */
function retryOf(view: ConversationView): (id: string) => void {
  let retry = retries.get(view);
  if (!retry) {
    retry = (id) => void view.retry(id);
    retries.set(view, retry);
  }
  return retry;
}

/** `whole`: nothing will be put before it. `far`: how many of the pages, the first ones, need not be laid out while they are out of sight. */
const SheetPages = memo(function SheetPages(
  { sheet, whole, far, name, dividerPage, unreadFrom, unreadCount, retry }: {
    sheet: Sheet;
    whole: boolean;
    far: number;
    name: string;
    dividerPage: Page | undefined;
    unreadFrom: string | undefined;
    unreadCount: number;
    retry: (id: string) => void;
  },
) {
  return (
    <div
      class={whole && far === sheet.pages.length ? "log-far-sheet" : undefined}
    >
      {sheet.pages.map((page, i) => (
        <div key={page.key} class={i < far ? "log-far" : undefined}>
          <PageRows
            page={page}
            name={name}
            unreadFrom={page === dividerPage ? unreadFrom : undefined}
            unreadCount={page === dividerPage ? unreadCount : 0}
            retry={retry}
          />
        </div>
      ))}
    </div>
  );
});

const PageRows = memo(function PageRows(
  { page, name, unreadFrom, unreadCount, retry }: {
    page: Page;
    name: string;
    unreadFrom: string | undefined;
    unreadCount: number;
    retry: (id: string) => void;
  },
) {
  return (
    <>
      {rowsOf(page.messages, page.previous, unreadFrom).map((row) => {
        switch (row.kind) {
          case "day":
            return (
              <div key={row.key} class="log-day">
                <span>{dates().day(row.at, minute.value)}</span>
              </div>
            );
          case "unread":
            return (
              <div key={row.key} class="log-unread" data-unread-divider>
                {text.list.unread(unreadCount)}
              </div>
            );
          case "message":
            return (
              <Bubble
                key={row.key}
                message={row.message}
                first={row.first}
                name={name}
                retry={retry}
              />
            );
        }
      })}
    </>
  );
});

function JumpButton(
  { newer, onClick }: { newer: number; onClick: () => void },
) {
  const label = newer > 0 ? `${words.jump}, ${words.newer(newer)}` : words.jump;
  return (
    <button
      type="button"
      class="jump"
      aria-label={label}
      title={words.jump}
      onClick={onClick}
    >
      {newer > 0 && <span>{words.newer(newer)}</span>}
      <ArrowDown size={20} aria-hidden="true" />
    </button>
  );
}

/** Says what arrives while the conversation is open: one message in full, several by their number. */
function useAnnouncements(view: ConversationView): void {
  const newest = useRef<string | undefined>(undefined);
  const messages = view.messages.value;
  useEffect(() => {
    const before = newest.current;
    const last = messages.at(-1);
    newest.current = last?.id;
    if (before === undefined || !last || !pageVisible.peek()) return;
    const count = countAfter(messages, before);
    if (count === 0 || last.mine || view.contact.state.peek().muted) return;
    const name = view.name.peek();
    announce(
      count === 1 && last.body.kind === "text"
        ? words.announce(name, last.body.text)
        : words.announceMany(name, count),
    );
  }, [messages]);
}
