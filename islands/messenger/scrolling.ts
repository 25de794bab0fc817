/** How the log moves by itself: hardly ever, and never under the eyes of who is reading. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ConversationView } from "../../lib/client/view.ts";
import type { Unread } from "./rows.ts";

/** Further from the newest message than this, px, the person reads something else. */
export const AWAY = 240;

/** So many messages are loaded at most to find the first unread one; from further off it opens at the newest. */
const SEEK = 1000;

type Ref = { readonly current: HTMLElement | null };

/**
 * Keeps in place what is being read when messages arrive below it, and goes to the newest message
 * when it is the person's own. The log's axis is reversed: `scrollTop` is 0 at the newest and
 * negative above, and older messages in front move nothing. `scrolled`: what it was when it last
 * changed, for to ask would have all laid out at once.
 */
export function useHeldScroll(
  scroller: Ref,
  scrolled: { readonly current: number },
  view: ConversationView,
): void {
  const messages = view.messages.value;
  const before = useRef<
    { newest: string | undefined; height: number } | undefined
  >(undefined);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const former = before.current;
    const last = messages.at(-1);
    // Without scroll anchoring (Safari) the distance to the bottom is kept, so the view slides up.
    if (!CSS.supports("overflow-anchor", "auto")) {
      const height = element.scrollHeight;
      if (former && former.newest !== last?.id && element.scrollTop < 0) {
        element.scrollTop -= height - former.height;
      }
      before.current = { newest: last?.id, height };
    } else {
      before.current = { newest: last?.id, height: 0 };
    }
    if (former?.newest !== undefined && former.newest !== last?.id) {
      if (last?.mine && scrolled.current < 0) element.scrollTop = 0;
    }
  }, [messages]);
}

/** Loads older messages before the person reaches the oldest that is here. */
export function useOlder(
  scroller: Ref,
  top: Ref,
  view: ConversationView,
): void {
  const count = view.messages.value.length;
  const hasOlder = view.hasOlder.value;
  useEffect(() => {
    const sentinel = top.current;
    if (!sentinel || !hasOlder) return;
    // Made anew after each page: an observer tells of changes only, and the top may still be near.
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry.isIntersecting) return;
        observer.disconnect();
        void view.loadOlder();
      },
      { root: scroller.current, rootMargin: "1200px 0px 0px 0px" },
    );
    observer.observe(sentinel);
    return () => observer.disconnect();
  }, [view, count, hasOlder]);
}

/**
 * Brings the first unread message into view, once for each time that something was unread, and
 * loads what it takes to get there. Who scrolled away meanwhile is left alone.
 */
export function useStartAtUnread(
  scroller: Ref,
  view: ConversationView,
  unread: Unread | undefined,
  unreadFrom: string | undefined,
): void {
  const messages = view.messages.value;
  const done = useRef<Unread | undefined>(undefined);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || !unread || done.current === unread) return;
    if (element.scrollTop < -AWAY) {
      done.current = unread;
    } else if (unreadFrom !== undefined) {
      done.current = unread;
      element.querySelector("[data-unread-divider]")
        ?.scrollIntoView({ block: "start" });
    } else if (
      messages.length > 0 && messages.length < SEEK && view.hasOlder.peek()
    ) {
      void view.loadOlder();
    }
  }, [unread, unreadFrom, messages]);
}
