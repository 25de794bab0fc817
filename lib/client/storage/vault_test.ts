import assert from "node:assert/strict";
import { generateKeyPair, type KeyPair } from "../../signal/mod.ts";
import {
  DamagedError,
  NewerVersionError,
  StorageFullError,
  VaultClosedError,
  VaultStateError,
  WrongKeyError,
} from "./errors.ts";
import { HEADER_KEY } from "./header.ts";
import { MemoryDisk } from "./memory_store.ts";
import type { StoreEntry } from "./store.ts";
import { table } from "./table.ts";
import { Vault } from "./vault.ts";

const notes = table<string>("notes", {
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
});

async function newVault(disk = new MemoryDisk()): Promise<{
  disk: MemoryDisk;
  vault: Vault;
  recovery: KeyPair;
}> {
  const recovery = await generateKeyPair();
  const vault = await Vault.create(disk.platform(), {
    recoveryPublicKey: recovery.publicKey,
  });
  return { disk, vault, recovery };
}

async function reopened(disk: MemoryDisk): Promise<Vault> {
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  return vault;
}

function isHeader({ key }: StoreEntry): boolean {
  return new TextDecoder().decode(key) === new TextDecoder().decode(HEADER_KEY);
}

Deno.test("a transaction sees what it put, and commits it all at once", async () => {
  const { disk, vault } = await newVault();
  const before = disk.commits;
  await vault.transact(async (t) => {
    t.put(notes, "1", "one");
    t.put(notes, "2", "two");
    t.delete(notes, "2");
    t.put(notes, "1", `${await t.get(notes, "1")} and a half`);
    assert.deepEqual(await t.getMany(notes, ["2", "1", "3"]), [
      undefined,
      "one and a half",
      undefined,
    ]);
    assert.equal(
      await vault.get(notes, "1"),
      undefined,
      "nothing is there before the commit",
    );
  });
  assert.equal(disk.commits, before + 1);
  assert.deepEqual(await vault.getMany(notes, ["1", "2"]), [
    "one and a half",
    undefined,
  ]);
});

Deno.test("transactions run one after the other, so that none works on what another changes", async () => {
  const { vault } = await newVault();
  await vault.commit([notes.put("count", "0")]);
  await Promise.all(
    Array.from({ length: 20 }, () =>
      vault.transact(async (t) => {
        const count = Number(await t.get(notes, "count"));
        await new Promise((resolve) => setTimeout(resolve, 0));
        t.put(notes, "count", String(count + 1));
      })),
  );
  assert.equal(await vault.get(notes, "count"), "20");
});

Deno.test("a transaction that fails stores nothing, and the next one runs", async () => {
  const { vault } = await newVault();
  const failed = vault.transact((t) => {
    t.put(notes, "1", "one");
    throw new Error("no");
  });
  const next = vault.commit([notes.put("2", "two")]);
  await assert.rejects(failed, /no/u);
  await next;
  assert.deepEqual(await vault.getMany(notes, ["1", "2"]), [undefined, "two"]);
});

Deno.test("a transaction can't be used after its end", async () => {
  const { vault } = await newVault();
  const escaped = await vault.transact((t) => t);
  assert.throws(() => escaped.put(notes, "1", "late"), VaultClosedError);
  await assert.rejects(escaped.get(notes, "1"), VaultClosedError);
});

Deno.test("on a full disk nothing of a commit is stored; later it goes on", async () => {
  const { disk, vault } = await newVault();
  disk.full = true;
  await assert.rejects(vault.commit([notes.put("1", "one")]), StorageFullError);
  disk.full = false;
  assert.equal(await vault.get(notes, "1"), undefined);
  await vault.commit([notes.put("1", "one")]);
  assert.equal(await vault.get(notes, "1"), "one");
});

Deno.test("closing finishes what was handed in and refuses what comes later", async () => {
  const { disk, vault } = await newVault();
  const underWay = vault.transact(async (t) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    t.put(notes, "1", "one");
  });
  const closed = vault.close();
  await assert.rejects(vault.commit([notes.put("2", "two")]), VaultClosedError);
  await underWay;
  await closed;
  await assert.rejects(vault.get(notes, "1"), VaultClosedError);
  assert.equal(await (await reopened(disk)).get(notes, "1"), "one");
});

