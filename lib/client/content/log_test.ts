import assert from "node:assert/strict";
import fc from "fast-check";
import { generateKeyPair } from "../../signal/mod.ts";
import {
  MemoryDisk,
  type Store,
  Vault,
  type VaultWriter,
} from "../storage/mod.ts";
import { AWAITED_BUCKETS } from "./awaited.ts";
import { MAX_AWAITED } from "./limits.ts";
import { ConversationLog } from "./log.ts";
import type { Row } from "./row.ts";
import {
  contentId,
  CONVERSATION,
  event,
  events,
  type LogEvent,
  ME,
  text,
  THEM,
  unknown,
} from "./testing_events.ts";

const recovery = await generateKeyPair();
const log = new ConversationLog(ME);
const OTHER_PERSON = "00000000-0000-8000-8000-000000000003";
const OTHER = "0d".repeat(16);

function newVault(disk = new MemoryDisk()): Promise<Vault> {
  return Vault.create(disk.platform(), {
    recoveryPublicKey: recovery.publicKey,
  });
}

function append(vault: Vault, { author, content }: LogEvent, at = 5_000) {
  return vault.transact((w) => log.append(w, { author, content, at }));
}

async function appendAll(
  vault: Vault,
  events: readonly LogEvent[],
): Promise<void> {
  for (const event of events) await append(vault, event);
}

async function allRows(vault: Vault): Promise<Row[]> {
  const rows: Row[] = [];
  let before: number | undefined;
  do {
    const page = await log.page(vault, CONVERSATION, before);
    rows.unshift(...page.rows);
    before = page.before;
  } while (before !== undefined);
  return rows;
}

/** What does not depend on the order of arrival: all of it, the order of the rows included. */
async function view(vault: Vault) {
  const rows = await allRows(vault);
  assert.deepEqual(rows.map(({ sequence }) => sequence), rows.map((_, i) => i));
  return rows.map(({ arrived: _, ...row }) => row);
}

/** A vault's store that counts the keys read and written. */
function counting(disk: MemoryDisk) {
  const platform = disk.platform();
  const count = { read: 0, written: 0 };
  const store: Store = {
    get: (keys) => {
      count.read += keys.length;
      return platform.store.get(keys);
    },
    commit: (changes) => {
      count.written += changes.length;
      return platform.store.commit(changes);
    },
    scan: () => assert.fail("the log never scans"),
    count: () => platform.store.count(),
    keys: (after, limit) => platform.store.keys(after, limit),
    clear: () => platform.store.clear(),
    close: () => platform.store.close(),
  };
  return { platform: { ...platform, store }, count };
}

/** In the same order otherwise: on the one device there is, an own message is here before its receipts. */
function receiptsLast(events: readonly LogEvent[]): LogEvent[] {
  const isReceipt = ({ content }: LogEvent) => content.body.kind === "receipt";
  return [
    ...events.filter((event) => !isReceipt(event)),
    ...events.filter(isReceipt),
  ];
}

Deno.test("a message that is composed here is one that was appended", async () => {
  const [composing, appending] = [await newVault(), await newVault()];
  for (const vault of [composing, appending]) {
    await append(vault, text(THEM, 1));
  }
  const { content } = text(ME, 2);
  const row = await composing.transact((w) => log.compose(w, content, 5_000));
  const { added } = await append(appending, text(ME, 2));
  assert.ok(row);
  assert.deepEqual(row, added);
  assert.deepEqual(await allRows(composing), await allRows(appending));
  // Its repeat and its receipt find it, as they find an appended one.
  assert.deepEqual(await append(composing, text(ME, 2)), {
    added: undefined,
    changed: [],
  });
  const receipt = event(THEM, 3, {
    kind: "receipt",
    state: "read",
    ids: [row.id],
  });
  assert.equal((await append(composing, receipt)).changed[0].state, "read");
});

