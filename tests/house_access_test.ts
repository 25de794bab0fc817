import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import {
  newCredentials,
  ok,
  randomBytes,
  refused,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import {
  accessMessage,
  FEATURES,
  type Signer,
  solveWork,
} from "../lib/wire/mod.ts";
import { accessSigner } from "../lib/relay/access_signer.ts";
import { type RelayProcess, runProgram, startRelay } from "./harness/mod.ts";

const PASSWORD = "a horse, a battery, a stapler";

const connect = ({ url }: RelayProcess) =>
  RelayClient.overWebSocket(`${url.replace("http", "ws")}/relay`);

/** By relay and password: each takes half a second to make. */
const signers = new Map<string, Promise<Signer>>();

/** What the relay answers to a proof of this password. */
async function prove(client: RelayClient, password: string) {
  const { challenge, relayKey, workBits: bits } = client.hello;
  const name = relayKey.toHex() + password;
  const made = signers.get(name) ?? accessSigner(password, relayKey);
  signers.set(name, made);
  const signer = await made;
  const signature = await signer.sign(accessMessage(challenge, relayKey));
  const key = signature.slice(0, 32);
  const work = await solveWork({ challenge, type: "ACCESS", key, bits });
  return await client.ask({ type: "ACCESS", signature, work });
}

/** The relay wants this password, and makes nothing for who has another. */
async function expectPrivate(relay: RelayProcess, password: string) {
  const client = await connect(relay);
  equal(client.hello.features, FEATURES.access);
  const command = await client.newCommand(await newCredentials());
  refused(await client.ask(command), "access");
  ok(await prove(client, password));
  ok(await client.ask(command));
  await client.close();
}

Deno.test("--access makes the relay private, and neither log nor totals tell the password", async () => {
  const relay = await startRelay({
    args: ["--access", PASSWORD, "--metrics-port", "0"],
  });
  try {
    await expectPrivate(relay, PASSWORD);
    const guesser = await connect(relay);
    refused(await prove(guesser, `${PASSWORD}?`), "unauthorised");
    const command = await guesser.newCommand(await newCredentials());
    refused(await guesser.ask(command), "access");
    await guesser.close();
    const [totals] = /http:\S+\/metrics/.exec(relay.output()) ?? [];
    const said = [
      relay.output(),
      await (await fetch(totals ?? "")).text(),
      await (await fetch(`${relay.url}/healthz`)).text(),
    ].join("\n");
    equal(said.includes(PASSWORD), false, said);
  } finally {
    await relay.stop();
  }
});

Deno.test("--access-file takes the first line of a file, as editors leave it; another password takes effect with the next start", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const file = join(dataDir, "password");
  try {
    const start = async (text: string) => {
      await Deno.writeTextFile(file, text);
      return await startRelay({ dataDir, args: ["--access-file", file] });
    };
    const first = await start(`${PASSWORD}\r\nmade on a Monday\n`);
    await expectPrivate(first, PASSWORD);
    const member = await connect(first);
    ok(await prove(member, PASSWORD));
    const keys = await member.createQueue();
    await member.close();
    await first.stop();
    const second = await start("another one\n");
    await expectPrivate(second, "another one");
    // What is there stays for those whose it is, whichever password they know.
    const client = await connect(second);
    refused(await prove(client, PASSWORD), "unauthorised");
    ok(await client.send(await client.bind(keys, "send"), randomBytes(16)));
    await client.bind(keys, "receive", 1);
    await client.close();
    await second.stop();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a password file that is not there or begins empty is one line and exit code 2", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "password");
    const run = () =>
      runProgram([], { WHISPER_ACCESS_FILE: file, WHISPER_PORT: "0" }, folder);
    const missing = await run();
    deepEqual([missing.code, missing.out], [2, ""]);
    match(
      missing.err,
      /^whisper: The file \S+ of --access-file can't be read\.\n$/,
    );
    await Deno.writeTextFile(file, `\n${PASSWORD}\n`);
    const empty = await run();
    deepEqual([empty.code, empty.out], [2, ""]);
    match(
      empty.err,
      /^whisper: The file \S+ of --access-file must begin with the password\.\n$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
