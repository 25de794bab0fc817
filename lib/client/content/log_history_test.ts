import assert from "node:assert/strict";
import fc from "fast-check";
import { generateKeyPair } from "../../signal/mod.ts";
import { MemoryDisk, Vault } from "../storage/mod.ts";
import { ConversationLog } from "./log.ts";
import { clearLog } from "./log_clearing.ts";
import { type PastEntry, pastOf, restore } from "./log_history.ts";
import { parsePart, partsOfPast } from "./past_codec.ts";
import { event, events, type LogEvent, text } from "./testing_events.ts";
import { contentId, CONVERSATION, ME, THEM } from "./testing_events.ts";

const log = new ConversationLog(ME);
const recovery = await generateKeyPair();

async function vaultOf(all: readonly LogEvent[]): Promise<Vault> {
  const vault = await Vault.create(new MemoryDisk().platform(), {
    recoveryPublicKey: recovery.publicKey,
  });
  await vault.transact(async (w) => {
    await log.start(w, CONVERSATION, 1_000);
    for (const { author, content } of all) {
      await log.append(w, { author, content, at: 5_000, alone: false });
    }
  });
  return vault;
}

/** All of it, as a screen pages through it, without what this device alone knows. */
async function read(vault: Vault) {
  const rows = [];
  let before: number | undefined;
  do {
    const page = await log.page(vault, CONVERSATION, before);
    rows.unshift(...page.rows);
    before = page.before;
  } while (before !== undefined);
  return rows.map(({ sequence: _, ...row }) => row);
}

/** Over the wire and back. */
function carried(rows: readonly PastEntry[]): PastEntry[] {
  return rows.flatMap((row) => partsOfPast(row))
    .map((part) => parsePart(part, CONVERSATION));
}

/** All that `from` has goes to `to`, page by page; each page `times` times. */
async function bring(
  from: Vault,
  to: Vault,
  { times = 1, between = async () => {} }: {
    times?: number;
    between?: () => Promise<void>;
  } = {},
): Promise<void> {
  let before: PastEntry["key"] | undefined;
  let floor: number | undefined;
  while (true) {
    const { rows, left } = await pastOf(from, CONVERSATION, before);
    if (rows.length === 0) return;
    for (let time = 0; time < times; time++) {
      const restored = await to.transact((w) =>
        restore(w, CONVERSATION, carried(rows), { me: ME, left, floor })
      );
      floor = restored?.floor ?? floor;
    }
    before = rows.at(-1)?.key;
    await between();
  }
}

const texts = (count: number) =>
  Array.from(
    { length: count },
    (_, n) => text(n % 3 === 0 ? ME : THEM, n, `text ${n}`, 10_000 + n),
  );

Deno.test("whatever two devices have of a conversation, after its past was brought they show the same", () =>
  fc.assert(
    fc.asyncProperty(
      events,
      fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      fc.constantFrom(1, 2),
      async (all, some, times) => {
        const old = await vaultOf(all);
        const anew = await vaultOf(all.filter((_, i) => some[i % 40]));
        await bring(old, anew, { times });
        assert.deepEqual(await read(anew), await read(old));
      },
    ),
    { numRuns: 100 },
  ));

Deno.test("a long past is put in its order below what was said since, whichever of it was there", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 180 }),
      fc.uniqueArray(fc.nat({ max: 179 }), { maxLength: 90 }),
      fc.integer({ min: 1, max: 60 }),
      async (count, known, later) => {
        const all = texts(180 + later);
        const past = all.slice(0, count);
        const since = all.slice(180);
        const old = await vaultOf(past);
        const here = [
          ...since,
          ...known.filter((n) => n < count).map((n) => all[n]),
        ];
        const anew = await vaultOf(here);
        await anew.transact((w) => log.markRead(w, CONVERSATION));
        await bring(old, anew);
        const ids = (await read(anew)).map(({ id }) => id);
        assert.deepEqual(
          ids,
          [...past, ...since].map(({ content }) => content.id),
        );
        const [summary] = await log.summaries(anew, [CONVERSATION]);
        assert.equal(summary?.unread, 0);
        assert.equal(summary?.last?.id, ids.at(-1));
      },
    ),
    { numRuns: 5 },
  ));

Deno.test("what arrives while the past is brought stands behind it, and is unread", async () => {
  const all = texts(160);
  const old = await vaultOf(all.slice(0, 150));
  const anew = await vaultOf(all.slice(140, 150));
  await anew.transact((w) => log.markRead(w, CONVERSATION));
  let n = 150;
  await bring(old, anew, {
    between: async () => {
      const { author, content } = all[n++];
      await anew.transact((w) => log.append(w, { author, content, at: 9_000 }));
    },
  });
  assert.ok(n > 152);
  const ids = (await read(anew)).map(({ id }) => id);
  assert.deepEqual(ids, all.slice(0, n).map(({ content }) => content.id));
  const news = all.slice(150, n).filter(({ author }) => author === THEM);
  const [summary] = await log.summaries(anew, [CONVERSATION]);
  assert.equal(summary?.unread, news.length);
});

Deno.test("what was taken back does not come back, wherever that was heard of first", async () => {
  const said = text(THEM, 1, "a secret", 10_000);
  const deletion = event(
    THEM,
    2,
    { kind: "deletion", target: contentId(1) },
    10_001,
  );
  const old = await vaultOf([said]);
  const anew = await vaultOf([deletion]);
  await bring(old, anew);
  const [row] = await read(anew);
  assert.deepEqual(row.body, { kind: "deleted" });
  const before = await vaultOf([said, deletion]);
  const [entry] = (await pastOf(before, CONVERSATION)).rows;
  const parts = partsOfPast(entry).map((part) =>
    new TextDecoder().decode(part)
  );
  assert.ok(!parts.join().includes("a secret"));
});

Deno.test("a conversation that is cleared while its past is brought stays clear", async () => {
  const all = texts(120);
  const old = await vaultOf(all);
  const anew = await vaultOf([]);
  let cleared = false;
  await bring(old, anew, {
    between: async () => {
      if (cleared) return;
      cleared = true;
      await anew.transact((w) => clearLog(w, CONVERSATION, 20_000));
    },
  });
  assert.deepEqual(await read(anew), []);
});

Deno.test("the longest text, changed to another of the same length, goes in parts that merge", async () => {
  const long = "x".repeat(28_000);
  const edit = event(
    THEM,
    2,
    { kind: "edit", target: contentId(1), text: "y".repeat(28_000) },
    10_001,
  );
  const old = await vaultOf([text(THEM, 1, long, 10_000), edit]);
  const { rows } = await pastOf(old, CONVERSATION);
  for (const part of partsOfPast(rows[0])) assert.ok(part.length < 28_400);
  const anew = await vaultOf([]);
  await bring(old, anew);
  assert.deepEqual(await read(anew), await read(old));
});

Deno.test("a part that holds another conversation, or another message, is refused", async () => {
  const old = await vaultOf(texts(2));
  const { rows } = await pastOf(old, CONVERSATION);
  const [part] = partsOfPast(rows[0]);
  assert.throws(() => parsePart(part, "00".repeat(16)), {
    name: "MalformedError",
  });
  const [forged] = partsOfPast({ key: rows[1].key, entry: rows[0].entry });
  assert.throws(() => parsePart(forged, CONVERSATION), {
    name: "MalformedError",
  });
});
