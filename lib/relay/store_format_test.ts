import assert from "node:assert/strict";
import { KvStore } from "./kv_store.ts";
import { Relay } from "./relay.ts";
import { openFormat, STORE_FORMAT, StoreFormatError } from "./store_format.ts";
import type { Store } from "./store.ts";
import { FailingStore } from "./testing/failing_store.ts";
import { assertArrives, copyFixture } from "./testing/format_fixture.ts";
import { RelayClient } from "./testing/relay_client.ts";
import { storedFigures } from "./testing/stored_figures.ts";

async function withKv(run: (kv: Deno.Kv) => Promise<void>): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  try {
    await run(kv);
  } finally {
    kv.close();
  }
}

const formatIn = async (kv: Deno.Kv) =>
  (await kv.get<Uint8Array>(["format"])).value?.toHex();

const ignore = () => {};

/** A store's whole content, as it can be compared. */
async function everything(store: Store): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, value } of store.scan([])) {
    found.push(`${JSON.stringify(key)} ${value.toHex()}`);
  }
  return found;
}

for (const format of [1, 2] as const) {
  Deno.test(`a database of format ${format} opens with everything in it, and its stored bytes are counted`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "whisper-format-" });
    const contents = await copyFixture(format, `${folder}/relay.kv`);
    const kv = await Deno.openKv(`${folder}/relay.kv`);
    const lines: string[] = [];
    const open = () =>
      Relay.open({
        kv,
        publicUrl: "http://localhost",
        log: (l) => lines.push(l),
      });
    try {
      const relay = await open();
      const steps = [1, 2].slice(format - 1);
      assert.equal(steps.at(-1), STORE_FORMAT - 1);
      assert.deepEqual(
        lines,
        steps.map((from) =>
          `relay: bringing the database from format ${from} to ${from + 1}`
        ),
      );
      const [said, found] = await storedFigures(kv);
      assert.deepEqual(said, found);
      assert.ok(said[0] > 5_000);
      await assertArrives(await RelayClient.inProcess(relay), contents);
      await relay.stop();
      const [saidLater, foundLater] = await storedFigures(kv);
      assert.deepEqual(saidLater, foundLater);
      // The next time there is nothing left to do.
      await (await open()).stop();
      assert.equal(lines.length, steps.length);
    } finally {
      kv.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("a new database has the newest format at once", () =>
  withKv(async (kv) => {
    const lines: string[] = [];
    await openFormat(new KvStore(kv), Date.now, (line) => lines.push(line));
    assert.equal(Number(`0x${await formatIn(kv)}`), STORE_FORMAT);
    assert.deepEqual(lines, []);
  }));

Deno.test("a database of a newer version, or with no readable format, is refused and left as it is", () =>
  withKv(async (kv) => {
    const store = new KvStore(kv);
    await kv.set(["x"], new Uint8Array(1));
    for (
      const [record, line] of [
        [[0, 0, 1, 4], /^the database is of format 260, and .* up to \d+ only/],
        [[0, 0, 0, 0], /^the format of the database can't be read$/],
        [[1], /^the format of the database can't be read$/],
      ] as const
    ) {
      await kv.set(["format"], Uint8Array.from(record));
      const before = await everything(store);
      await assert.rejects(
        Relay.open({ kv, publicUrl: "http://localhost" }),
        (error) =>
          error instanceof StoreFormatError && line.test(error.message),
      );
      assert.deepEqual(await everything(store), before);
    }
  }));

/** Steps that move every `a` to `b`, one in a commit, and then every `b` to `c`. */
const moves = new Map(
  ([["a", "b"], ["b", "c"]] as const).map(([from, to], at) => [
    at + 1,
    async (store: Store) => {
      for await (const { key, value } of store.scan([from])) {
        await store.commit([{ key }, { key: [to, key[1]], value }]);
      }
      return [];
    },
  ]),
);

Deno.test("a step that ends anywhere in between is begun again, and the next ones follow in order", async () => {
  for (let survived = 0; survived <= 8; survived++) {
    await withKv(async (kv) => {
      const store = new FailingStore(new KvStore(kv));
      for (let i = 1; i <= 3; i++) await kv.set(["a", i], Uint8Array.of(i));
      const open = () =>
        openFormat(store, Date.now, ignore, { format: 3, steps: moves });
      store.fullAfter(survived);
      const cut = await open().then(() => false, () => true);
      assert.equal(cut, survived < 8); // three commits and the number, twice
      store.full = false;
      await open();
      assert.deepEqual(await everything(store), [
        '["c",1] 01',
        '["c",2] 02',
        '["c",3] 03',
        '["format"] 00000003',
      ]);
    });
  }
});
