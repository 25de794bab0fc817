import assert from "node:assert/strict";
import fc from "fast-check";
import { generateKeyPair } from "../../signal/mod.ts";
import { MemoryDisk, Vault } from "../storage/mod.ts";
import { MAX_TIME } from "./content.ts";
import { ConversationLog } from "./log.ts";
import { clearLog, clearUpTo } from "./log_clearing.ts";
import { REACH } from "./placing.ts";
import { contentId, CONVERSATION, ME, text, THEM } from "./testing_events.ts";

const log = new ConversationLog(ME);
const recovery = await generateKeyPair();

function newVault(): Promise<Vault> {
  return Vault.create(new MemoryDisk().platform(), {
    recoveryPublicKey: recovery.publicKey,
  });
}

/** Their message number `n`, said at `time`. */
async function hear(vault: Vault, n: number, time: number): Promise<void> {
  const event = text(THEM, n, `text ${n}`, time);
  await vault.transact((w) => log.append(w, { ...event, at: 5_000 }));
}

async function idsOf(vault: Vault): Promise<string[]> {
  const ids: string[] = [];
  let before: number | undefined;
  do {
    const page = await log.page(vault, CONVERSATION, before);
    ids.unshift(...page.rows.map(({ id }) => id));
    before = page.before;
  } while (before !== undefined);
  return ids;
}

async function unread(vault: Vault): Promise<number | undefined> {
  const [summary] = await log.summaries(vault, [CONVERSATION]);
  return summary?.unread;
}

const read = (vault: Vault) =>
  vault.transact((w) => log.markRead(w, CONVERSATION));

const readElsewhere = (vault: Vault, ...numbers: number[]) =>
  vault.transact((w) =>
    log.markReadOf(w, CONVERSATION, {
      author: THEM,
      ids: numbers.map(contentId),
      at: 5_000,
    })
  );

Deno.test("whatever comes when, all messages stand in the order in which they were said, on every page", () =>
  fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat({ max: 1_000 }), { minLength: 60, maxLength: 180 }),
      async (times) => {
        const vault = await newVault();
        await vault.transact(async (w) => {
          for (const time of times) {
            const event = text(THEM, time, "x", 1 + time);
            await log.append(w, { ...event, at: 5_000 });
          }
        });
        const sorted = times.toSorted((a, b) => a - b).map(contentId);
        assert.deepEqual(await idsOf(vault), sorted);
        const first = await log.pageAfter(vault, CONVERSATION, 0);
        assert.deepEqual(
          first.rows.map(({ id }) => id),
          sorted.slice(0, first.rows.length),
        );
      },
    ),
    { numRuns: 15 },
  ));

Deno.test("what was said in the same moment stands in the same order, whichever came first", async () => {
  const [one, other] = [await newVault(), await newVault()];
  const said = [text(ME, 1, "mine", 10), text(THEM, 2, "theirs", 10)];
  for (
    const [vault, events] of [[one, said], [other, said.toReversed()]] as const
  ) {
    for (const event of events) {
      await vault.transact((w) => log.append(w, { ...event, at: 5_000 }));
    }
  }
  assert.deepEqual(await idsOf(one), await idsOf(other));
});

Deno.test("a message that comes late stands between, is unread though those behind it were read, and they are not read twice", async () => {
  const vault = await newVault();
  await hear(vault, 1, 10);
  await hear(vault, 3, 30);
  assert.equal((await read(vault)).length, 2);
  await hear(vault, 2, 20);
  assert.deepEqual(await idsOf(vault), [1, 2, 3].map(contentId));
  assert.equal(await unread(vault), 1);
  assert.deepEqual(await read(vault), [{ author: THEM, id: contentId(2) }]);
  assert.deepEqual(await read(vault), []);
  assert.equal(await unread(vault), 0);
});

Deno.test("what was read on another device is read here, also when it comes only then", async () => {
  const vault = await newVault();
  await hear(vault, 1, 10);
  await hear(vault, 2, 20);
  await readElsewhere(vault, 1, 3);
  assert.equal(await unread(vault), 1);
  await readElsewhere(vault, 1, 3);
  assert.equal(await unread(vault), 1, "told twice is told once");
  await hear(vault, 3, 30);
  assert.equal(await unread(vault), 1);
  assert.deepEqual(await read(vault), [{ author: THEM, id: contentId(2) }]);
});

