import { deepEqual, equal, rejects } from "node:assert/strict";
import fc from "fast-check";
import { CachedStore } from "./cached_store.ts";
import { StorageFullError } from "./errors.ts";
import type { Store, StoreChange } from "./store.ts";

/** A disk that counts what is read, and takes as long over everything as the test wants. */
class SlowDisk implements Store {
  readonly entries = new Map<number, Uint8Array>();
  reads = 0;
  /** Fails the next commit, before or after it is on disk. */
  failing: "before" | "after" | undefined;
  /** Waited for before and after what is done. */
  pause: () => Promise<void> = () => Promise.resolve();

  async get(keys: readonly Uint8Array[]) {
    this.reads += keys.length;
    await this.pause();
    const values = keys.map(([key]) => this.entries.get(key));
    await this.pause();
    return values;
  }

  async commit(changes: readonly StoreChange[]) {
    const { failing } = this;
    this.failing = undefined;
    await this.pause();
    if (failing === "before") throw new StorageFullError();
    for (const { key: [key], value } of changes) {
      if (value) this.entries.set(key, value);
      else this.entries.delete(key);
    }
    await this.pause();
    if (failing === "after") throw new StorageFullError();
  }

  scan(): Promise<never> {
    throw new Error("not asked for here");
  }

  count(): Promise<number> {
    return Promise.resolve(this.entries.size);
  }

  async keys(after: Uint8Array | undefined, limit: number) {
    await this.pause();
    const keys = [...this.entries.keys()].sort((a, b) => a - b)
      .filter((key) => after === undefined || key > after[0])
      .slice(0, limit);
    await this.pause();
    return keys.map((key) => bytes(key));
  }

  clear(): Promise<void> {
    this.entries.clear();
    return Promise.resolve();
  }

  close(): void {}
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const put = (key: number, value: number): StoreChange => ({
  key: bytes(key),
  value: bytes(value),
});

Deno.test("what was read or written is not read again, nor what is known not to be there", async () => {
  const disk = new SlowDisk();
  disk.entries.set(1, bytes(10));
  const store = new CachedStore(disk);
  const keys = [bytes(1), bytes(2), bytes(3)];
  await store.commit([put(2, 20)]);
  for (let i = 0; i < 3; i++) {
    deepEqual(await store.get(keys), [bytes(10), bytes(20), undefined]);
  }
  equal(disk.reads, 2);
  await store.commit([{ key: bytes(2), value: undefined }, put(3, 30)]);
  deepEqual(await store.get(keys), [bytes(10), undefined, bytes(30)]);
  equal(disk.reads, 2);
  await store.clear();
  deepEqual(await store.get(keys), [undefined, undefined, undefined]);
});

Deno.test("a disk whose keys are listed is not asked for what it does not have", async () => {
  const disk = new SlowDisk();
  for (let key = 0; key < 100; key++) disk.entries.set(key, bytes(key));
  const store = new CachedStore(disk);
  await store.get([bytes(200)]);
  equal(disk.reads, 1, "nothing is known yet");
  await store.commit([put(100, 100)]);
  await new Promise((resolve) => setTimeout(resolve));
  disk.reads = 0;
  deepEqual(await store.get([bytes(201), bytes(202)]), [undefined, undefined]);
  equal(disk.reads, 0);
  deepEqual(await store.get([bytes(203), bytes(7)]), [undefined, bytes(7)]);
  equal(disk.reads, 1);
  // What comes later is found, also when nothing of it is remembered any more.
  await store.commit([{ key: bytes(204), value: new Uint8Array(20_000) }]);
  deepEqual(await store.get([bytes(204)]), [new Uint8Array(20_000)]);
});

Deno.test("a disk that can't list its keys is asked for each", async () => {
  const disk = new SlowDisk();
  disk.keys = () => Promise.reject(new StorageFullError());
  const store = new CachedStore(disk);
  await store.commit([put(1, 10)]);
  await new Promise((resolve) => setTimeout(resolve));
  disk.reads = 0;
  deepEqual(await store.get([bytes(2)]), [undefined]);
  equal(disk.reads, 1);
});

Deno.test("after a commit that failed, the disk says what is on it", async () => {
  for (const failing of ["before", "after"] as const) {
    const disk = new SlowDisk();
    const store = new CachedStore(disk);
    await store.commit([put(1, 10)]);
    disk.failing = failing;
    await rejects(store.commit([put(1, 11)]), StorageFullError);
    deepEqual(await store.get([bytes(1)]), [
      bytes(failing === "before" ? 10 : 11),
    ]);
  }
});

Deno.test("no more is remembered than fits: a thousand entries, none of them large", async () => {
  const disk = new SlowDisk();
  const store = new CachedStore(disk);
  disk.entries.set(9, new Uint8Array(16_385));
  await store.get([bytes(9)]);
  await store.get([bytes(9)]);
  equal(disk.reads, 2);
  const many = Array.from({ length: 1_001 }, (_, i) => bytes(1, i >> 8, i));
  for (const key of many) await store.get([key]);
  disk.reads = 0;
  await store.get(many.slice(1));
  equal(disk.reads, 0);
  await store.get(many.slice(0, 1));
  equal(disk.reads, 1);
});

Deno.test("whatever overlaps with a commit: values are of one moment, and never older than the last commit that ended", () =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const disk = new SlowDisk();
      disk.pause = () => scheduler.schedule(Promise.resolve());
      const store = new CachedStore(disk);
      const keys = [bytes(1), bytes(2)];
      let ended = 0;
      const read = async () => {
        const least = ended;
        const [one, two] = await store.get(keys);
        deepEqual(one, two);
        equal((one?.[0] ?? 0) >= least, true);
      };
      const write = async () => {
        for (let value = 1; value <= 4; value++) {
          await scheduler.schedule(Promise.resolve());
          await store.commit([put(1, value), put(2, value)]);
          ended = value;
        }
      };
      // Reads of one key alone leave the cache half full.
      const peek = async (key: number) => {
        await scheduler.schedule(Promise.resolve());
        const least = ended;
        const [value] = await store.get([bytes(key)]);
        equal((value?.[0] ?? 0) >= least, true);
      };
      await scheduler.waitFor(Promise.all([
        write(),
        ...Array.from({ length: 4 }, async () => {
          await scheduler.schedule(Promise.resolve());
          await read();
        }),
        ...[1, 2, 1, 2].map(peek),
      ]));
      await scheduler.waitFor(read());
    }),
    { numRuns: 500 },
  ));
