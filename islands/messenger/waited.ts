/** A page that opens in a conversation: what had waited for it is new to the person, though it counts as read at once. */
import { type Signal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { ConversationView } from "../../lib/client/view.ts";
import { type Unread, waitedSince } from "./rows.ts";

/** What comes later than this after opening, ms, is news like any other. */
const PATIENCE = 30_000;

/** Marks in `unread` what arrives from before the conversation was shown, until the person writes. */
export function useWaited(
  view: ConversationView,
  unread: Signal<Unread | undefined>,
): void {
  const shown = useRef<{ at: number; newest?: string; own?: Unread }>({
    at: Date.now(),
  });
  useSignalEffect(() => {
    const messages = view.messages.value;
    const { current } = shown;
    const last = messages.at(-1);
    if (!last) return;
    // The first that is there came from the disk, and the person knows it, or it has a divider.
    current.newest ??= last.id;
    if (Date.now() - current.at > PATIENCE || last.mine) return;
    if (unread.peek() !== current.own) return;
    const waited = waitedSince(messages, current.newest, current.at);
    if (!waited || waited.newest === current.own?.newest) return;
    current.own = waited;
    unread.value = waited;
  });
}
