import assert from "node:assert/strict";
import fc from "fast-check";
import { generateKeyPair } from "../../signal/mod.ts";
import { MemoryDisk, Vault } from "../storage/mod.ts";
import { ConversationLog } from "./log.ts";
import { clearLog, eraseCleared, removeLog, unerased } from "./log_clearing.ts";
import {
  contentId,
  CONVERSATION,
  event,
  events,
  type LogEvent,
  ME,
  text,
  THEM,
} from "./testing_events.ts";

const recovery = await generateKeyPair();
const log = new ConversationLog(ME);

async function newVault() {
  const disk = new MemoryDisk();
  const vault = await Vault.create(disk.platform(), {
    recoveryPublicKey: recovery.publicKey,
  });
  return { disk, vault };
}

async function append(vault: Vault, all: readonly LogEvent[]): Promise<void> {
  for (const { author, content } of all) {
    await vault.transact((w) => log.append(w, { author, content, at: 5_000 }));
  }
}

/** What both ways of paging give, which must be the same. */
async function textsOf(vault: Vault): Promise<string[]> {
  const backwards: string[] = [];
  let before: number | undefined;
  do {
    const page = await log.page(vault, CONVERSATION, before);
    backwards.unshift(...page.rows.map(({ id }) => id));
    before = page.before;
  } while (before !== undefined);
  const forwards: string[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page = await log.pageAfter(vault, CONVERSATION, after);
    forwards.push(...page.rows.map(({ id }) => id));
    after = page.after;
  }
  assert.deepEqual(forwards, backwards);
  return backwards;
}

async function eraseAll(vault: Vault): Promise<void> {
  while (await vault.transact((w) => eraseCleared(w, CONVERSATION))) {
    // A page at a time.
  }
}

const clear = (vault: Vault) =>
  vault.transact((w) => clearLog(w, CONVERSATION, 0));

const said = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => text(THEM, from + i));

Deno.test("what was cleared is shown no more at once, and what comes then is, wherever the erasing stands", async () => {
  // Around the borders of a page, which are what can be got wrong.
  for (const before of [0, 1, 49, 50, 51, 120]) {
    for (const then of [0, 1, 50, 75]) {
      const { vault } = await newVault();
      await append(vault, said(0, before));
      await clear(vault);
      assert.deepEqual(await textsOf(vault), []);
      const [summary] = await log.summaries(vault, [CONVERSATION]);
      assert.equal(summary?.unread ?? 0, 0);
      assert.equal(summary?.last, undefined);
      await append(vault, said(before, before + then));
      const expected = said(before, before + then)
        .map(({ content }) => content.id);
      assert.deepEqual(await textsOf(vault), expected);
      await eraseAll(vault);
      assert.deepEqual(await textsOf(vault), expected);
    }
  }
});

Deno.test("each step of erasing takes a page or less off the disk, and the last leaves no message", async () => {
  const { disk, vault } = await newVault();
  await append(vault, said(0, 120));
  await clear(vault);
  let before = disk.entries().length;
  let more = true;
  while (more) {
    more = await vault.transact((w) => eraseCleared(w, CONVERSATION));
    const now = disk.entries().length;
    assert.ok(now < before && before - now <= 51);
    before = now;
  }
  assert.deepEqual(await unerased(vault, [CONVERSATION]), []);
  // The vault's header, the summary, and the page that takes the next message.
  assert.equal(disk.entries().length, 3);
});

Deno.test("a conversation that is removed leaves nothing, whatever was said in it and in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(events, events, async (some, others) => {
      const { disk, vault } = await newVault();
      await append(vault, some);
      await clear(vault);
      await append(vault, others);
      await clear(vault);
      await eraseAll(vault);
      await vault.transact((w) => removeLog(w, CONVERSATION));
      assert.equal(disk.entries().length, 1, "the vault's header");
    }),
    { numRuns: 60 },
  );
});

Deno.test("what is said about a cleared message changes nothing, and it does not come back", async () => {
  const { vault } = await newVault();
  await append(vault, [text(ME, 1), text(THEM, 2)]);
  await clear(vault);
  await eraseAll(vault);
  await append(vault, [
    event(THEM, 3, { kind: "receipt", state: "read", ids: [contentId(1)] }),
    event(THEM, 4, { kind: "edit", target: contentId(2), text: "again" }),
  ]);
  assert.deepEqual(await textsOf(vault), []);
  assert.deepEqual(
    await vault.transact((w) =>
      log.raise(w, CONVERSATION, [contentId(1)], "sent")
    ),
    [],
  );
});

Deno.test("what was awaited when a conversation was cleared is there when it comes", async () => {
  const { vault } = await newVault();
  await append(vault, [
    text(THEM, 1),
    event(THEM, 3, { kind: "edit", target: contentId(2), text: "edited" }),
  ]);
  await clear(vault);
  await eraseAll(vault);
  await append(vault, [text(THEM, 2)]);
  const { rows } = await log.page(vault, CONVERSATION);
  assert.deepEqual(rows.map(({ body }) => body), [
    { kind: "text", text: "edited", edited: true },
  ]);
});
