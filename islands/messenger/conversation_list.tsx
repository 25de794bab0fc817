/** One entry per conversation, newest activity first. */
import "./conversation_list.css";
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
import { Ticks } from "./ticks.tsx";

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
  return (
    <ul class="entries" aria-label={words.label}>
      {messenger.conversations.value.map((conversation) => (
        <li key={conversation.id}>
          <Entry
            conversation={conversation}
            open={conversation.id === openId}
          />
        </li>
      ))}
    </ul>
  );
}

interface EntryProps {
  readonly conversation: ConversationSummary;
  readonly open: boolean;
}

/** Summaries are made anew with every change of any conversation; most say what they said before. */
function sameEntry(
  { conversation: a, open }: EntryProps,
  { conversation: b, open: nowOpen }: EntryProps,
): boolean {
  return open === nowOpen && a.id === b.id && a.name === b.name &&
    a.unread === b.unread && a.draft === b.draft && a.time === b.time &&
    a.last?.id === b.last?.id && a.last?.state === b.last?.state;
}

const Entry = memo(function Entry({ conversation, open }: EntryProps) {
  const { id, name, unread, time, last } = conversation;
  const state = last?.mine ? last.state : undefined;
  return (
    <>
      <button
        type="button"
        id={entryId(id)}
        class="entry"
        aria-current={open ? "true" : undefined}
        data-unread={unread > 0 ? "" : undefined}
        aria-describedby={state && `${entryId(id)}-state`}
        onClick={() => openConversation(id)}
      >
        <Avatar id={id} name={name} />
        <bdi class="entry-name">{name}</bdi>{" "}
        <time class="entry-time" dateTime={new Date(time).toISOString()}>
          {dates().short(time, minute.value)}
        </time>{" "}
        <Preview conversation={conversation} open={open} />{" "}
        {unread > 0 && (
          <span class="entry-badge">
            <span aria-hidden="true">{unread > 999 ? "999+" : unread}</span>
            <span class="unseen">{words.unread(unread)}</span>
          </span>
        )}
      </button>
      {state && (
        <span id={`${entryId(id)}-state`} hidden>
          {text.message.states[state]}
        </span>
      )}
    </>
  );
}, sameEntry);

function Preview(
  { conversation: { draft, last }, open }: {
    conversation: ConversationSummary;
    open: boolean;
  },
) {
  const line = (content: string) => (
    <span class="entry-words" dir="auto">
      {content.slice(0, PREVIEW).replace(/\s+/g, " ")}
    </span>
  );
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
      {last.mine && <span class="unseen">{words.you}</span>}
      {last.mine && last.state && <Ticks state={last.state} />}
      {line(last.body.kind === "text" ? last.body.text : words.unknownBody)}
    </span>
  );
}
