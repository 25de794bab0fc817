/** Events of a made-up conversation, for tests of the log. */
import fc from "fast-check";
import {
  type Content,
  type KnownBody,
  newContent,
  parseContent,
} from "./content.ts";

export const ME = "00000000-0000-8000-8000-000000000001";
export const THEM = "00000000-0000-8000-8000-000000000002";
export const CONVERSATION = "c0".repeat(16);

export interface LogEvent {
  readonly author: string;
  readonly content: Content;
}

/** A content id of its own for every number. */
export function contentId(n: number): string {
  return n.toString(16).padStart(32, "0");
}

export function event(
  author: string,
  id: number,
  body: KnownBody,
  time = 1_000 + id,
): LogEvent {
  const content = newContent({
    conversation: CONVERSATION,
    id: contentId(id),
    time,
    expiry: 0,
    deviceList: { version: 1, hash: new Uint8Array(8) },
    backupVersion: 0,
  }, body);
  return { author, content };
}

export function text(
  author: string,
  id: number,
  words = `text ${id}`,
  time?: number,
): LogEvent {
  return event(author, id, { kind: "text", text: words }, time);
}

/** A message with body number `body`, which this version does not know. */
export function unknown(author: string, id: number, body = 18): LogEvent {
  const { content } = event(author, id, { kind: "hello" });
  const tag = body << 3 | 2;
  const tagBytes = tag < 0x80 ? [tag] : [tag & 0x7f | 0x80, tag >> 7];
  return {
    author,
    content: parseContent(
      Uint8Array.of(...content.bytes.slice(0, -2), ...tagBytes, 2, 0xc0, id),
    ),
  };
}

/**
 * A handful of events about a handful of messages, with few enough ids and times
 * that they meet: edits of what is deleted, reactions to what is not there, ties.
 * Every event of an author has its own id.
 */
export const events: fc.Arbitrary<LogEvent[]> = fc.array(
  fc.record({
    author: fc.constantFrom(ME, THEM),
    kind: fc.constantFrom(
      "text",
      "text",
      "unknown",
      "edit",
      "deletion",
      "reaction",
      "receipt",
    ),
    target: fc.nat({ max: 5 }),
    targetAuthor: fc.constantFrom(ME, THEM),
    time: fc.nat({ max: 3 }),
    choice: fc.nat({ max: 2 }),
  }),
  { maxLength: 25 },
).map((drafts) =>
  drafts.flatMap(({ author, kind, target, targetAuthor, time, choice }, i) => {
    const id = 100 + i;
    // Own and others' ids differ, as 16 random bytes do.
    const message = contentId(target + (author === ME ? 0 : 50));
    const number = target + (author === ME ? 0 : 50);
    const reacted = contentId(target + (targetAuthor === ME ? 0 : 50));
    switch (kind) {
      case "text":
        return [text(author, number)];
      case "unknown":
        return [unknown(author, number + 10)];
      case "edit":
        return [
          event(author, id, { kind, target: message, text: `edit ${i}` }, time),
        ];
      case "deletion":
        // Rare, else nothing is left to look at.
        return choice === 0
          ? [event(author, id, { kind, target: message }, time)]
          : [];
      case "reaction": {
        const emoji = ["", "👍", "❤️"][choice];
        return [
          event(
            author,
            id,
            { kind, target: reacted, targetAuthor, emoji },
            time,
          ),
        ];
      }
      default: {
        const state = choice === 0 ? "read" : "delivered";
        return [
          event(
            THEM,
            id,
            { kind: "receipt", state, ids: [contentId(target)] },
            time,
          ),
        ];
      }
    }
  })
);
