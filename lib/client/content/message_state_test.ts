import assert from "node:assert/strict";
import fc from "fast-check";
import { merge, type MessageState, NOTHING, partsOf } from "./message_state.ts";
import { bodyOf, reactionsOf } from "./row.ts";
import {
  contentId,
  event,
  events,
  type LogEvent,
  ME,
  text,
  THEM,
  unknown,
} from "./testing_events.ts";

/** Everything that can be seen of a state, in a form that compares. */
function seen(state: MessageState) {
  return {
    time: state.base?.time,
    body: state.base && bodyOf(state),
    reactions: reactionsOf(state),
    progress: state.progress,
    deleted: state.deleted,
  };
}

/** The states of events about one message. */
const states = events.map((events) =>
  events.flatMap(({ content, author }) => partsOf(content, author, ME))
    .filter(({ target }) => target.author === ME && target.id === contentId(1))
    .map(({ state }) => state)
);

function folded(...events: LogEvent[]): MessageState {
  return events.flatMap(({ content, author }) => partsOf(content, author, ME))
    .filter(({ target }) => target.author === ME && target.id === contentId(1))
    .reduce((state, part) => merge(state, part.state), NOTHING);
}

const edit = (id: number, words: string, time: number) =>
  event(ME, id, { kind: "edit", target: contentId(1), text: words }, time);
const react = (author: string, id: number, emoji: string, time: number) =>
  event(author, id, {
    kind: "reaction",
    target: contentId(1),
    targetAuthor: ME,
    emoji,
  }, time);
const receipt = (state: "delivered" | "read", author = THEM) =>
  event(author, 90, { kind: "receipt", state, ids: [contentId(1)] });
const deletion = event(ME, 80, { kind: "deletion", target: contentId(1) });

Deno.test("merging is idempotent, commutative and associative", () => {
  const all = (list: MessageState[]) => list.reduce(merge, NOTHING);
  fc.assert(fc.property(states, states, states, (x, y, z) => {
    const [a, b, c] = [all(x), all(y), all(z)];
    assert.deepEqual(seen(merge(a, a)), seen(a));
    assert.deepEqual(seen(merge(a, b)), seen(merge(b, a)));
    assert.deepEqual(seen(merge(merge(a, b), c)), seen(merge(a, merge(b, c))));
    assert.deepEqual(seen(merge(NOTHING, a)), seen(a));
  }));
});

Deno.test("the newest edit counts, equal times are decided by the content id", () => {
  const state = folded(
    text(ME, 1),
    edit(11, "new", 9),
    edit(12, "newest", 10),
    edit(13, "old", 3),
  );
  assert.deepEqual(bodyOf(state), {
    kind: "text",
    text: "newest",
    edited: true,
  });
  const tie = folded(edit(12, "b", 9), text(ME, 1), edit(11, "a", 9));
  assert.deepEqual(bodyOf(tie), { kind: "text", text: "b", edited: true });
});

Deno.test("nobody edits or takes back another's message", () => {
  const theirs = [
    event(THEM, 11, { kind: "edit", target: contentId(1), text: "mine now" }),
    event(THEM, 12, { kind: "deletion", target: contentId(1) }),
  ];
  const state = folded(text(ME, 1, "hello"), ...theirs);
  assert.deepEqual(bodyOf(state), {
    kind: "text",
    text: "hello",
    edited: false,
  });
});

Deno.test("a deletion wins whenever it comes, and nothing of the content is kept", () => {
  const others = [text(ME, 1), edit(11, "edited", 9), react(THEM, 12, "👍", 9)];
  for (
    const state of [folded(deletion, ...others), folded(...others, deletion)]
  ) {
    assert.deepEqual(bodyOf(state), { kind: "deleted" });
    assert.equal(state.base?.event, undefined);
    assert.equal(state.edit, undefined);
    assert.equal(state.reactions.size, 0);
    assert.equal(state.base?.time, 1_001, "it keeps its place in the day");
  }
});

Deno.test("each person has one reaction, the newest, and can take it back", () => {
  const state = folded(
    text(ME, 1),
    react(THEM, 11, "👍", 5),
    react(THEM, 12, "❤️", 6),
    react(ME, 13, "🎉", 1),
  );
  assert.deepEqual(reactionsOf(state), [{ author: ME, emoji: "🎉" }, {
    author: THEM,
    emoji: "❤️",
  }]);
  const without = merge(state, folded(react(THEM, 14, "", 7)));
  assert.deepEqual(reactionsOf(without), [{ author: ME, emoji: "🎉" }]);
});

Deno.test("a receipt raises, a lower one after it changes nothing, an own one says nothing", () => {
  assert.equal(
    folded(receipt("read"), text(ME, 1), receipt("delivered")).progress,
    "read",
  );
  assert.equal(folded(text(ME, 1), receipt("delivered")).progress, "delivered");
  assert.equal(folded(text(ME, 1), receipt("read", ME)).progress, undefined);
});

Deno.test("an unknown body of the moment leaves nothing behind, a lasting one is kept as it came", () => {
  assert.deepEqual(partsOf(unknown(THEM, 1, 32).content, THEM, ME), []);
  const { content } = unknown(THEM, 1);
  const [{ state }] = partsOf(content, THEM, ME);
  assert.deepEqual(state.base?.event, content.bytes);
  assert.deepEqual(bodyOf(state), { kind: "unknown" });
});

Deno.test("an id used for a second text does not change the first", () => {
  const state = folded(text(ME, 1, "said"), text(ME, 1, "not said"));
  assert.deepEqual(bodyOf(state), {
    kind: "text",
    text: "said",
    edited: false,
  });
});

Deno.test("of two edits under one id and time the same one wins everywhere", () => {
  const one = edit(70, "one", 1);
  const other = edit(70, "other", 1);
  assert.deepEqual(
    seen(folded(text(ME, 1, "first"), one, other)),
    seen(folded(text(ME, 1, "first"), other, one)),
  );
});