Deno.test("a vault whose making was cut off is there whole or not at all", async () => {
  for (const moment of ["before", "after"] as const) {
    const disk = new MemoryDisk();
    disk.onCommit = (now) => {
      if (now === moment) throw new Error("power cut");
    };
    const { publicKey } = await generateKeyPair();
    const created = Vault.create(disk.platform(), {
      recoveryPublicKey: publicKey,
    }, [
      notes.put("1", "one"),
      notes.put("2", "two"),
    ]);
    await assert.rejects(created, /power cut/u);
    disk.onCommit = undefined;
    const found = await Vault.open(disk.platform());
    if (moment === "before") assert.equal(found, "none");
    else {
      assert.ok(found instanceof Vault);
      assert.deepEqual(await found.getMany(notes, ["1", "2"]), ["one", "two"]);
    }
  }
});

Deno.test("a log out or log in that was cut off leaves a vault that opens with the recovery key", async () => {
  for (const step of ["logOut", "recover"] as const) {
    for (const moment of ["before", "after"] as const) {
      const { disk, vault, recovery } = await newVault();
      await vault.commit([notes.put("1", "one")]);
      if (step === "recover") await vault.logOut();
      const platform = step === "recover" ? disk.platform() : undefined;
      disk.onCommit = (now) => {
        if (now === moment) throw new Error("power cut");
      };
      const cut = platform ? Vault.recover(platform, recovery) : vault.logOut();
      await assert.rejects(cut, /power cut/u);
      disk.onCommit = undefined;
      const again = await Vault.recover(disk.platform(), recovery);
      assert.equal(await again.get(notes, "1"), "one");
      await again.close();
      assert.equal(await (await reopened(disk)).get(notes, "1"), "one");
    }
  }
});

Deno.test("a vault is sealed to another recovery key together with what changes, or not at all", async () => {
  for (const moment of ["before", "after", "never"] as const) {
    const { disk, vault, recovery } = await newVault();
    await vault.commit([notes.put("1", "one")]);
    const next = await generateKeyPair();
    await assert.rejects(
      vault.changeRecovery(next, next.publicKey, [notes.put("1", "two")]),
      WrongKeyError,
    );
    disk.onCommit = (now) => {
      if (now === moment) throw new Error("power cut");
    };
    const change = vault.changeRecovery(recovery, next.publicKey, [
      notes.put("1", "two"),
    ]);
    if (moment === "never") await change;
    else await assert.rejects(change, /power cut/u);
    disk.onCommit = undefined;
    const [good, bad] = moment === "before"
      ? [recovery, next]
      : [next, recovery];
    await assert.rejects(Vault.recover(disk.platform(), bad), WrongKeyError);
    const again = await Vault.recover(disk.platform(), good);
    const text = moment === "before" ? "one" : "two";
    assert.equal(await again.get(notes, "1"), text);
  }
});

Deno.test("recovering where there is no vault is refused", async () => {
  const recovery = await generateKeyPair();
  await assert.rejects(
    Vault.recover(new MemoryDisk().platform(), recovery),
    VaultStateError,
  );
});

Deno.test("on disk lie the header, blinded keys and ciphertext of few lengths, nothing else", async () => {
  const { disk, vault } = await newVault();
  const texts = ["a", "secret ".repeat(5), "another secret ".repeat(20)];
  await vault.commit(texts.map((text, i) => notes.put(`note ${i}`, text)));
  const entries = disk.entries();
  assert.equal(entries.filter(isHeader).length, 1);
  const records = entries.filter((entry) => !isHeader(entry));
  assert.equal(records.length, texts.length);
  const overhead = 2 + 24 + 16; // schema, nonce, tag
  for (const { key, value } of records) {
    assert.equal(key.length, 16);
    assert.equal((value.length - overhead) % 128, 0);
    const asText = new TextDecoder("latin1").decode(value) +
      new TextDecoder("latin1").decode(key);
    assert.doesNotMatch(asText, /secret|note/u);
  }
  assert.equal(
    records.filter(({ value }) => value.length === overhead + 128).length,
    2,
  );
});

