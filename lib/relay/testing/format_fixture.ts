/** The data directory of format 1 in tests/fixtures, and what a client of it remembers. */
import assert from "node:assert/strict";
import { ed25519Signer, queueId } from "../../wire/mod.ts";
import { type Credentials, ok, RelayClient } from "./relay_client.ts";

const FOLDER = new URL(
  "../../../tests/fixtures/data_format_1/",
  import.meta.url,
);

/** Seeds and ids are hexadecimal; an envelope is `size` bytes, each `fill`. */
type Contents = {
  relayKey: string;
  queues: {
    receive: string;
    send: string;
    remove: string;
    generation: number;
    waiting: { id: string; size: number; fill: number }[];
  }[];
};

/** Puts a copy of the database at `path`. */
export async function copyFormat1(path: string): Promise<Contents> {
  await Deno.copyFile(new URL("relay.sqlite3", FOLDER), path);
  return JSON.parse(
    await Deno.readTextFile(new URL("contents.json", FOLDER)),
  );
}

/** Fails the test unless the relay is the fixture's, and everything that waited in it arrives, in order. */
export async function assertArrives(
  client: RelayClient,
  { relayKey, queues }: Contents,
): Promise<void> {
  assert.equal(client.hello.relayKey.toHex(), relayKey);
  for (const { receive, send, remove, generation, waiting } of queues) {
    const [receiver, sender, remover] = await Promise.all(
      [receive, send, remove].map((seed) =>
        ed25519Signer(Uint8Array.fromHex(seed))
      ),
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
}
