import assert from "node:assert/strict";
import {
  accessMessage,
  type CommandBody,
  FEATURES,
  type Signer,
  solveWork,
} from "../wire/mod.ts";
import { accessSigner } from "./access_signer.ts";
import { Relay } from "./relay.ts";
import { BlobKeys, PoolKeys } from "./testing/blob_keys.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

const PASSWORD = "a horse, a battery, a stapler";

async function accessCommand(
  { hello: { challenge, relayKey, workBits: bits } }: RelayClient,
  signer: Signer,
): Promise<CommandBody> {
  const signature = await signer.sign(accessMessage(challenge, relayKey));
  const key = signature.slice(0, 32);
  const work = await solveWork({ challenge, type: "ACCESS", key, bits });
  return { type: "ACCESS", signature, work };
}

Deno.test("a private relay does nothing anonymous before its password is proven, and everything else at once", async () => {
  const kv = await Deno.openKv(":memory:");
  const options = {
    kv,
    publicUrl: "http://localhost",
    limits: { workBits: 2 },
  };
  const open = await Relay.open(options);
  const before = await RelayClient.inProcess(open);
  assert.equal(before.hello.features, 0);
  const keys = await newCredentials();
  ok(await before.ask(await before.newCommand(keys)));
  const theirs = await before.open(await randomSigner());
  const [blob, pool] = [await BlobKeys.random(), await PoolKeys.random()];
  await blob.make(before);
  await pool.make(before, randomBytes(9), []);
  await open.stop();

  const relay = await Relay.open({ ...options, access: PASSWORD });
  const client = await RelayClient.inProcess(relay);
  assert.equal(client.hello.features, FEATURES.access);
  const anonymous = async (): Promise<CommandBody[]> => [
    await client.newCommand(await newCredentials()),
    await client.openCommand(await randomSigner()),
    await (await BlobKeys.random()).makeCommand(client),
    await (await PoolKeys.random()).makeCommand(client, randomBytes(9), []),
  ];
  for (const command of await anonymous()) {
    refused(await client.ask(command), "access");
  }
  ok(await client.send(await client.bind(keys, "send"), randomBytes(16)));
  await client.bind(keys, "receive", 1);
  await client.join(await randomSigner(), theirs.nameplate);
  await blob.put(client, 0, randomBytes(100));
  await pool.take(client);

  const signer = await accessSigner(PASSWORD, relay.key);
  ok(await client.ask(await accessCommand(client, signer)));
  for (const command of await anonymous()) ok(await client.ask(command));
  const other = await RelayClient.inProcess(relay);
  refused(
    await other.ask(await other.newCommand(await newCredentials())),
    "access",
  );
  await relay.stop();
  kv.close();
});

Deno.test("what proved the password once proves it nowhere else: not on another connection, not at another relay", async () => {
  const open = async () => {
    const kv = await Deno.openKv(":memory:");
    return {
      kv,
      relay: await Relay.open({
        kv,
        publicUrl: "http://localhost",
        access: PASSWORD,
        limits: { workBits: 0 },
      }),
    };
  };
  const [{ kv, relay }, another] = [await open(), await open()];
  const signer = await accessSigner(PASSWORD, relay.key);
  const client = await RelayClient.inProcess(relay);
  const seen = await accessCommand(client, signer);
  const observer = await RelayClient.inProcess(relay);
  refused(await observer.ask(seen), "unauthorised");
  // Nor does the key that one relay stands for open another of the same password.
  const elsewhere = await RelayClient.inProcess(another.relay);
  refused(
    await elsewhere.ask(await accessCommand(elsewhere, signer)),
    "unauthorised",
  );
  ok(await client.ask(seen));
  // The database does not know what would prove it, nor the password.
  for await (const { value } of kv.list({ prefix: [] })) {
    assert.ok(value instanceof Uint8Array);
    assert.ok(!value.toHex().includes(signer.publicKey.toHex()));
  }
  for (const one of [relay, another.relay]) await one.stop();
  kv.close();
  another.kv.close();
});

Deno.test("each guess at the password costs work, more when many come, and some close the connection", async () => {
  const kv = await Deno.openKv(":memory:");
  const relay = await Relay.open({
    kv,
    publicUrl: "http://localhost",
    access: PASSWORD,
    limits: { workBits: 3, anonymousPerMinute: 4, unauthorised: 20 },
  });
  const guesser = await RelayClient.inProcess(relay);
  let guesses = 0;
  let dearer = 0;
  // A proof is by chance as good as a dearer one now and then: not twenty times.
  for (let bits = 3; guesses < 20;) {
    guesser.hello = { ...guesser.hello, workBits: bits };
    const guess = await accessCommand(guesser, await randomSigner());
    const answer = await guesser.ask(guess);
    assert.ok(answer.type === "ERR");
    if (answer.code === "work") {
      bits = answer.detail[0];
      dearer = bits;
    } else {
      assert.equal(answer.code, "unauthorised");
      guesses++;
    }
  }
  assert.ok(dearer > 3);
  assert.equal((await guesser.closed).code, 1008);
  await relay.stop();
  kv.close();
});

Deno.test("a password is the same however its letters are composed, and a relay without one lets everybody in", () =>
  withRelay(async ({ relay }) => {
    const key = relay.key;
    const [composed, decomposed] = await Promise.all([
      accessSigner("Gr\u00fc\u00dfe", key),
      accessSigner("Gru\u0308\u00dfe", key),
    ]);
    assert.deepEqual(composed.publicKey, decomposed.publicKey);
    const client = await RelayClient.inProcess(relay);
    ok(await client.ask(await accessCommand(client, composed)));
    await client.createQueue();
  }));
