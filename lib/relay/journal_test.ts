import assert from "node:assert/strict";
import fc from "fast-check";
import { JOURNAL, Journal } from "./journal.ts";
import { BlockError, decodeBlock, encodeBlocks } from "./journal_block.ts";
import { KvStore } from "./kv_store.ts";
import type { Mutation, StoreKey } from "./store.ts";
import { FailingStore } from "./testing/failing_store.ts";

/** Nothing is put in its place but when a test asks for it. */
const RESTING = { rest: 1e9, restBytes: 1e12 };

const ignore = () => {};

async function withStore(
  run: (store: FailingStore) => Promise<void>,
): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  try {
    await run(new FailingStore(new KvStore(kv)));
  } finally {
    kv.close();
  }
}

const queue = (n: number) => new Uint8Array(16).fill(n);
const message = (q: number, seq: number): StoreKey => ["m", queue(q), seq];
const value = (n: number) => new Uint8Array(20).fill(n);

/** Puts everything in its place. */
async function settle(journal: Journal): Promise<void> {
  for await (const _ of journal.scan(["nothing"]));
}

Deno.test("whatever is committed, put in its place, cut short or lost with its process, the store reads as if written at once", async () => {
  const change = fc.record({
    q: fc.nat(2),
    seq: fc.nat(12),
    kind: fc.constantFrom("set", "set", "delete"),
  });
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.array(change, { minLength: 1, maxLength: 6 }) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        "settle",
        "crash",
        "cut short",
        "cut short and crash",
        "a commit fails",
        "a commit fails, though it is there",
      ),
    },
  );
  const steps = fc.array(step, { minLength: 5, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.nat(3),
      (steps, cutAfter) =>
        withStore(async (store) => {
          const model = new Map<string, number>();
          const written = new Set<string>();
          const known = (q: number, seq: number) => `${q} ${seq}`;
          let journal = await Journal.open(store, ignore, RESTING);
          let count = 0;
          for (const step of steps) {
            store.full = store.lying = false;
            store.fullAfter(Infinity);
            if (Array.isArray(step)) {
              const mutations = step.map(({ q, seq, kind }): Mutation => {
                const key = message(q, seq);
                if (kind === "delete") {
                  model.delete(known(q, seq));
                  return { key };
                }
                model.set(known(q, seq), ++count % 256);
                const fresh = !written.has(known(q, seq));
                written.add(known(q, seq));
                return { key, value: value(count % 256), fresh };
              });
              await journal.commit(mutations);
            } else if (step === "settle") await settle(journal);
            else if (step.startsWith("a commit fails")) {
              store.full = step === "a commit fails";
              store.lying = !store.full;
              // As a sender's whose message was not accepted: nothing else is ever written there.
              const refused = message(0, 100 + ++count);
              const asked = [{ key: refused, value: value(1), fresh: true }];
              await assert.rejects(journal.commit(asked));
              assert.equal(await journal.get(refused), undefined);
              store.full = store.lying = false;
              // The relay goes on, and what it says then is newer than what may have got to the disk.
              await journal.commit([{ key: message(3, 0), value: value(1) }]);
            } else {
              if (step.startsWith("cut short")) {
                store.fullAfter(cutAfter);
                await settle(journal).catch(ignore);
                store.full = false;
                store.fullAfter(Infinity);
              }
              if (step.endsWith("crash")) {
                journal = await Journal.open(store, ignore, RESTING);
              }
            }
            for (const q of [0, 1, 2]) {
              const expected = [...model]
                .filter(([name]) => name.startsWith(`${q} `))
                .map(([name, n]) => [Number(name.split(" ")[1]), n])
                .sort(([a], [b]) => a - b);
              const listed: number[][] = [];
              for (let start = 0;;) {
                const page = await journal.list(["m", queue(q)], {
                  start,
                  limit: 3,
                });
                for (const { key, value } of page) {
                  listed.push([Number(key[2]), value[0]]);
                }
                if (page.length < 3) break;
                start = Number(page[2].key[2]) + 1;
              }
              assert.deepEqual(listed, expected);
              for (const [seq, n] of expected) {
                assert.deepEqual(await journal.get(message(q, seq)), value(n));
              }
            }
          }
          await journal.close();
          const left: unknown[] = [];
          for await (const { key } of store.scan([JOURNAL])) left.push(key);
          assert.deepEqual(left, []);
          let size = 0;
          for await (const _ of store.scan(["m"])) size++;
          assert.equal(
            size,
            model.size + (await store.get(message(3, 0)) ? 1 : 0),
          );
        }),
    ),
    { numRuns: Deno.env.get("SLOW") === "1" ? 2_000 : 100 },
  );
});

