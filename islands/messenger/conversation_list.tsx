/** One entry per conversation, newest activity first. */
import "./conversation_list.css";
import { useSignal } from "@preact/signals";
import { Archive as ArchiveIcon, BellOff } from "lucide-preact";
import type {
  ConversationSummary,
  MessengerView,
} from "../../lib/client/view.ts";
import { dates } from "../format/mod.ts";
import { fingerprint, openConversation } from "../navigation.ts";
import { memo } from "../parts/memo.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { text } from "../text/mod.ts";
import { minute } from "../clock.ts";
import { wordsOf } from "./bubble.tsx";
import { ContactMenu } from "./contact_menu.tsx";
import { Ticks } from "./ticks.tsx";
import { VerifiedMark } from "./verification.tsx";

const words = text.list;

/** Longer previews are never seen. */
const PREVIEW = 160;

/** Element id of a conversation's entry. */
export function entryId(conversation: string): string {
  return `entry-${fingerprint(conversation)}`;
}

export function ConversationList(
  { messenger, openId }: {
    messenger: MessengerView;
    openId: string | undefined;
  },
) {
  const all = messenger.conversations.value;
  const archived = all.filter(({ contact }) => contact.archived);
  const entries = (conversations: readonly ConversationSummary[]) =>
    conversations.map((conversation) => (
      <li key={conversation.id} class="entry-row">
        <Entry
          messenger={messenger}
          conversation={conversation}
          open={conversation.id === openId}
        />
      </li>
    ));
  return (
    <>
      <ul class="entries" aria-label={words.label}>
        {entries(all.filter(({ contact }) => !contact.archived))}
      </ul>
      {archived.length > 0 && (
        <details class="archive">
          <summary>
            <ArchiveIcon size={18} aria-hidden="true" />
            {words.archived}
            <span class="archive-count">{archived.length}</span>
          </summary>
          <ul class="entries" aria-label={words.archived}>
            {entries(archived)}
          </ul>
        </details>
      )}
    </>
  );
}

interface EntryProps {
  readonly messenger: MessengerView;
  readonly conversation: ConversationSummary;
  readonly open: boolean;
}

/** Summaries are made anew with every change of any conversation; most say what they said before. */
function sameEntry(
  { conversation: a, open }: EntryProps,
  { conversation: b, open: nowOpen }: EntryProps,
): boolean {
  return open === nowOpen && a.id === b.id && a.name === b.name &&
    a.contact === b.contact && a.unread === b.unread && a.draft === b.draft &&
    a.time === b.time &&
    a.last?.id === b.last?.id && a.last?.state === b.last?.state &&
    a.last?.body === b.last?.body;
}

const Entry = memo(function Entry(
  { messenger, conversation, open }: EntryProps,
) {
  const { id, name, contact, unread, time, last } = conversation;
  const { muted, verification } = contact;
  const menu = useSignal(false);
  const state = last?.mine && last.body.kind !== "deleted"
    ? last.state
    : undefined;
  return (
    <>
      <button
        type="button"
        id={entryId(id)}
        class="entry"
        aria-current={open ? "true" : undefined}
        data-unread={unread > 0 && !muted ? "" : undefined}
        aria-describedby={state && `${entryId(id)}-state`}
        onClick={() => openConversation(id)}
        // A right click, a long press or the keyboard's key for it.
        onContextMenu={(event) => {
          event.preventDefault();
          menu.value = true;
        }}
      >
        <Avatar id={id} name={name} />
        <span class="entry-name">
          <bdi>{name}</bdi>{" "}
          {verification === "verified" && <VerifiedMark size={15} />}
          {muted && <BellOff size={14} role="img" aria-label={words.muted} />}
        </span>{" "}
        <time class="entry-time" dateTime={new Date(time).toISOString()}>
          {dates().short(time, minute.value)}
        </time>{" "}
        <span class="entry-line">
          <Preview conversation={conversation} open={open} />{" "}
          {unread > 0 && !muted && (
            <span class="entry-badge">
              <span aria-hidden="true">{unread > 999 ? "999+" : unread}</span>
              <span class="unseen">{words.unread(unread)}</span>
            </span>
          )}
        </span>
      </button>
      {state && (
        <span id={`${entryId(id)}-state`} hidden>
          {text.message.states[state]}
        </span>
      )}
      <span class="entry-options" data-open={menu.value ? "" : undefined}>
        <ContactMenu
          view={() => messenger.conversation(id)}
          label={text.contact.optionsFor(name)}
          open={menu}
        />
      </span>
    </>
  );
}, sameEntry);

function Preview(
  { conversation: { draft, last, contact }, open }: {
    conversation: ConversationSummary;
    open: boolean;
  },
) {
  const line = (content: string) => (
    <span class="entry-words" dir="auto">
      {content.slice(0, PREVIEW).replace(/\s+/g, " ")}
    </span>
  );
  if (contact.blocked) {
    return <span class="entry-preview">{line(words.blocked)}</span>;
  }
  if (draft !== "" && !open) {
    return (
      <span class="entry-preview">
        <span class="entry-draft">{words.draft}</span> {line(draft)}
      </span>
    );
  }
  if (!last) return <span class="entry-preview">{line(words.met)}</span>;
  return (
    <span class="entry-preview">
      {last.mine && last.body.kind !== "deleted" && (
        <>
          <span class="unseen">{words.you}</span>
          {last.state && <Ticks state={last.state} />}
        </>
      )}
      {line(last.body.kind === "unknown" ? words.unknownBody : wordsOf(last))}
    </span>
  );
}