Deno.test("the same record lies under another key and other bytes in another vault", async () => {
  const [one, other] = [await newVault(), await newVault()];
  for (const { vault } of [one, other]) {
    await vault.commit([notes.put("1", "one")]);
  }
  const [a, b] = [one, other].map(({ disk }) =>
    disk.entries().filter((entry) => !isHeader(entry))
  );
  assert.notDeepEqual(a[0].key, b[0].key);
  assert.notDeepEqual(a[0].value, b[0].value);
});

Deno.test("a record that was changed, cut or moved is damaged, and is left as it is", async () => {
  const { disk, vault: former, recovery } = await newVault();
  await former.commit([notes.put("1", "one"), notes.put("2", "two")]);
  await former.close();
  const [first, second] = disk.entries().filter((entry) => !isHeader(entry));
  const flipped = second.value.slice();
  flipped[40] ^= 1;
  for (
    const value of [
      flipped,
      second.value.slice(0, -1),
      new Uint8Array(3),
      first.value,
    ]
  ) {
    disk.load([{ key: second.key, value }]);
    // What an open vault remembers it does not read again.
    const vault = await Vault.recover(disk.platform(), recovery);
    const outcomes = await Promise.allSettled([
      vault.get(notes, "1"),
      vault.get(notes, "2"),
    ]);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.equal(refused.length, 1);
    assert.ok(refused[0].reason instanceof DamagedError);
    assert.deepEqual(
      disk.entries().find(({ key }) => key[0] === second.key[0])?.value,
      value,
    );
  }
});

Deno.test("a record that its table can't read is damaged", async () => {
  const { vault } = await newVault();
  await vault.commit([{
    table: "notes",
    id: new Uint8Array([49]),
    value: Uint8Array.of(0xff),
  }]);
  await assert.rejects(vault.get(notes, "1"), DamagedError);
});

Deno.test("a header that was changed or cut is damaged, one of a newer version says so; neither is touched", async () => {
  const { disk, vault, recovery } = await newVault();
  await vault.close();
  const header = disk.entries().find(isHeader)?.value ??
    assert.fail("no header");
  const changed = (i: number) => header.with(i, header[i] ^ 1);
  const cases: [Uint8Array, typeof DamagedError | typeof NewerVersionError][] =
    [
      [changed(0), DamagedError],
      [changed(30), DamagedError],
      [changed(header.length - 1), DamagedError],
      [header.slice(0, -1), DamagedError],
      [header.slice(0, 5), DamagedError],
      [new Uint8Array(), DamagedError],
      // Schema 0x0101, and whatever follows in it.
      [header.with(4, 1), NewerVersionError],
      [header.with(4, 1).slice(0, 20), NewerVersionError],
    ];
  for (const [value, kind] of cases) {
    disk.load([{ key: HEADER_KEY, value }]);
    const before = disk.entries();
    const commits = disk.commits;
    await assert.rejects(Vault.open(disk.platform()), kind);
    await assert.rejects(Vault.recover(disk.platform(), recovery), kind);
    await assert.rejects(
      Vault.create(disk.platform(), { recoveryPublicKey: recovery.publicKey }),
      kind,
    );
    assert.deepEqual(disk.entries(), before);
    assert.equal(disk.commits, commits);
  }
});

Deno.test("a vault whose device key is gone asks for the recovery key", async () => {
  const { disk, vault, recovery } = await newVault();
  await vault.commit([notes.put("1", "one")]);
  await disk.platform().deviceKey.forget();
  assert.equal(await Vault.open(disk.platform()), "logged-out");
  assert.equal(
    await (await Vault.recover(disk.platform(), recovery)).get(notes, "1"),
    "one",
  );
});

Deno.test("no error names what is stored", async () => {
  const { disk, vault } = await newVault();
  await vault.commit([{
    table: "notes",
    id: new Uint8Array([49]),
    value: Uint8Array.of(0x68, 0xff),
  }]);
  const error = await vault.get(notes, "1").catch((error: unknown) => error);
  assert.ok(error instanceof DamagedError);
  assert.equal(
    error.message,
    'What is stored here is damaged: a record of "notes" can\'t be read.',
  );
  assert.ok(disk.entries().length > 0);
});
