/** The messenger: the list of conversations, the open one, and what lies over them. */
import "./messenger.css";
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { MessengerView } from "../../lib/client/view.ts";
import { accessKeyOutcome } from "../access_key_outcome.ts";
import { followLink, invitationLink } from "../invitation_link.ts";
import {
  fingerprint,
  openConversation,
  place,
  settleAt,
} from "../navigation.ts";
import { announce } from "../parts/loudspeaker.tsx";
import { fetched, onDemand } from "../parts/on_demand.tsx";
import { askToKeep } from "../storage_promise.ts";
import { text } from "../text/mod.ts";
import { ConnectionBanner } from "./connection_banner.tsx";
import { answered, asked } from "./contact_tasks.ts";
import { Conversation } from "./conversation.tsx";
import { entryId } from "./conversation_list.tsx";
import { LIST_TITLE } from "./list_title.ts";
import { Sidebar } from "./sidebar.tsx";
import { WelcomePane } from "./welcome_pane.tsx";

const InviteDialog = onDemand(() =>
  import("./invite_dialog.tsx").then((part) => part.InviteDialog)
);
const LinkDialog = onDemand(() =>
  import("./link_dialog.tsx").then((part) => part.LinkDialog)
);
const ContactDialog = onDemand(() =>
  import("./contact_dialog.tsx").then((part) => part.ContactDialog)
);
const AccessKeyOutcome = onDemand(() =>
  import("./access_key_outcome_dialog.tsx").then((part) =>
    part.AccessKeyOutcome
  )
);
const SettingsDialog = onDemand(() =>
  import("./settings_dialog.tsx").then((part) => part.SettingsDialog)
);

// What can be taken back by it can be in other ways, too.
const UndoBar = fetched(
  async () => (await import("../parts/undo.tsx")).UndoBar,
  () => null,
);

export interface Meeting {
  readonly id: string;
  readonly name: string;
}

export function Messenger({ messenger }: { messenger: MessengerView }) {
  const dialog = useSignal<
    "invite" | "enter-code" | "settings" | undefined
  >(undefined);
  /** Somebody met while the person was doing something else. */
  const met = useSignal<Meeting | undefined>(undefined);
  const openId = useComputed(() => {
    const { open } = place.value;
    if (open === undefined) return undefined;
    return messenger.conversations.value.find(({ id }) =>
      fingerprint(id) === open
    )?.id;
  });
  const id = openId.value;
  const view = id === undefined ? undefined : messenger.conversation(id);

  // With the first paint: whoever sees the messenger is at its address, also after going back.
  const at = place.value;
  useLayoutEffect(() => settleAt("/chat"), [at]);
  useEffect(() => void askToKeep(), []);
  useUnreadInTitle(messenger);
  useFocusBackInList(id, messenger.conversations.value.length);

  useSignalEffect(() => {
    const { offer, join, invitations } = messenger.invite;
    const byLink = invitations.value?.outcome.value;
    const connected = [offer.value, join.value, byLink].find((side) =>
      side?.at === "connected"
    );
    if (connected?.at !== "connected") return;
    const { conversation } = connected;
    const name = messenger.conversation(conversation)?.name.peek() ?? "";
    messenger.invite.reset();
    if (byLink === connected) invitations.peek()?.noted();
    announce(text.met.connected(name));
    const open = dialog.peek();
    const link = invitationLink.peek();
    if (open === "invite" || open === "enter-code" || link) {
      dialog.value = undefined;
      followLink(undefined);
      openConversation(conversation);
    } else {
      met.value = { id: conversation, name };
    }
  });

  return (
    <main class="messenger" data-pane={view ? "conversation" : "list"}>
      <h1 class="unseen">{text.app}</h1>
      <ConnectionBanner messenger={messenger} />
      <Sidebar
        messenger={messenger}
        openId={id}
        met={met}
        onInvite={() => {
          dialog.value = "invite";
        }}
        onEnterCode={() => {
          dialog.value = "enter-code";
        }}
        onSettings={() => {
          dialog.value = "settings";
        }}
      />
      <div class="pane">
        {view && id
          ? (
            <Conversation
              key={id}
              messenger={messenger}
              view={view}
              onInvite={() => {
                dialog.value = "invite";
              }}
            />
          )
          : <WelcomePane messenger={messenger} />}
      </div>
      {(dialog.value === "invite" || dialog.value === "enter-code") && (
        <InviteDialog
          invite={messenger.invite}
          entering={dialog.value === "enter-code"}
          onClose={() => {
            dialog.value = undefined;
          }}
        />
      )}
      {invitationLink.value && (
        <LinkDialog
          key={invitationLink.value}
          invite={messenger.invite}
          link={invitationLink.value}
          onClose={() => followLink(undefined)}
        />
      )}
      {dialog.value === "settings" && (
        <SettingsDialog
          messenger={messenger}
          onClose={() => {
            dialog.value = undefined;
          }}
        />
      )}
      {asked.value && (
        <ContactDialog
          key={asked.value.view.id}
          asked={asked.value}
          onClose={answered}
        />
      )}
      {accessKeyOutcome.value && (
        <AccessKeyOutcome
          outcome={accessKeyOutcome.value}
          onClose={() => {
            accessKeyOutcome.value = undefined;
          }}
        />
      )}
      <UndoBar messenger={messenger} />
    </main>
  );
}

/** The tab tells how much is unread, as every messenger does. */
function useUnreadInTitle(messenger: MessengerView): void {
  const unread = useComputed(() =>
    messenger.conversations.value.reduce(
      (sum, { unread, contact }) => sum + (contact.muted ? 0 : unread),
      0,
    )
  ).value;
  // Not an effect of signals: those ask for a frame whenever anything changes in any conversation.
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) ${text.app}` : text.app;
  }, [unread]);
}

/**
 * Leaving a conversation puts the focus on its entry, where the person came from, or at the head of the
 * list; so does coming from a screen that is gone, or the first contact, with whom the button that had it is.
 */
function useFocusBackInList(
  openId: string | undefined,
  known: number,
): void {
  const before = useRef<string | undefined>(undefined);
  useEffect(() => {
    const lost = document.activeElement === document.body;
    if (!openId && (before.current || lost)) {
      const entry = before.current &&
        document.getElementById(entryId(before.current));
      // It can be gone, or folded away with the archive.
      const shown = entry && entry.checkVisibility() ? entry : undefined;
      (shown ?? document.getElementById(LIST_TITLE))?.focus();
    }
    before.current = openId;
  }, [openId, known]);
}