Deno.test("what is deleted before it was put in its place never gets there", () =>
  withStore(async (store) => {
    const journal = await Journal.open(store, ignore, RESTING);
    const fresh = { value: value(1), fresh: true };
    await journal.commit([{ key: message(1, 1), ...fresh }]);
    await journal.commit([{ key: message(1, 2), ...fresh }]);
    await journal.commit([{ key: message(1, 1) }]);
    await settle(journal);
    const keys = store.commits.flat().map(({ key }) => key);
    assert.deepEqual(
      keys.filter(([kind]) => kind !== JOURNAL),
      [message(1, 2)],
    );
  }));

Deno.test("a commit waits for a disk that is behind", () =>
  withStore(async (store) => {
    const failures: unknown[] = [];
    const journal = await Journal.open(
      store,
      (error) => failures.push(error),
      { rest: 1e9, restBytes: 1_000 },
    );
    const large = (seq: number) => ({
      key: message(1, seq),
      value: new Uint8Array(2_000),
    });
    const blocks = () =>
      store.commits.flat().filter(({ key, value }) =>
        key[0] === JOURNAL && value !== undefined
      ).length;
    store.hold();
    const first = journal.commit([large(1)]);
    store.release();
    store.hold();
    await first; // and the first round begins, which is held up
    const second = journal.commit([large(2)]);
    const third = journal.commit([large(3)]);
    const fourth = second.then(() => journal.commit([large(4)]));
    await new Promise((resume) => setTimeout(resume, 20));
    assert.equal(
      blocks(),
      3,
      "what was there when the round began counts no more",
    );
    store.release();
    store.hold();
    await Promise.all([second, third]);
    await new Promise((resume) => setTimeout(resume, 20));
    assert.equal(
      blocks(),
      3,
      "now the rest is too much, until the round is over",
    );
    store.release();
    await fourth;
    assert.equal(blocks(), 4);
    await journal.close();
    assert.deepEqual(failures, []);
  }));

Deno.test("while nothing can be put in its place, commits fail once as much waits as may", () =>
  withStore(async (store) => {
    const failures: unknown[] = [];
    const journal = await Journal.open(
      store,
      (error) => failures.push(error),
      { rest: 1e9, restBytes: 1_000 },
    );
    const large = { key: message(1, 1), value: new Uint8Array(2_000) };
    await journal.commit([large]);
    store.full = true;
    await assert.rejects(journal.commit([large]), /full/);
    await assert.rejects(journal.scan([])[Symbol.asyncIterator]().next());
    assert.ok(failures.length > 0);
    store.full = false;
    await settle(journal);
    await journal.commit([large]);
    await journal.close();
  }));

Deno.test("a value of any size and a key of any shape come out of a block as they went in; what was elided does not", () => {
  const part = fc.oneof(
    fc.stringMatching(/^[a-z]{0,9}$/),
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fc.uint8Array({ maxLength: 32 }),
  );
  const change = fc.record({
    key: fc.array(part, { minLength: 1, maxLength: 4 }),
    value: fc.option(fc.uint8Array({ maxLength: 33_000 }), { nil: undefined }),
    expireIn: fc.option(fc.integer({ min: 1, max: 2 ** 40 }), {
      nil: undefined,
    }),
    elided: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
    const mutations = changes.map(({ key, value, expireIn }): Mutation => ({
      key,
      ...value !== undefined && { value },
      ...value !== undefined && expireIn !== undefined && { expireIn },
    }));
    const { blocks, mutations: kept } = encodeBlocks(
      mutations.map((elided, i) => changes[i].elided ? { elided } : elided),
    );
    const expected = mutations.filter((_, i) => !changes[i].elided);
    assert.deepEqual(blocks.flatMap(decodeBlock), expected);
    assert.deepEqual(kept, expected);
    const whole = encodeBlocks(mutations).blocks;
    assert.deepEqual(
      blocks.map(({ length }) => length),
      whole.map(({ length }) => length),
    );
    for (const { length } of blocks) assert.ok(length < 65_536);
  }));
});

Deno.test("a block of another version, or a damaged one, is not read as anything else", () => {
  const [block] =
    encodeBlocks([{ key: message(1, 1), value: value(1) }]).blocks;
  assert.throws(() => decodeBlock(block.with(0, 9)), BlockError);
  assert.throws(() => decodeBlock(block.with(1, 9)), BlockError);
  for (let end = 2; end < block.length; end++) {
    assert.throws(() => decodeBlock(block.subarray(0, end)), BlockError);
  }
});
