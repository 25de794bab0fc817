/** What earlier versions stored is still read. One fixture per released schema, opened by what is current. */
import assert from "node:assert/strict";
import { hexToBytes } from "@noble/hashes/utils.js";
import { MemoryDisk, table, Vault } from "../storage/mod.ts";
import schemaOne from "./fixtures/schema_1.json" with { type: "json" };
import { ConversationLog } from "./log.ts";
import type { Row } from "./row.ts";
import {
  contentId,
  CONVERSATION,
  event,
  ME,
  text,
  THEM,
} from "./testing_events.ts";

const raw = table<Uint8Array>("fixture", {
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
});
const log = new ConversationLog(ME);

async function load(fixture: typeof schemaOne): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const deviceKey = await crypto.subtle.importKey(
    "raw",
    hexToBytes(fixture.deviceKey).slice(),
    "AES-GCM",
    false,
    ["encrypt", "decrypt"],
  );
  disk.load(
    fixture.entries.map(([key, value]) => ({
      key: hexToBytes(key),
      value: hexToBytes(value),
    })),
    deviceKey,
  );
  return disk;
}

async function assertReads(vault: Vault): Promise<void> {
  assert.deepEqual(
    await vault.getMany(raw, ["a string", Uint8Array.of(0, 255)]),
    [Uint8Array.of(1, 2, 3), new Uint8Array(300).fill(7)],
  );
  const shown = ({ id, mine, body, state }: Row) => [id, mine, body, state];
  const { rows, before } = await log.page(vault, CONVERSATION);
  assert.equal(before, undefined);
  assert.deepEqual(rows.map(shown), [
    [
      contentId(1),
      true,
      { kind: "text", text: "Hello", edited: false },
      "read",
    ],
    [
      contentId(51),
      false,
      { kind: "text", text: "שלום 👋", edited: false },
      undefined,
    ],
    [contentId(2), true, {
      kind: "text",
      text: "This was edited",
      edited: true,
    }, "failed"],
    [contentId(3), true, { kind: "deleted" }, "sending"],
    [contentId(52), false, { kind: "unknown" }, undefined],
    [
      contentId(53),
      false,
      { kind: "text", text: "unread", edited: false },
      undefined,
    ],
  ]);
  assert.deepEqual(rows[0].reactions, [{ author: THEM, emoji: "👍" }]);
  assert.deepEqual([rows[0].time, rows[0].arrived], [1_001, 2_000]);
  const [summary] = await log.summaries(vault, [CONVERSATION]);
  assert.equal(summary?.unread, 1);
  assert.equal(summary?.draft, "a draft");
  assert.equal(summary?.activity, 3_000);
  assert.deepEqual(summary?.last, rows[5]);
}

Deno.test("a vault of schema 1 opens on its device and reads as it was written", async () => {
  const vault = await Vault.open((await load(schemaOne)).platform());
  assert.ok(vault instanceof Vault);
  await assertReads(vault);
});

Deno.test("a vault of schema 1 opens with its recovery key", async () => {
  const vault = await Vault.recover((await load(schemaOne)).platform(), {
    publicKey: hexToBytes(schemaOne.recovery.publicKey),
    privateKey: hexToBytes(schemaOne.recovery.privateKey),
  });
  await assertReads(vault);
});

Deno.test("a log of schema 1 goes on, with what had arrived ahead of its message", async () => {
  const vault = await Vault.open((await load(schemaOne)).platform());
  assert.ok(vault instanceof Vault);
  const append = (event: ReturnType<typeof text>) =>
    vault.transact((w) => log.append(w, { ...event, at: 4_000 }));
  assert.deepEqual(await append(text(ME, 1, "Hello")), {
    added: undefined,
    changed: [],
  });
  const { added } = await append(text(THEM, 70));
  assert.deepEqual(added?.body, { kind: "text", text: "ahead", edited: true });
  assert.equal(added?.sequence, 6);
  const receipt = {
    kind: "receipt",
    state: "delivered",
    ids: [contentId(2)],
  } as const;
  const { changed } = await append(event(THEM, 71, receipt));
  assert.deepEqual(changed.map(({ state }) => state), ["delivered"]);
});
