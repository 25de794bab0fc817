import assert from "node:assert/strict";
import { generateKeyPair, type KeyPair } from "../../signal/mod.ts";
import { StorageFullError, VaultClosedError, WrongKeyError } from "./errors.ts";
import { HEADER_KEY } from "./header.ts";
import type { LockMeans, NewLock } from "./lock.ts";
import { MemoryDisk } from "./memory_store.ts";
import { RecordCipher } from "./record_cipher.ts";
import type { StoreEntry } from "./store.ts";
import { table } from "./table.ts";
import { Vault } from "./vault.ts";

const notes = table<string>("notes", {
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
});
/** More than one batch of a key change. */
const IDS = Array.from({ length: 210 }, (_, i) => String(i));

const passphrase: LockMeans = {
  kind: "passphrase",
  salt: new Uint8Array(16).fill(7),
  cost: { memory: 65_536, passes: 3, lanes: 4 },
};
const passkey: LockMeans = {
  kind: "passkey",
  credential: Uint8Array.of(1, 2, 3),
  salt: new Uint8Array(32).fill(9),
};
const secret = new Uint8Array(32).fill(1);
const other = new Uint8Array(32).fill(2);

function lockOf(changes: Partial<NewLock> = {}): NewLock {
  return { means: passphrase, secret, eraseAfter: 0, ...changes };
}

class PowerCut extends Error {}

async function filled(): Promise<
  { disk: MemoryDisk; vault: Vault; recovery: KeyPair }
> {
  const disk = new MemoryDisk();
  const recovery = await generateKeyPair();
  const vault = await Vault.create(
    disk.platform(),
    { recoveryPublicKey: recovery.publicKey },
    IDS.map((id) => notes.put(id, `note ${id}`)),
  );
  return { disk, vault, recovery };
}

async function locked(changes: Partial<NewLock> = {}) {
  const { disk, vault, recovery } = await filled();
  await (await vault.setLock(lockOf(changes), recovery.publicKey)).close();
  return { disk, recovery };
}

async function assertWhole(vault: unknown): Promise<Vault> {
  assert.ok(vault instanceof Vault);
  assert.deepEqual(
    await vault.getMany(notes, IDS),
    IDS.map((id) => `note ${id}`),
  );
  return vault;
}

const isHeader = ({ key }: StoreEntry) => key.length === HEADER_KEY.length;

Deno.test("a locked vault opens with its secret, with nothing less", async () => {
  for (const means of [passphrase, passkey]) {
    const { disk } = await locked({ means });
    const opened = await Vault.open(disk.platform());
    assert.ok(typeof opened === "object" && "lock" in opened);
    assert.deepEqual(opened.lock?.means, means);
    assert.deepEqual(await Vault.unlock(disk.platform(), other), {
      wrong: true,
    });
    await assertWhole(await Vault.unlock(disk.platform(), secret));
  }
});

Deno.test("the vault goes on under a lock just set, and the one before it is closed", async () => {
  const { vault, recovery } = await filled();
  const shares: number[] = [];
  const next = await vault.setLock(
    lockOf(),
    recovery.publicKey,
    (share) => shares.push(share),
  );
  await assertWhole(next);
  await assert.rejects(vault.get(notes, "1"), VaultClosedError);
  assert.ok(shares.length > 1 && shares.at(-1) === 1, String(shares));
  assert.deepEqual(shares, shares.toSorted((a, b) => a - b));
});

Deno.test("the key that lay open on the disk opens nothing that is there once a lock is set", async () => {
  const { disk, vault, recovery } = await filled();
  // What a thief of the disk could have taken yesterday: the key, by way of the device key.
  const [header] = disk.entries().filter(isHeader);
  const wrapping = header.value.slice(10, 10 + 12 + 32 + 16);
  const before = await disk.platform().deviceKey.unwrap(wrapping);
  assert.equal(before?.length, 32);
  const old = RecordCipher.of(before ?? new Uint8Array());
  const records = () => disk.entries().filter((entry) => !isHeader(entry));
  for (const { key, value } of records()) old.open(key, value);

  const again = await Vault.open(disk.platform());
  assert.ok(again instanceof Vault);
  await again.setLock(lockOf(), recovery.publicKey);
  await vault.close();
  assert.equal(records().length, IDS.length);
  for (const { key, value } of records()) {
    assert.throws(() => old.open(key, value));
  }
  assert.equal(await disk.platform().deviceKey.unwrap(wrapping), undefined);
});

/** Whether the power was cut at this commit of setting a lock: there may be fewer. */
async function cutAt(
  commit: number,
  when: "before" | "after",
): Promise<{ disk: MemoryDisk; recovery: KeyPair; cut: boolean }> {
  const { disk, vault, recovery } = await filled();
  const first = disk.commits;
  disk.onCommit = (moment, number) => {
    if (moment === when && number === first + commit) throw new PowerCut();
  };
  const cut = await vault.setLock(lockOf(), recovery.publicKey).then(
    () => false,
    (error) => {
      if (error instanceof PowerCut) return true;
      throw error;
    },
  );
  disk.onCommit = undefined;
  return { disk, recovery, cut };
}

Deno.test("a power cut before setting a lock was committed leaves the vault as it was", async () => {
  const { disk, cut } = await cutAt(0, "before");
  assert.ok(cut);
  await assertWhole(await Vault.open(disk.platform()));
});