Deno.test("any order and repetition of the same events gives the same view", async () => {
  await fc.assert(
    fc.asyncProperty(
      events.chain((events) =>
        fc.tuple(
          fc.constant(events),
          fc.shuffledSubarray([...events, ...events], {
            minLength: 2 * events.length,
          }),
        )
      ),
      async ([events, shuffledTwice]) => {
        const [one, other] = [await newVault(), await newVault()];
        await appendAll(one, receiptsLast(events));
        await appendAll(other, receiptsLast(shuffledTwice));
        assert.deepEqual(await view(other), await view(one));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("any events in one commit or in many give the same rows in the same order", async () => {
  await fc.assert(
    fc.asyncProperty(events, async (events) => {
      const [one, other] = [await newVault(), await newVault()];
      await appendAll(one, events);
      await other.transact(async (w) => {
        for (const event of events) {
          await log.append(w, { ...event, at: 5_000 });
        }
      });
      assert.deepEqual(await allRows(other), await allRows(one));
      assert.deepEqual(
        await log.summaries(other, [CONVERSATION]),
        await log.summaries(one, [CONVERSATION]),
      );
    }),
    { numRuns: 40 },
  );
});

Deno.test("what appending returns is what is there, and a repeat returns nothing", async () => {
  await fc.assert(
    fc.asyncProperty(events, async (events) => {
      const vault = await newVault();
      const shown = new Map<string, Row>();
      for (const event of events) {
        const { added, changed } = await append(vault, event);
        for (const row of added ? [...changed, added] : changed) {
          assert.equal(shown.has(row.id), row !== added);
          shown.set(row.id, row);
        }
        assert.deepEqual(await append(vault, event), {
          added: undefined,
          changed: [],
        });
      }
      // Those behind one that comes late move on, which changes nothing else about them.
      const byId = (rows: Iterable<Row>) =>
        [...rows].map(({ sequence: _, ...row }) => row)
          .sort((a, b) => a.id < b.id ? -1 : 1);
      assert.deepEqual(byId(shown.values()), byId(await allRows(vault)));
    }),
    { numRuns: 40 },
  );
});

Deno.test("pages of fifty go back to the first message, newest page first, each oldest first", async () => {
  const vault = await newVault();
  await vault.transact(async (w) => {
    for (let i = 0; i < 120; i++) {
      await log.append(w, { ...text(THEM, i), at: i });
    }
  });
  const newest = await log.page(vault, CONVERSATION);
  assert.deepEqual(newest.rows.map(({ id }) => id), ids(70, 120));
  assert.equal(newest.before, 70);
  const middle = await log.page(vault, CONVERSATION, newest.before);
  assert.deepEqual(middle.rows.map(({ id }) => id), ids(20, 70));
  const oldest = await log.page(vault, CONVERSATION, middle.before);
  assert.deepEqual(oldest.rows.map(({ id }) => id), ids(0, 20));
  assert.equal(oldest.before, undefined);
});

Deno.test("a conversation without messages, or that nobody began, has one empty page", async () => {
  const vault = await newVault();
  await vault.transact((w) => log.start(w, CONVERSATION, 7));
  for (const conversation of [CONVERSATION, OTHER]) {
    assert.deepEqual(await log.page(vault, conversation), {
      rows: [],
      before: undefined,
    });
  }
  assert.deepEqual(await log.summaries(vault, [CONVERSATION, OTHER]), [
    {
      conversation: CONVERSATION,
      unread: 0,
      draft: "",
      editing: undefined,
      activity: 7,
      last: undefined,
    },
    undefined,
  ]);
});

Deno.test("a summary tells the last message as it looks now, what is unread, and the draft", async () => {
  const vault = await newVault();
  await vault.transact((w) => log.start(w, CONVERSATION, 7));
  await append(vault, text(THEM, 51), 10);
  await append(vault, text(ME, 1, "mine", 2_000), 11);
  await vault.transact((w) => log.setDraft(w, CONVERSATION, "not yet", 0));
  await vault.transact((w) =>
    log.raise(w, CONVERSATION, [contentId(1)], "delivered")
  );
  const [summary] = await log.summaries(vault, [CONVERSATION]);
  assert.equal(summary?.unread, 1);
  assert.equal(summary?.draft, "not yet");
  assert.equal(summary?.activity, 11);
  assert.equal(summary?.last?.state, "delivered");
  assert.deepEqual(summary?.last?.body, {
    kind: "text",
    text: "mine",
    edited: false,
  });
  await vault.transact((w) => log.start(w, CONVERSATION, 99));
  assert.deepEqual(
    await log.summaries(vault, [CONVERSATION]),
    [summary],
    "begun once",
  );
});

Deno.test("reading gives each unread message of the others once, oldest first, over many pages", async () => {
  const vault = await newVault();
  await vault.transact(async (w) => {
    for (let i = 0; i < 130; i++) {
      await log.append(w, { ...text(i % 3 ? THEM : ME, i), at: i });
    }
  });
  const theirs = Array.from({ length: 130 }, (_, i) => i).filter((i) => i % 3)
    .map(contentId);
  assert.equal(
    (await log.summaries(vault, [CONVERSATION]))[0]?.unread,
    theirs.length,
  );
  const read = await vault.transact((w) => log.markRead(w, CONVERSATION));
  assert.deepEqual(read, theirs.map((id) => ({ author: THEM, id })));
  assert.equal((await log.summaries(vault, [CONVERSATION]))[0]?.unread, 0);
  assert.deepEqual(
    await vault.transact((w) => log.markRead(w, CONVERSATION)),
    [],
  );
  await append(vault, text(THEM, 200));
  assert.deepEqual(
    await vault.transact((w) => log.markRead(w, CONVERSATION)),
    [{ author: THEM, id: contentId(200) }],
  );
  assert.deepEqual(await vault.transact((w) => log.markRead(w, OTHER)), []);
});

Deno.test("an own message goes from sending to sent to delivered to read, and never back", async () => {
  const vault = await newVault();
  const { added } = await append(vault, text(ME, 1));
  assert.equal(added?.state, "sending");
  const raise = (progress: "sent" | "delivered" | "read") =>
    vault.transact((w) => log.raise(w, CONVERSATION, [contentId(1)], progress));
  assert.deepEqual((await raise("sent")).map(({ state }) => state), ["sent"]);
  assert.deepEqual((await raise("read")).map(({ state }) => state), ["read"]);
  assert.deepEqual(await raise("delivered"), []);
  assert.deepEqual(await raise("sent"), []);
  const failed = await vault.transact((w) =>
    log.setFailed(w, CONVERSATION, contentId(1), true)
  );
  assert.equal(failed?.state, "read", "it can't have failed");
});

Deno.test("a failed message can be tried again, and a late receipt overrules the failure", async () => {
  const vault = await newVault();
  await append(vault, text(ME, 1));
  const setFailed = (failed: boolean) =>
    vault.transact((w) => log.setFailed(w, CONVERSATION, contentId(1), failed));
  assert.equal((await setFailed(true))?.state, "failed");
  assert.equal(await setFailed(true), undefined, "nothing new");
  assert.equal((await setFailed(false))?.state, "sending");
  await setFailed(true);
  const receipt = {
    kind: "receipt",
    state: "delivered",
    ids: [contentId(1)],
  } as const;
  const { changed } = await append(vault, event(THEM, 90, receipt));
  assert.deepEqual(changed.map(({ state }) => state), ["delivered"]);
});

Deno.test("a receipt names many messages and changes each once; ids that are not there, or not ours, change nothing", async () => {
  const vault = await newVault();
  for (const i of [1, 2, 3]) await append(vault, text(ME, i));
  await append(vault, text(THEM, 51));
  const named = [1, 2, 2, 51, 77].map(contentId);
  const { added, changed } = await append(
    vault,
    event(THEM, 90, { kind: "receipt", state: "read", ids: named }),
  );
  assert.equal(added, undefined);
  assert.deepEqual(changed.map(({ id, state }) => [id, state]), [
    [contentId(1), "read"],
    [contentId(2), "read"],
  ]);
  const states = (await allRows(vault)).map(({ state }) => state);
  assert.deepEqual(states, ["read", "read", "sending", undefined]);
});

Deno.test("receipts for own messages that there are not leave nothing behind", async () => {
  const disk = new MemoryDisk();
  const vault = await newVault(disk);
  const before = disk.entries();
  for (let i = 0; i < 3; i++) {
    const ids = [contentId(10 * i), contentId(10 * i + 1)];
    await append(
      vault,
      event(THEM, 90 + i, { kind: "receipt", state: "read", ids }),
    );
  }
  assert.deepEqual(disk.entries(), before);
  const { added } = await append(vault, text(ME, 10));
  assert.equal(added?.state, "sending");
});

Deno.test(`of what is said about messages that have not arrived, that about ${MAX_AWAITED} is kept`, async () => {
  const disk = new MemoryDisk();
  const vault = await newVault(disk);
  const kinds = [
    (target: string) => ({ kind: "edit", target, text: "edited" }) as const,
    (target: string) => ({ kind: "deletion", target }) as const,
    (target: string, i: number) =>
      ({
        kind: "reaction",
        target,
        targetAuthor: i % 2 ? OTHER_PERSON : THEM,
        emoji: "👍",
      }) as const,
  ];
  await vault.transact((w) => log.start(w, CONVERSATION, 1));
  const before = disk.entries().length;
  /** Speaks of messages `from` and up. */
  const speak = (from: number, count: number) =>
    vault.transact(async (w) => {
      for (let i = from; i < from + count; i++) {
        const body = kinds[i % kinds.length](contentId(i), i);
        await log.append(w, { ...event(THEM, 100_000 + i, body), at: i });
      }
    });
  const kept = () => disk.entries().length - before;
  await speak(0, MAX_AWAITED);
  // And which they are, in buckets.
  assert.equal(kept(), MAX_AWAITED + AWAITED_BUCKETS);
  await speak(0, MAX_AWAITED + 500);
  assert.equal(kept(), MAX_AWAITED + AWAITED_BUCKETS);

  // One arrives, which makes room for one more, and has its edit.
  const { added } = await append(vault, text(THEM, 0, "as sent"));
  assert.deepEqual(added?.body, { kind: "text", text: "edited", edited: true });
  await speak(MAX_AWAITED, 500);
  // Beside them the one that arrived and its place in the order.
  assert.equal(kept(), MAX_AWAITED + AWAITED_BUCKETS + 2);
  // What has arrived is spoken of as before.
  const { changed } = await append(
    vault,
    event(THEM, 200_000, {
      kind: "edit",
      target: contentId(0),
      text: "edited again",
    }),
  );
  assert.equal(changed.length, 1);
});

Deno.test("a contact that reuses the id of an own message is not heard", async () => {
  const vault = await newVault();
  await append(vault, text(ME, 1, "mine"));
  assert.deepEqual(await append(vault, text(THEM, 1, "theirs")), {
    changed: [],
  });
  assert.deepEqual((await allRows(vault)).map(({ body }) => body), [
    { kind: "text", text: "mine", edited: false },
  ]);
});

Deno.test("a message is found as it was sent, until it is taken back", async () => {
  const vault = await newVault();
  const sent = text(ME, 1, "as sent");
  await append(vault, sent);
  await append(
    vault,
    event(ME, 2, { kind: "edit", target: contentId(1), text: "edited" }),
  );
  const key = { author: ME, id: contentId(1) };
  const found = await log.find(vault, CONVERSATION, key);
  assert.deepEqual(found?.content, sent.content);
  assert.deepEqual(found?.row.body, {
    kind: "text",
    text: "edited",
    edited: true,
  });
  await append(vault, event(ME, 3, { kind: "deletion", target: contentId(1) }));
  const gone = await log.find(vault, CONVERSATION, key);
  assert.equal(gone?.content, undefined);
  assert.deepEqual(gone?.row.body, { kind: "deleted" });
  assert.equal(
    await log.find(vault, CONVERSATION, { author: THEM, id: contentId(1) }),
    undefined,
  );
  assert.equal(await log.find(vault, OTHER, key), undefined);
});

Deno.test("a body of a later version has a row, counts as unread, and is kept byte for byte", async () => {
  const vault = await newVault();
  const strange = unknown(THEM, 51);
  const { added } = await append(vault, strange);
  assert.deepEqual(added?.body, { kind: "unknown" });
  assert.equal((await log.summaries(vault, [CONVERSATION]))[0]?.unread, 1);
  const found = await log.find(vault, CONVERSATION, {
    author: THEM,
    id: contentId(51),
  });
  assert.deepEqual(found?.content?.bytes, strange.content.bytes);
  assert.deepEqual(await append(vault, unknown(THEM, 52, 32)), { changed: [] });
});

Deno.test("conversations do not mix", async () => {
  const vault = await newVault();
  await append(vault, text(THEM, 51));
  await vault.transact(async (w: VaultWriter) => {
    await log.start(w, OTHER, 1);
    await log.raise(w, OTHER, [contentId(51)], "read");
    await log.setDraft(w, OTHER, "for the other", 0);
  });
  assert.deepEqual((await log.page(vault, OTHER)).rows, []);
  assert.equal((await log.summaries(vault, [CONVERSATION]))[0]?.draft, "");
});

Deno.test("whatever its length, opening and adding to a conversation touches a handful of records", async () => {
  const disk = new MemoryDisk();
  const vault = await newVault(disk);
  // A hundred thousand when there is time.
  const length = Deno.env.get("SLOW") ? 100_000 : 2_500;
  for (let start = 0; start < length; start += 500) {
    await vault.transact(async (w) => {
      for (let i = start; i < start + 500; i++) {
        await log.append(w, { ...text(THEM, i), at: i });
      }
    });
  }
  await vault.close();

  const { platform, count } = counting(disk);
  const reopened = await Vault.open(platform);
  assert.ok(reopened instanceof Vault);
  const cost = async (work: () => Promise<unknown>) => {
    Object.assign(count, { read: 0, written: 0 });
    await work();
    return { ...count };
  };
  assert.deepEqual(await cost(() => log.summaries(reopened, [CONVERSATION])), {
    read: 2,
    written: 0,
  });
  const page = await cost(() => log.page(reopened, CONVERSATION));
  assert.ok(page.read <= 1 + 2 + 50 && page.written === 0);
  const older = await cost(() => log.page(reopened, CONVERSATION, 2_025));
  assert.ok(older.read <= 2 + 50 && older.written === 0);
  // Written: entry, order page, summary, the last two of which are remembered from then on. Reading
  // asks for them, and whether an own message has that id.
  assert.deepEqual(await cost(() => append(reopened, text(THEM, length))), {
    read: 3,
    written: 3,
  });
  assert.deepEqual(await cost(() => append(reopened, text(ME, length + 1))), {
    read: 1,
    written: 3,
  });
  // What is composed here waits for no reading at all.
  const composed = text(ME, length + 2).content;
  assert.deepEqual(
    await cost(() => reopened.transact((w) => log.compose(w, composed, 5_000))),
    { read: 0, written: 3 },
  );
});

function ids(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => contentId(from + i));
}
