/** One conversation: who it is with, what was said, and where to write. */
import "./conversation.css";
import { useSignal } from "@preact/signals";
import { ArrowLeft, BellOff, Shield, ShieldCheck } from "lucide-preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ConversationView, MessengerView } from "../../lib/client/view.ts";
import { goBack } from "../navigation.ts";
import { pageVisible } from "../page_visible.ts";
import { Avatar } from "../parts/avatar.tsx";
import { IconButton } from "../parts/button.tsx";
import { fetched, partOnDemand } from "../parts/on_demand.tsx";
import { text } from "../text/mod.ts";
import { hasTouchKeyboard } from "../touch.ts";
import { Composer } from "./composer.tsx";
import { ContactMenu } from "./contact_menu.tsx";
import { ask } from "./contact_tasks.ts";
import { MessageLog } from "./message_log.tsx";
import type { Unread } from "./rows.ts";
import { VerifiedMark } from "./verification.tsx";
import { useWaited } from "./waited.ts";

const words = text.conversation;

const Parted = partOnDemand(async () => (await import("./parted.tsx")).Parted);

const VerificationNotice = partOnDemand(async () =>
  (await import("./verification_notice.tsx")).VerificationNotice
);

// Without it the conversation is as good.
const RouteNote = fetched(
  async () => (await import("./route_note.tsx")).RouteNote,
  () => null,
);

// Nor is anything lost without this one: it is told until it was seen.
const DeviceLeft = fetched(
  async () => (await import("./device_left.tsx")).DeviceLeft,
  () => null,
);

export function Conversation(
  { messenger, view, onInvite }: {
    messenger: MessengerView;
    view: ConversationView;
    onInvite: () => void;
  },
) {
  const heading = useRef<HTMLHeadingElement>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const unread = useSignal<Unread | undefined>(undefined);
  const menu = useSignal(false);
  const { name, muted, connected, lost, verification, deviceLeft } =
    view.contact.state.value;
  const isVerified = verification === "verified";
  const route = view.contact.route.value;
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
  useWaited(view, unread);

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
        <div class="conversation-whom">
          <div class="conversation-name">
            <h2 ref={heading} tabIndex={-1} dir="auto">{name}</h2>
            {isVerified && <VerifiedMark size={18} />}
            {muted && (
              <BellOff size={16} role="img" aria-label={text.list.muted} />
            )}
          </div>
          {route.at === "other" && <RouteNote route={route} view={view} />}
        </div>
        <span class="conversation-actions">
          <IconButton
            label={text.verify.button}
            onClick={() => ask("verify", view)}
          >
            {isVerified ? <ShieldCheck size={20} /> : <Shield size={20} />}
          </IconButton>
          <ContactMenu
            view={() => view}
            label={text.contact.options}
            open={menu}
          />
        </span>
      </header>
      <div>
        <div role="alert">
          {(verification === "new-number" || verification === "new-device") && (
            <VerificationNotice view={view} changed={verification} />
          )}
        </div>
        {deviceLeft && <DeviceLeft contact={view.contact} />}
      </div>
      <MessageLog view={view} unread={unread} />
      <div class="conversation-foot">
        {(!connected || lost) && (
          <Parted contact={view.contact} onInvite={onInvite} />
        )}
        {/* Also with nobody there: who was away for too long comes back, and then it is taken. */}
        {connected && (
          <Composer
            view={view}
            field={composer}
            onSent={() => {
              unread.value = undefined;
            }}
          />
        )}
      </div>
    </section>
  );
}
