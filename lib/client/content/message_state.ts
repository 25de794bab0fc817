/**
 * What the events of a conversation make of one message. Every event adds a
 * part to the message it is about; parts merge in any order, any number of
 * times, to the same state. So every device shows the same, whatever arrived first.
 */
import { type Content, parseContent, rankOf } from "./content.ts";

/** How far an own message has come; it only rises. "sending" and "failed" are below all of these. */
export type Progress = "sent" | "delivered" | "read";

export interface MessageState {
  /** The event that is the message. `event` is gone once it was taken back. */
  readonly base?: {
    readonly time: number;
    /** See content.ts. */
    readonly rank: number;
    readonly event?: Uint8Array;
  };
  /** The newest edit. */
  readonly edit?: Uint8Array;
  /** Taken back by its author: the content is forgotten, also what arrives later. */
  readonly deleted: boolean;
  /** The newest reaction of each person, by account id, taken back ones too. */
  readonly reactions: ReadonlyMap<string, Uint8Array>;
  readonly progress?: Progress;
}

/** Content ids are unique per author only. */
export interface MessageKey {
  /** Account id. */
  readonly author: string;
  /** Content id, hex. */
  readonly id: string;
}

/** What an event does to one message. */
export interface Part {
  readonly target: MessageKey;
  readonly state: MessageState;
}

export const NOTHING: MessageState = { deleted: false, reactions: new Map() };

const PROGRESS: readonly (Progress | undefined)[] = [
  undefined,
  "sent",
  "delivered",
  "read",
];

/**
 * What an event adds to the conversation; nothing for what does not stay in it.
 * @param author account id of who sent it, as the Signal session proves it
 * @param me account id of this account: receipts of others are about own messages
 */
export function partsOf(content: Content, author: string, me: string): Part[] {
  const { body, id, bytes, time } = content;
  const own = (id: string): MessageKey => ({ author, id });
  const base = { time, rank: rankOf(content), event: bytes };
  switch (body.kind) {
    case "text":
      return [{
        target: own(id),
        state: { ...NOTHING, base },
      }];
    case "unknown":
      return body.shown
        ? [{
          target: own(id),
          state: { ...NOTHING, base },
        }]
        : [];
    case "edit":
      return [{ target: own(body.target), state: { ...NOTHING, edit: bytes } }];
    case "deletion":
      return [{
        target: own(body.target),
        state: { ...NOTHING, deleted: true },
      }];
    case "reaction":
      return [{
        target: { author: body.targetAuthor, id: body.target },
        state: { ...NOTHING, reactions: new Map([[author, bytes]]) },
      }];
    case "receipt":
      return author === me ? [] : [...new Set(body.ids)].map((id) => ({
        target: { author: me, id },
        state: { ...NOTHING, progress: body.state },
      }));
    case "hello":
    case "sync":
      return [];
  }
}

/** Commutative, associative and idempotent, as long as no author uses a content id twice. */
export function merge(a: MessageState, b: MessageState): MessageState {
  const deleted = a.deleted || b.deleted;
  // An author who does use an id twice can't change what is already shown here.
  const base = a.base ?? b.base;
  const progress = higher(a.progress, b.progress);
  if (deleted) {
    const bare = base && { time: base.time, rank: base.rank };
    return { ...NOTHING, deleted, base: bare, progress };
  }
  const reactions = new Map(a.reactions);
  for (const [author, event] of b.reactions) {
    reactions.set(author, newer(reactions.get(author), event));
  }
  const edit = a.edit && b.edit ? newer(a.edit, b.edit) : a.edit ?? b.edit;
  return { base, edit, deleted, reactions, progress };
}

function higher(
  a: Progress | undefined,
  b: Progress | undefined,
): Progress | undefined {
  return PROGRESS.indexOf(a) >= PROGRESS.indexOf(b) ? a : b;
}

/**
 * By the author's clock; equal times by content id, and by what is said where an author uses an id
 * twice: so that there is one winner everywhere.
 */
function newer(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  if (!a) return b;
  const [x, y] = [parseContent(a), parseContent(b)];
  if (x.time !== y.time) return x.time > y.time ? a : b;
  if (x.id !== y.id) return x.id > y.id ? a : b;
  return isAfter(a, b) ? a : b;
}

/** Whether the first different byte, or being longer, puts `a` behind `b`. */
function isAfter(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at >= 0 && (at >= b.length || a[at] > b[at]);
}
