import assert from "node:assert/strict";
import { generateKeyPair } from "../../signal/mod.ts";
import { NewerVersionError, StorageFullError } from "./errors.ts";
import { MemoryDisk } from "./memory_store.ts";
import type { Migration } from "./migrations.ts";
import { table } from "./table.ts";
import { Vault } from "./vault.ts";

const text = {
  encode: (value: string) => new TextEncoder().encode(value),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};
const notes = table("notes", text);
const titles = table("titles", text);
const drafts = table("drafts", text);

/** Made up: notes are shouted, drafts dropped. */
const toTwo: Migration = {
  to: 2,
  upgrade: (record) => {
    if (record.table === "drafts") return undefined;
    if (record.table !== "notes") return record;
    return {
      ...record,
      value: text.encode(text.decode(record.value).toUpperCase()),
    };
  },
};
/** Made up: notes move to another table. */
const toThree: Migration = {
  to: 3,
  upgrade: (record) =>
    record.table === "notes" ? { ...record, table: "titles" } : record,
};
const STEPS = [toTwo, toThree];

const COUNT = 450; // more than two batches

async function schemaOne(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const { publicKey } = await generateKeyPair();
  const vault = await Vault.create(
    disk.platform(),
    { recoveryPublicKey: publicKey },
    [],
    [],
  );
  await vault.commit([
    ...Array.from({ length: COUNT }, (_, i) => notes.put(`${i}`, `note ${i}`)),
    drafts.put("1", "a draft"),
  ]);
  return disk;
}

async function opened(
  disk: MemoryDisk,
  migrations: readonly Migration[],
): Promise<Vault> {
  const vault = await Vault.open(disk.platform(), migrations);
  assert.ok(vault instanceof Vault);
  return vault;
}

async function assertMigrated(disk: MemoryDisk): Promise<void> {
  const vault = await opened(disk, STEPS);
  const ids = Array.from({ length: COUNT }, (_, i) => `${i}`);
  assert.deepEqual(
    await vault.getMany(titles, ids),
    ids.map((i) => `NOTE ${i}`),
  );
  assert.equal(
    (await vault.getMany(notes, ids)).filter((note) => note !== undefined)
      .length,
    0,
  );
  assert.equal(await vault.get(drafts, "1"), undefined);
  assert.equal(disk.entries().length, COUNT + 1, "every record and the header");
}

Deno.test("an older vault is brought through every step once, and then opens without a write", async () => {
  const disk = await schemaOne();
  await assertMigrated(disk);
  const commits = disk.commits;
  await assertMigrated(disk);
  assert.equal(disk.commits, commits);
});

Deno.test("a migration that is cut off at any commit goes on at the next opening", async () => {
  for (const moment of ["before", "after"] as const) {
    // How many commits it takes differs by one or so: it depends on where the blinded keys fall.
    let step = 0;
    while (await diesAt(step, moment)) step++;
    assert.ok(step >= 4, "header, batches, header");
  }
});

/** False when the migration was through before that commit. */
async function diesAt(
  step: number,
  moment: "before" | "after",
): Promise<boolean> {
  const disk = await schemaOne();
  const fatal = disk.commits + step;
  let died = false;
  disk.onCommit = (now, commit) => {
    if (now !== moment || commit !== fatal) return;
    died = true;
    throw new Error("power cut");
  };
  const opening = Vault.open(disk.platform(), STEPS);
  await opening.catch((error) => assert.match(String(error), /power cut/u));
  disk.onCommit = undefined;
  await assertMigrated(disk);
  return died;
}

Deno.test("on a full disk a migration fails and changes nothing", async () => {
  const disk = await schemaOne();
  const before = disk.entries();
  disk.full = true;
  await assert.rejects(Vault.open(disk.platform(), STEPS), StorageFullError);
  assert.deepEqual(disk.entries(), before);
  disk.full = false;
  await assertMigrated(disk);
});

Deno.test("the program before a migration says that the vault is newer, during it too", async () => {
  const disk = await schemaOne();
  let commits = 0;
  disk.onCommit = (now) => {
    if (now === "after" && ++commits === 2) throw new Error("power cut");
  };
  await assert.rejects(Vault.open(disk.platform(), STEPS), /power cut/u);
  disk.onCommit = undefined;
  const before = disk.entries();
  await assert.rejects(Vault.open(disk.platform(), []), NewerVersionError);
  await assert.rejects(Vault.open(disk.platform(), [toTwo]), NewerVersionError);
  assert.deepEqual(disk.entries(), before);
});

Deno.test("a newly made vault has nothing to migrate", async () => {
  const disk = new MemoryDisk();
  const { publicKey } = await generateKeyPair();
  await Vault.create(disk.platform(), { recoveryPublicKey: publicKey }, [
    notes.put("1", "x"),
  ], STEPS);
  assert.equal(await (await opened(disk, STEPS)).get(notes, "1"), "x");
  assert.equal(disk.commits, 1);
});