Deno.test("what was cleared on another device is cleared here up to the same place", async () => {
  const [here, there] = [await newVault(), await newVault()];
  for (const vault of [here, there]) {
    await hear(vault, 1, 10);
    await hear(vault, 2, 20);
  }
  await hear(here, 3, 30);
  const upTo = await there.transact((w) => clearLog(w, CONVERSATION, 7));
  await here.transact((w) => clearUpTo(w, CONVERSATION, upTo, ME));
  await hear(there, 3, 30);
  for (const vault of [here, there]) {
    assert.deepEqual(await idsOf(vault), [contentId(3)]);
    assert.equal(await unread(vault), 1);
  }
});

Deno.test("of two drafts the later one stays, whichever comes first", async () => {
  const [one, other] = [await newVault(), await newVault()];
  const early = { text: "early", time: 10 };
  const late = { text: "late", time: 20 };
  for (
    const [vault, drafts] of [[one, [early, late]], [other, [
      late,
      early,
    ]]] as const
  ) {
    await vault.transact((w) => log.start(w, CONVERSATION, 7));
    for (const draft of drafts) {
      await vault.transact((w) => log.takeDraft(w, CONVERSATION, draft, 9));
    }
    assert.deepEqual(await log.draft(vault, CONVERSATION), late);
    // What is written here afterwards is later, whatever the clock says.
    await vault.transact((w) => log.setDraft(w, CONVERSATION, "last", 0));
    assert.deepEqual(await log.draft(vault, CONVERSATION), {
      text: "last",
      time: 21,
    });
  }
});

Deno.test("a draft of the far future is followed by another one, of a time that can be written", async () => {
  const vault = await newVault();
  await vault.transact((w) => log.start(w, CONVERSATION, 7));
  const last = { text: "for good", time: Number.MAX_SAFE_INTEGER };
  await vault.transact((w) => log.takeDraft(w, CONVERSATION, last, 9));
  await vault.transact((w) => log.setDraft(w, CONVERSATION, "not quite", 10));
  const draft = await log.draft(vault, CONVERSATION);
  assert.equal(draft?.text, "not quite");
  assert.ok((draft?.time ?? Infinity) < 10 ** 12);
});

Deno.test("an answer stands behind what it answers, though its author's clock is a year behind", async () => {
  const vault = await newVault();
  await hear(vault, 1, 1_000_000);
  const rank = await log.nextRank(vault, CONVERSATION, 10);
  assert.equal(rank, 1_000_001);
});

Deno.test("who dates messages into the past moves no more than so many others", async () => {
  const vault = await newVault();
  await vault.transact(async (w) => {
    for (let n = 1; n <= REACH + 20; n++) {
      const event = text(THEM, n, "x", 1_000 + n);
      await log.append(w, { ...event, at: 5_000 });
    }
  });
  await hear(vault, 9_999, 1);
  const ids = await idsOf(vault);
  assert.equal(ids.indexOf(contentId(9_999)), 20);
  assert.equal(ids.length, REACH + 21);
});

Deno.test("who says something of the last moment there is leaves room for what is said after it, in its order", async () => {
  const vault = await newVault();
  const now = Date.UTC(2026, 10, 26);
  const hearAt = (n: number, time: number) =>
    vault.transact((w) =>
      log.append(w, { ...text(THEM, n, `text ${n}`, time), at: now + n })
    );
  await hearAt(1, MAX_TIME);
  await hearAt(9, MAX_TIME);
  // By ids alone, the one that is said first would stand last.
  for (const n of [8, 7, 6]) {
    const rank = await log.nextRank(vault, CONVERSATION, now + 9);
    const { content } = text(ME, n, `text ${n}`, rank);
    await vault.transact((w) => log.compose(w, content, now + 9));
    await hearAt(10 + n, Math.min(rank + 1, MAX_TIME));
  }
  assert.deepEqual(
    await idsOf(vault),
    [1, 9, 8, 18, 7, 17, 6, 16].map(contentId),
  );
});
