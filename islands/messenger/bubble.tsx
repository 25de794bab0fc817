/** One message. Its accessible name holds all there is to it: who, what, when, and how far it came. */
import "./bubble.css";
import type { ComponentChildren } from "preact";
import type { MessageView } from "../../lib/client/view.ts";
import { dates } from "../format/mod.ts";
import { glance } from "../format/glance.ts";
import { piecesOf } from "../format/links.ts";
import { Button } from "../parts/button.tsx";
import { memo } from "../parts/memo.tsx";
import { text } from "../text/mod.ts";
import { Ticks } from "./ticks.tsx";

const words = text.message;

/** Drawn anew for another message object only: one that says the same is the same object. */
export const Bubble = memo(function Bubble(
  { message, first, name, retry }: {
    message: MessageView;
    /** The first of a run by one person. */
    first: boolean;
    /** The other person's. */
    name: string;
    retry: (id: string) => void;
  },
) {
  const { mine, body, time } = message;
  // Nothing is left of which it would say how far it came.
  const state = body.kind === "deleted" ? undefined : message.state;
  const content = wordsOf(message);
  const at = dates().time(time);
  const edited = body.kind === "text" && body.edited;
  const size = body.kind === "text" ? glance(content) : "aside";
  return (
    <article
      class={`bubble bubble-${size}${mine ? " bubble-mine" : ""}${
        first ? " bubble-first" : ""
      }`}
      aria-label={nameOf(message, name, edited ? words.whenEdited(at) : at)}
    >
      <div class="bubble-text">
        <span class="bubble-words">
          {body.kind === "text" ? linked(body.text) : content}
        </span>
        <span class="bubble-meta">
          {edited && <span>{words.edited}</span>}
          <time
            dateTime={new Date(time).toISOString()}
            title={dates().full(time)}
          >
            {at}
          </time>
          {mine && state && <Ticks state={state} />}
        </span>
      </div>
      {body.kind === "text" && (
        // Pressing it is heard by whoever has the menu: message_options.tsx.
        <button
          type="button"
          class="bubble-options"
          value={message.id}
          tabIndex={-1}
          aria-haspopup="menu"
          aria-label={words.options}
          title={words.options}
        />
      )}
      {state === "failed" && (
        <div class="bubble-failed">
          {words.failed}
          <Button small look="outline" onClick={() => retry(message.id)}>
            {words.retry}
          </Button>
        </div>
      )}
    </article>
  );
});

/** What a message reads. */
export function wordsOf({ mine, body }: MessageView): string {
  switch (body.kind) {
    case "text":
      return body.text;
    case "deleted":
      return mine ? words.youDeleted : words.deleted;
    case "unknown":
      return words.unknown;
  }
}

function nameOf(message: MessageView, name: string, at: string): string {
  const { mine, body, state } = message;
  const content = wordsOf(message);
  if (!mine) return words.theirs(name, content, at);
  return body.kind === "deleted"
    ? words.ownDeleted(content, at)
    : words.own(content, at, state ? words.states[state] : "");
}

/** The words, with their web addresses made links. A link says nothing of this page to where it leads. */
function linked(words: string): ComponentChildren {
  const pieces = piecesOf(words);
  if (pieces.every(({ kind }) => kind === "text")) return words;
  return pieces.map((piece) =>
    piece.kind === "text" ? piece.text : (
      // An address runs from left to right, whatever it stands in.
      <a
        class="bubble-link"
        href={piece.href}
        target="_blank"
        rel="noopener noreferrer"
        dir="ltr"
      >
        {piece.text}
      </a>
    )
  );
}
