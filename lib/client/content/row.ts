/** What a person sees of one message: the fold of its state. */
import { type Content, parseContent } from "./content.ts";
import type { MessageKey, MessageState, Progress } from "./message_state.ts";

export type RowBody =
  | { readonly kind: "text"; readonly text: string; readonly edited: boolean }
  /** Taken back by its author. */
  | { readonly kind: "deleted" }
  /** A body this version can't read; a later one reads it from the log. */
  | { readonly kind: "unknown" };

export type RowState = "sending" | "failed" | Progress;

export interface Row extends MessageKey {
  /** 16 bytes, hex. */
  readonly conversation: string;
  readonly mine: boolean;
  /** The place in the conversation on this device, from 0; later ones come between. */
  readonly sequence: number;
  /** What the order is by: see content.ts. */
  readonly rank: number;
  /** ms since the epoch, by the author's clock. */
  readonly time: number;
  /** ms since the epoch, by the clock of this device. */
  readonly arrived: number;
  readonly body: RowBody;
  /** In the order of the account ids. */
  readonly reactions: readonly {
    readonly author: string;
    readonly emoji: string;
  }[];
  /** Own messages only. */
  readonly state?: RowState;
}

/** What this device alone knows of a message: its place. */
export interface LocalPlace {
  readonly sequence: number;
  readonly arrived: number;
}

export function bodyOf(state: MessageState): RowBody {
  if (state.deleted) return { kind: "deleted" };
  const content = contentOf(state);
  if (content?.body.kind !== "text") return { kind: "unknown" };
  const edit = state.edit && parseContent(state.edit).body;
  return edit?.kind === "edit"
    ? { kind: "text", text: edit.text, edited: true }
    : { kind: "text", text: content.body.text, edited: false };
}

export function reactionsOf(state: MessageState): Row["reactions"] {
  return [...state.reactions]
    .map(([author, event]) => {
      const { body } = parseContent(event);
      return { author, emoji: body.kind === "reaction" ? body.emoji : "" };
    })
    .filter(({ emoji }) => emoji !== "")
    .sort((a, b) => a.author < b.author ? -1 : 1);
}

/** The message as it was sent; undefined when it was taken back or is not here. */
export function contentOf(state: MessageState): Content | undefined {
  return state.base?.event && parseContent(state.base.event);
}
