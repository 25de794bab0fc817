import assert from "node:assert/strict";
import {
  type ForwardedCommand,
  type ForwardedReply,
  MAX_CHUNK,
  parseChunkOk,
  parseGetChunkOk,
  parseTakeOk,
} from "../wire/mod.ts";
import { BlobKeys, PoolKeys } from "./testing/blob_keys.ts";
import { ForwardClient } from "./testing/forward_client.ts";
import {
  newCredentials,
  randomBytes,
  RelayClient,
} from "./testing/relay_client.ts";
import {
  OTHER_URL,
  type TwoRelays,
  withTwoRelays,
} from "./testing/two_relays.ts";

async function enter({ own }: TwoRelays): Promise<ForwardClient> {
  const client = await RelayClient.inProcess(own.relay);
  return await ForwardClient.greet(client, OTHER_URL);
}

function bodyOf(reply: ForwardedReply): Uint8Array {
  assert.ok(reply.type === "OK", codeOf(reply));
  return reply.body;
}

function codeOf(reply: ForwardedReply): string {
  return reply.type === "ERR" ? reply.code : reply.type;
}

Deno.test("blobs of another relay are made, written, read and deleted through the own one", () =>
  withTwoRelays(async (relays) => {
    const way = await enter(relays);
    const ask = async (command: Promise<ForwardedCommand>) =>
      await way.ask(await command);
    const keys = await BlobKeys.random();
    bodyOf(await ask(keys.makeCommand(way)));
    const contents = randomBytes(2 * MAX_CHUNK + 5);
    const versions = [];
    for (const command of await keys.putCommands(way, 0, contents)) {
      versions.push(parseChunkOk(bodyOf(await way.ask(command))).version);
    }
    assert.deepEqual(versions, [0, 0, 1]);
    const chunks = await Promise.all(
      [0, 1, 2].map(async (index) =>
        parseGetChunkOk(bodyOf(await ask(keys.getCommand(way, index)))).chunk
      ),
    );
    const read = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
    assert.deepEqual(read, contents);
    const there = await RelayClient.inProcess(relays.other.relay);
    assert.deepEqual(await keys.contents(there), contents);
    const stranger = await BlobKeys.random();
    const strange = keys.getCommand(way, 0, 0, stranger.read);
    assert.equal(codeOf(await ask(strange)), "unauthorised");
    bodyOf(await ask(keys.dropCommand(way)));
    assert.equal(codeOf(await ask(keys.getCommand(way, 0))), "no-such-blob");
    const frames = relays.dialler.received.slice(1);
    assert.ok(
      frames.every(({ length }) => length === 512 || length === 32_768),
    );
  }));

Deno.test("a bundle of prekeys is taken through the own relay, under one id the same", () =>
  withTwoRelays(async (relays) => {
    const way = await enter(relays);
    const owner = await RelayClient.inProcess(relays.other.relay);
    const keys = await PoolKeys.random();
    const [last, first] = [randomBytes(2_048), randomBytes(2_048)];
    await keys.make(owner, last, [first]);
    const id = randomBytes(16);
    const take = async (id: Uint8Array) =>
      parseTakeOk(bodyOf(await way.ask(await keys.takeCommand(way, id))));
    assert.deepEqual(await take(id), { lastResort: false, bundle: first });
    assert.deepEqual(await take(id), { lastResort: false, bundle: first });
    const another = await take(randomBytes(16));
    assert.deepEqual(another, { lastResort: true, bundle: last });
  }));

Deno.test("a private relay makes nothing for who comes by another, and takes in mail for its people", () =>
  withTwoRelays(async (relays) => {
    const way = await enter(relays);
    const blob = await BlobKeys.random();
    const made = await way.ask(await blob.makeCommand(way));
    assert.equal(codeOf(made), "access");
    const pool = await PoolKeys.random();
    const bundle = randomBytes(100);
    const filled = await way.ask(await pool.makeCommand(way, bundle, []));
    assert.equal(codeOf(filled), "access");
    const { id, send } = await newCredentials();
    const posted = await way.post(id, send, randomBytes(16));
    assert.equal(codeOf(posted), "no-such-queue");
  }, { otherAccess: "correct horse" }));
