import assert from "node:assert/strict";
import type { MessageView } from "../../lib/client/view.ts";
import {
  countAfter,
  firstUnread,
  type Row,
  rowsOf,
  waitedSince,
} from "./rows.ts";

const noon = (day: number) => new Date(2026, 10, day, 12).getTime();

function message(id: string, mine: boolean, time: number): MessageView {
  return {
    id,
    mine,
    time,
    body: { kind: "text", text: id, edited: false },
    ...(mine ? { state: "sent" as const } : {}),
  };
}

/** One word per row: the day's number, "unread", an id, an id with * when it is first of its run. */
const outline = (rows: Row[]) =>
  rows.map((row) => {
    if (row.kind === "day") return `${new Date(row.at).getDate()}.`;
    if (row.kind === "unread") return "unread";
    return row.message.id + (row.first ? "*" : "");
  }).join(" ");

Deno.test("each day has one divider, above its first message", () => {
  const rows = rowsOf(
    [
      message("a", true, noon(1)),
      message("b", true, noon(1) + 1000),
      message("c", true, noon(3)),
    ],
    undefined,
    undefined,
  );
  assert.equal(outline(rows), "1. a* b 3. c*");
});

Deno.test("messages of one person close in time are a run", () => {
  const rows = rowsOf(
    [
      message("a", true, noon(1)),
      message("b", true, noon(1) + 60_000),
      message("c", false, noon(1) + 61_000),
      message("d", false, noon(1) + 10 * 60_000),
    ],
    undefined,
    undefined,
  );
  assert.equal(outline(rows), "1. a* b c* d*");
});

Deno.test("what came before a page decides how it starts", () => {
  const next = [message("b", true, noon(2) + 1000)];
  assert.equal(
    outline(rowsOf(next, message("a", true, noon(2)), undefined)),
    "b",
  );
  assert.equal(
    outline(rowsOf(next, message("a", false, noon(2)), undefined)),
    "b*",
  );
  assert.equal(
    outline(rowsOf(next, message("a", true, noon(1)), undefined)),
    "2. b*",
  );
});

Deno.test("the unread divider stands below the day and starts a run", () => {
  const all = [message("a", false, noon(1)), message("b", false, noon(1) + 1)];
  assert.equal(outline(rowsOf(all, undefined, "b")), "1. a* unread b*");
  assert.equal(outline(rowsOf(all, undefined, "a")), "1. unread a* b");
});

const conversation = [
  message("a", false, 1),
  message("b", true, 2),
  message("c", false, 3),
  message("d", true, 4),
  message("e", false, 5),
];

Deno.test("the first unread message is counted over what others wrote", () => {
  const from = (count: number, newest = "e") =>
    firstUnread(conversation, { count, newest });
  assert.equal(from(1), "e");
  assert.equal(from(2), "c");
  assert.equal(from(3), "a");
  assert.equal(from(4), undefined, "the rest is not loaded yet");
  assert.equal(from(0), undefined);
  assert.equal(from(1, "d"), "c", "what came later does not move it");
  assert.equal(firstUnread(conversation, undefined), undefined);
});

Deno.test("what came after a message counts only what others wrote", () => {
  assert.equal(countAfter(conversation, "e"), 0);
  assert.equal(countAfter(conversation, "b"), 2);
  assert.equal(countAfter(conversation, undefined), 0);
  assert.equal(countAfter([], "a"), 0);
});

Deno.test("what waited is what others wrote before the conversation was shown, and came since", () => {
  const came = [
    message("known", false, 1),
    message("a", false, 2),
    message("mine", true, 3),
    message("b", false, 4),
    message("live", false, 9),
  ];
  assert.deepEqual(waitedSince(came, "known", 5), { count: 2, newest: "b" });
  assert.deepEqual(waitedSince(came, "a", 5), { count: 1, newest: "b" });
  assert.equal(waitedSince(came, "b", 5), undefined);
  assert.equal(waitedSince(came, "known", 2), undefined);
});
