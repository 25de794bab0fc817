import assert from "node:assert/strict";
import { Flusher } from "./flusher.ts";
import { Journal } from "./journal.ts";
import { KvStore } from "./kv_store.ts";
import { StoredBytes } from "./stored_bytes.ts";
import { MAX_COMMIT_BYTES, MAX_MUTATIONS } from "./store.ts";
import { FailingStore } from "./testing/failing_store.ts";
import { journaled, shapes } from "./testing/journaled.ts";

async function withStore(
  run: (
    store: FailingStore,
    flusher: Flusher,
    failures: unknown[],
    journal: Journal,
  ) => Promise<void>,
): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const failures: unknown[] = [];
  const stored = await StoredBytes.open(store, 1e9, Date.now);
  const journal = await Journal.open(store, ignore);
  const flusher = new Flusher(
    journal,
    stored,
    (error) => failures.push(error),
  );
  try {
    await run(store, flusher, failures, journal);
  } finally {
    await flusher.stop();
    store.full = false;
    await journal.close();
    kv.close();
  }
}

const settled = (start: (settle: (error?: unknown) => void) => void) =>
  new Promise<unknown>((resolve) => start((error) => resolve(error)));

/** The commits without the figure of what is stored, which is in each. */
const asked = (store: FailingStore) =>
  journaled(store.commits).map((commit) =>
    commit.filter(({ key }) => key[0] !== "stored")
  );

const ignore = () => {};

const key = (n: number) => ["k", n] as const;

Deno.test("changes queued together share one commit, and those that come meanwhile the next", () =>
  withStore(async (store, flusher) => {
    store.hold();
    const first = [1, 2, 3].map((n) =>
      settled((settle) =>
        flusher.write({ key: key(n), value: new Uint8Array(9) }, settle)
      )
    );
    await new Promise((resume) => setTimeout(resume));
    const second = [4, 5].map((n) =>
      settled((settle) =>
        flusher.write({ key: key(n), value: new Uint8Array(9) }, settle)
      )
    );
    store.release();
    assert.deepEqual(
      await Promise.all([...first, ...second]),
      Array(5).fill(undefined),
    );
    assert.deepEqual(asked(store).map((commit) => commit.length), [3, 2]);
  }));

Deno.test("no commit exceeds what the store takes, and order is kept", () =>
  withStore(async (store, flusher) => {
    const many = Array.from(
      { length: 2_000 },
      (_, n) =>
        settled((settle) =>
          flusher.write({ key: key(n), value: new Uint8Array(10) }, settle)
        ),
    );
    const large = Array.from(
      { length: 50 },
      (_, n) =>
        settled((settle) =>
          flusher.write(
            { key: ["l", n], value: new Uint8Array(32_736) },
            settle,
          )
        ),
    );
    assert.ok(
      (await Promise.all([...many, ...large])).every((error) =>
        error === undefined
      ),
    );
    for (const commit of store.commits) {
      assert.ok(commit.length <= MAX_MUTATIONS + 1);
      assert.ok(
        commit.reduce((sum, { value }) => sum + (value?.length ?? 0), 0) <=
          MAX_COMMIT_BYTES,
      );
    }
    const order = asked(store).flat().map((mutation) => mutation.key.join());
    assert.deepEqual(order, [
      ...Array.from({ length: 2_000 }, (_, n) => `k,${n}`),
      ...Array.from({ length: 50 }, (_, n) => `l,${n}`),
    ]);
  }));

Deno.test("changes that belong together are never parted, though the commit before would take some of them", () =>
  withStore(async (store, flusher, failures, journal) => {
    const large = (n: number) => ({
      key: key(n),
      value: new Uint8Array(30_000),
    });
    const alone = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) =>
      settled((settle) => flusher.write(large(n), settle))
    );
    const together = Array.from({ length: 15 }, (_, n) => large(100 + n));
    const all = settled((settle) => flusher.writeTogether(together, settle));
    assert.ok(
      (await Promise.all([...alone, all])).every((error) =>
        error === undefined
      ),
    );
    assert.deepEqual(asked(store).map(({ length }) => length), [10, 15]);

    store.full = true;
    const refused = settled((settle) =>
      flusher.writeTogether([{ key: key(100) }, large(200)], settle)
    );
    assert.match(String(await refused), /full/);
    assert.equal(failures.length, 1);
    assert.notEqual(await journal.get(key(100)), undefined);
    store.full = false;
  }));

Deno.test("what was taken back is never written, and the disk cannot tell: the commit has the same shape", () =>
  withStore(async (store, flusher) => {
    const flush = async (n: number, taken: readonly number[]) => {
      await Promise.all([0, 1, 2].map((i) =>
        settled((settle) => {
          const mutation = {
            key: key(10 * n + i),
            value: new Uint8Array(503).fill(7),
          };
          const pending = flusher.write(mutation, settle);
          if (taken.includes(i)) assert.ok(flusher.elide(pending));
        })
      ));
    };
    await flush(1, []);
    await flush(2, [0, 2]);
    await flush(3, [0, 1, 2]);
    const repeated = { key: key(40), value: new Uint8Array(503).fill(7) };
    await Promise.all(
      [1, 2, 3].map(() =>
        settled((settle) => flusher.pretend(repeated, settle))
      ),
    );
    const [whole, some, none, repeats] = shapes(store.commits);
    assert.deepEqual(some, whole);
    assert.deepEqual(none, whole);
    assert.deepEqual(repeats, whole);
    assert.deepEqual(
      asked(store).map((commit) => commit.map(({ key }) => key.join())),
      [["k,10", "k,11", "k,12"], ["k,21"], [], []],
    );
    const [{ value }] = store.commits[2];
    assert.ok((value?.filter((byte) => byte === 7).length ?? 0) < 20);
  }));

Deno.test("it is too late to take back what is being written", () =>
  withStore(async (store, flusher, _failures, journal) => {
    store.hold();
    let pending: ReturnType<Flusher["write"]> | undefined;
    const write = settled((settle) =>
      pending = flusher.write({ key: key(1), value: new Uint8Array(9) }, settle)
    );
    await new Promise((resume) => setTimeout(resume));
    assert.ok(pending !== undefined && !flusher.elide(pending));
    store.release();
    await write;
    assert.notEqual(await journal.get(key(1)), undefined);
  }));

Deno.test("when the disk is full the sender hears of it, and deletions are tried until they succeed", () =>
  withStore(async (store, flusher, failures) => {
    store.full = true;
    let deleted = false;
    const write = settled((settle) =>
      flusher.write({ key: key(1), value: new Uint8Array(9) }, settle)
    );
    const deletion = settled((settle) =>
      flusher.writeEventually({ key: key(2) }, settle)
    ).then((error) => {
      deleted = true;
      return error;
    });
    assert.match(String(await write), /full/);
    assert.equal(deleted, false);
    assert.equal(failures.length, 1);
    store.full = false;
    assert.equal(await deletion, undefined);
  }));

Deno.test("stopping writes what waits and refuses what comes later", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new KvStore(kv);
  const stored = await StoredBytes.open(store, 1e9, Date.now);
  const flusher = new Flusher(store, stored, () => {});
  const write = settled((settle) =>
    flusher.write({ key: key(1), value: new Uint8Array(9) }, settle)
  );
  await flusher.stop();
  assert.equal(await write, undefined);
  assert.notEqual(await store.get(key(1)), undefined);
  assert.match(
    String(await settled((settle) => flusher.wait(settle))),
    /stopped/,
  );
  kv.close();
});
