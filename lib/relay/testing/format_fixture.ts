/** The data directories of older formats in tests/fixtures, and what a client of each remembers. */
import assert from "node:assert/strict";
import { ed25519Signer, queueId } from "../../wire/mod.ts";
import { BlobKeys, PoolKeys } from "./blob_keys.ts";
import { type Credentials, ok, RelayClient } from "./relay_client.ts";

/** Seeds and ids are hexadecimal; an envelope, contents or a bundle are `size` bytes, each `fill`. */
type Contents = {
  relayKey: string;
  queues: {
    receive: string;
    send: string;
    remove: string;
    generation: number;
    waiting: { id: string; size: number; fill: number }[];
  }[];
  /** From format 2 on. The first chunk of `draft` is there, and one is missing. */
  blob?: {
    read: string;
    own: string;
    write: string;
    version: number;
    size: number;
    fill: number;
    draft: { id: string; size: number; fill: number };
  };
  /** From format 2 on. What was taken, and what each bundle that is left is filled with. */
  pool?: {
    take: string;
    own: string;
    size: number;
    taken: { id: string; fill: number };
    left: number[];
    lastResort: number;
  };
};

const signerOf = (seed: string) => ed25519Signer(Uint8Array.fromHex(seed));

/** Puts a copy of the database of a format at `path`. */
export async function copyFixture(
  format: 1 | 2,
  path: string,
): Promise<Contents> {
  const folder = new URL(
    `../../../tests/fixtures/data_format_${format}/`,
    import.meta.url,
  );
  await Deno.copyFile(new URL("relay.sqlite3", folder), path);
  return JSON.parse(
    await Deno.readTextFile(new URL("contents.json", folder)),
  );
}

/**
 * Fails the test unless the relay is the fixture's, everything that waited in it arrives, in order, and blobs and
 * pools hold what they did, and go on.
 */
export async function assertArrives(
  client: RelayClient,
  { relayKey, queues, blob, pool }: Contents,
): Promise<void> {
  assert.equal(client.hello.relayKey.toHex(), relayKey);
  for (const { receive, send, remove, generation, waiting } of queues) {
    const [receiver, sender, remover] = await Promise.all(
      [receive, send, remove].map(signerOf),
    );
    const keys: Credentials = {
      id: queueId(sender.publicKey),
      receive: receiver,
      send: sender,
      remove: remover,
    };
    const inbox = await client.bind(keys, "receive", generation + 1);
    for (const { id, size, fill } of waiting) {
      const message = await client.message();
      assert.equal(message.id.toHex(), id);
      assert.deepEqual(message.envelope, new Uint8Array(size).fill(fill));
      assert.equal(message.handle, inbox);
      ok(await client.ack(inbox, message.seq));
    }
    const outbox = await client.bind(keys, "send");
    const id = crypto.getRandomValues(new Uint8Array(16));
    ok(await client.send(outbox, id));
    // What comes next is this one: nothing else was left in the queue.
    assert.deepEqual((await client.message()).id, id);
  }
  if (blob !== undefined) await assertBlob(client, blob);
  if (pool !== undefined) await assertPool(client, pool);
}

async function assertBlob(
  client: RelayClient,
  { read, own, write, version, size, fill, draft }: NonNullable<
    Contents["blob"]
  >,
): Promise<void> {
  const [reader, owner, writer] = await Promise.all(
    [read, own, write].map(signerOf),
  );
  const keys = new BlobKeys(reader, owner, writer);
  const before = new Uint8Array(size).fill(fill);
  assert.deepEqual(await keys.contents(client), before);
  const id = Uint8Array.fromHex(draft.id);
  const state = await keys.state(client);
  assert.equal(state.current.version, version);
  assert.deepEqual(state.draft, {
    draft: id,
    bytes: draft.size,
    there: [true, false],
  });
  const contents = new Uint8Array(draft.size).fill(draft.fill);
  const [, last] = await keys.putCommands(client, version, contents, id);
  ok(await client.ask(last));
  assert.deepEqual(await keys.contents(client), contents);
}

async function assertPool(
  client: RelayClient,
  { take, own, size, taken, left, lastResort }: NonNullable<Contents["pool"]>,
): Promise<void> {
  const keys = new PoolKeys(await signerOf(take), await signerOf(own));
  const bundle = (fill: number) => new Uint8Array(size).fill(fill);
  const again = await keys.take(client, Uint8Array.fromHex(taken.id));
  assert.deepEqual(again, { lastResort: false, bundle: bundle(taken.fill) });
  for (const fill of left) {
    const next = { lastResort: false, bundle: bundle(fill) };
    assert.deepEqual(await keys.take(client), next);
  }
  const last = { lastResort: true, bundle: bundle(lastResort) };
  assert.deepEqual(await keys.take(client), last);
}