Deno.test("a power cut at any later commit of setting a lock leaves everything, and locked", async () => {
  let cuts = 0;
  for (let commit = 0;; commit++) {
    for (const when of ["before", "after"] as const) {
      if (commit === 0 && when === "before") continue;
      const { disk, recovery, cut } = await cutAt(commit, when);
      if (!cut) {
        assert.ok(cuts >= 5, `only ${cuts} cuts`);
        return;
      }
      cuts++;
      assert.ok(!(await Vault.open(disk.platform()) instanceof Vault));
      await assertWhole(await Vault.unlock(disk.platform(), secret));
      // And once more, now that the change of keys has ended.
      await assertWhole(await Vault.unlock(disk.platform(), secret));
      await assertWhole(await Vault.recover(disk.platform(), recovery));
    }
  }
});

Deno.test("the access key opens a vault whose change of keys was cut off, whatever its lock was", async () => {
  const { disk, vault, recovery } = await filled();
  const first = disk.commits;
  disk.onCommit = (moment, number) => {
    if (moment === "after" && number === first + 1) throw new PowerCut();
  };
  await assert.rejects(vault.setLock(lockOf(), recovery.publicKey), PowerCut);
  disk.onCommit = undefined;
  const recovered = await assertWhole(
    await Vault.recover(disk.platform(), recovery),
  );
  assert.equal(recovered.lock, undefined);
  await recovered.close();
  await assertWhole(await Vault.open(disk.platform()));
});

Deno.test("on a full disk a lock is not set, and what is there opens as before", async () => {
  const { disk, vault, recovery } = await filled();
  disk.full = true;
  await assert.rejects(
    vault.setLock(lockOf(), recovery.publicKey),
    StorageFullError,
  );
  disk.full = false;
  await assertWhole(await Vault.open(disk.platform()));
});

Deno.test("another lock takes the place of the one before", async () => {
  const { disk, recovery } = await locked();
  const vault = await Vault.unlock(disk.platform(), secret);
  assert.ok(vault instanceof Vault);
  assert.ok(vault.isOpenedBy(secret) && !vault.isOpenedBy(other));
  const next = await vault.setLock(
    lockOf({ means: passkey, secret: other }),
    recovery.publicKey,
  );
  await next.close();
  assert.deepEqual(await Vault.unlock(disk.platform(), secret), {
    wrong: true,
  });
  await assertWhole(await Vault.unlock(disk.platform(), other));
});

Deno.test("only its secret takes a lock away; then the device opens the vault by itself", async () => {
  const { disk } = await locked();
  const vault = await Vault.unlock(disk.platform(), secret);
  assert.ok(vault instanceof Vault);
  await assert.rejects(vault.removeLock(other), WrongKeyError);
  await vault.removeLock(secret);
  await vault.close();
  await assertWhole(await Vault.open(disk.platform()));
});

Deno.test("wrong passphrases are counted before their outcome is known; the last one erases everything", async () => {
  const { disk } = await locked({ eraseAfter: 3 });
  assert.deepEqual(await Vault.unlock(disk.platform(), other), {
    wrong: true,
    triesLeft: 2,
  });
  // Ending the program at the moment of the try does not give it back.
  disk.onCommit = (moment) => {
    if (moment === "after") throw new PowerCut();
  };
  await assert.rejects(Vault.unlock(disk.platform(), other), PowerCut);
  disk.onCommit = undefined;
  const opened = await Vault.open(disk.platform());
  assert.ok(typeof opened === "object" && "lock" in opened);
  assert.equal(opened.lock?.failures, 2);
  assert.equal(await Vault.unlock(disk.platform(), other), "erased");
  assert.equal(disk.entries().length, 0);
  assert.equal(await Vault.open(disk.platform()), "none");
});

Deno.test("the right passphrase begins the count anew", async () => {
  const { disk } = await locked({ eraseAfter: 2 });
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await Vault.unlock(disk.platform(), other), {
      wrong: true,
      triesLeft: 1,
    });
    const vault = await assertWhole(
      await Vault.unlock(disk.platform(), secret),
    );
    await vault.close();
  }
});

Deno.test("a passkey that did not come about costs no try, and nothing is counted that nobody asked for", async () => {
  for (
    const lock of [lockOf({ means: passkey, eraseAfter: 1 }), lockOf()]
  ) {
    const { disk } = await locked(lock);
    const before = disk.commits;
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await Vault.unlock(disk.platform(), other), {
        wrong: true,
      });
    }
    assert.equal(disk.commits, before);
    await assertWhole(await Vault.unlock(disk.platform(), secret));
  }
});

Deno.test("how many tries there are can be changed, and starts a new count", async () => {
  const { disk } = await locked({ eraseAfter: 5 });
  await Vault.unlock(disk.platform(), other);
  const vault = await Vault.unlock(disk.platform(), secret);
  assert.ok(vault instanceof Vault);
  await vault.setEraseAfter(2);
  await vault.close();
  assert.deepEqual(await Vault.unlock(disk.platform(), other), {
    wrong: true,
    triesLeft: 1,
  });
});

Deno.test("logging out takes the lock with it: only the access key opens", async () => {
  const { disk, recovery } = await locked();
  const vault = await Vault.unlock(disk.platform(), secret);
  assert.ok(vault instanceof Vault);
  await vault.logOut();
  assert.equal(await Vault.open(disk.platform()), "logged-out");
  await assertWhole(await Vault.recover(disk.platform(), recovery));
});
