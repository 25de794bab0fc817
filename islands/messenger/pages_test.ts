import assert from "node:assert/strict";
import fc from "fast-check";
import type { MessageView } from "../../lib/client/view.ts";
import { bind, paginate, type Sheet } from "./pages.ts";

const messages = fc.uniqueArray(
  fc.stringMatching(/^[0-9a-f]{32}$/),
  { maxLength: 200 },
).map((ids) =>
  ids.map((id, i): MessageView => ({
    id,
    mine: i % 3 === 0,
    body: { kind: "text", text: `message ${i}`, edited: false },
    time: i * 1000,
    ...(i % 3 === 0 ? { state: "sent" as const } : {}),
  }))
);

Deno.test("pages hold every message once, in order, under different keys", () => {
  fc.assert(fc.property(messages, (all) => {
    const pages = paginate(all);
    assert.deepEqual(pages.flatMap((page) => page.messages), all);
    assert.equal(new Set(pages.map((page) => page.key)).size, pages.length);
    let before: MessageView | undefined;
    for (const page of pages) {
      assert.equal(page.previous, before);
      before = page.messages.at(-1);
    }
  }));
});

Deno.test("older messages in front change at most the page they join", () => {
  fc.assert(fc.property(messages, fc.nat(), (all, cut) => {
    const from = all.length === 0 ? 0 : cut % all.length;
    const few = paginate(all.slice(from));
    const whole = paginate(all, few);
    const kept = whole.filter((page) => few.includes(page));
    assert.ok(kept.length >= few.length - 1);
  }));
});

Deno.test("a page keeps its key, and so its place on the screen, whatever is added at either end", () => {
  fc.assert(fc.property(messages, fc.nat(), fc.nat(), (all, one, other) => {
    const [from, to] = [one, other].map((n) => n % (all.length + 1)).sort((
      a,
      b,
    ) => a - b);
    const few = paginate(all.slice(from, to));
    const whole = paginate(all, few);
    for (const { key, messages } of few) {
      const page = whole.find((page) => page.key === key);
      assert.ok(
        page && messages.every((message) => page.messages.includes(message)),
      );
    }
  }));
});

Deno.test("a newer message changes only the newest page", () => {
  fc.assert(fc.property(messages, (all) => {
    fc.pre(all.length > 0);
    const few = paginate(all.slice(0, -1));
    const whole = paginate(all, few);
    const kept = whole.filter((page) => few.includes(page));
    assert.ok(kept.length >= few.length - 1);
  }));
});

Deno.test("a message that comes late changes its own page, which it can cut in two, and the next, and no two share a key", () => {
  fc.assert(fc.property(messages, fc.nat(), (all, pick) => {
    fc.pre(all.length > 0);
    const before = paginate(all.toSpliced(pick % all.length, 1));
    const after = paginate(all, before);
    assert.equal(new Set(after.map(({ key }) => key)).size, after.length);
    const changed = after.filter((page) => !before.includes(page));
    assert.ok(changed.length <= 3);
  }));
});

Deno.test("a message that rises from sent to read changes its own page and no other but the next", () => {
  fc.assert(fc.property(messages, fc.nat(), (all, pick) => {
    fc.pre(all.length > 0);
    const at = pick % all.length;
    const before = paginate(all);
    const risen = all.map((message, i) =>
      i === at ? { ...message, mine: true, state: "read" as const } : message
    );
    const after = paginate(risen, before);
    const changed = after.filter((page) => !before.includes(page));
    assert.ok(changed.length >= 1 && changed.length <= 2);
    assert.ok(changed.some((page) => page.messages.includes(risen[at])));
  }));
});

Deno.test("equal messages in new objects leave every page as it was", () => {
  fc.assert(fc.property(messages, (all) => {
    const before = paginate(all);
    const after = paginate(structuredClone(all), before);
    assert.ok(after.every((page, i) => page === before[i]));
  }));
});

const bound = (all: readonly MessageView[], before: readonly Sheet[] = []) =>
  bind(paginate(all, before.flatMap(({ pages }) => pages)), before);

/** Ids of which many end sheets, as in a conversation of thousands. */
const long = fc.tuple(messages, fc.nat(15)).map(([all, third]) =>
  all.map((message, i) =>
    i % 5 === third % 5
      ? { ...message, id: message.id.slice(0, -2) + "00" }
      : message
  ).filter(({ id }, i, changed) =>
    changed.findIndex((other) => other.id === id) === i
  )
);

Deno.test("sheets hold every page once, in order, under different keys", () => {
  fc.assert(fc.property(long, (all) => {
    const pages = paginate(all);
    const sheets = bind(pages);
    assert.deepEqual(sheets.flatMap((sheet) => sheet.pages), pages);
    assert.equal(new Set(sheets.map(({ key }) => key)).size, sheets.length);
  }));
});

Deno.test("whatever is added at either end, a sheet keeps its key, and all stay as they were but one at each", () => {
  fc.assert(fc.property(long, fc.nat(), fc.nat(), (all, one, other) => {
    const [from, to] = [one, other].map((n) => n % (all.length + 1)).sort((
      a,
      b,
    ) => a - b);
    const few = bound(all.slice(from, to));
    const whole = bound(all, few);
    const keys = new Set(whole.map(({ key }) => key));
    assert.ok(few.every(({ key }) => keys.has(key)));
    const kept = few.filter((sheet) => whole.includes(sheet));
    assert.ok(kept.length >= few.length - 2);
  }));
});

Deno.test("a message that comes late, or rises, leaves all sheets as they were but its own and its neighbours, and no two share a key", () => {
  fc.assert(fc.property(long, fc.nat(), (all, pick) => {
    fc.pre(all.length > 0);
    const at = pick % all.length;
    const before = bound(all.toSpliced(at, 1));
    const after = bound(all, before);
    assert.equal(new Set(after.map(({ key }) => key)).size, after.length);
    const changed = after.filter((sheet) => !before.includes(sheet));
    assert.ok(changed.length <= 3);
    const risen = all.with(at, { ...all[at], mine: true, state: "read" });
    const then = bound(risen, after);
    assert.ok(then.filter((sheet) => !after.includes(sheet)).length <= 2);
  }));
});
