/** One conversation: who it is with, what was said, and where to write. */
import "./conversation.css";
import { useSignal } from "@preact/signals";
import { ArrowLeft } from "lucide-preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ConversationView, MessengerView } from "../../lib/client/view.ts";
import { goBack } from "../navigation.ts";
import { pageVisible } from "../page_visible.ts";
import { Avatar } from "../parts/avatar.tsx";
import { IconButton } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { hasTouchKeyboard } from "../touch.ts";
import { Composer } from "./composer.tsx";
import { MessageLog } from "./message_log.tsx";
import type { Unread } from "./rows.ts";

const words = text.conversation;

export function Conversation(
  { messenger, view }: { messenger: MessengerView; view: ConversationView },
) {
  const heading = useRef<HTMLHeadingElement>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const unread = useSignal<Unread | undefined>(undefined);
  const name = view.name.value;
  const visible = pageVisible.value;

  useLayoutEffect(() => {
    if (!visible) return;
    // Noted before it counts as read, so that the divider stands where reading goes on.
    const summary = messenger.conversations.peek()
      .find(({ id }) => id === view.id);
    if (summary?.last && summary.unread > 0) {
      unread.value = { count: summary.unread, newest: summary.last.id };
    }
    view.setVisible(true);
    return () => view.setVisible(false);
  }, [view, visible]);

  useEffect(() => {
    // A keyboard that covers half the screen comes only when asked for.
    if (hasTouchKeyboard()) heading.current?.focus();
    else composer.current?.focus();
  }, [view]);

  return (
    <section class="conversation" aria-label={words.label(name)}>
      <header class="conversation-head">
        <span class="conversation-back">
          <IconButton label={words.back} onClick={goBack}>
            <ArrowLeft size={22} />
          </IconButton>
        </span>
        <Avatar id={view.id} name={name} small />
        <h2 ref={heading} tabIndex={-1} dir="auto">{name}</h2>
      </header>
      <MessageLog view={view} unread={unread} />
      <Composer
        view={view}
        field={composer}
        onSent={() => {
          unread.value = undefined;
        }}
      />
    </section>
  );
}
