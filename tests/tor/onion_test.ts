import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import { join } from "node:path";
import { ok, RelayClient } from "../../lib/relay/testing/relay_client.ts";
import { wordsOf } from "../../lib/tor/control_words.ts";
import { runProgram, startRelay, strangeLines } from "../harness/mod.ts";
import { torPath } from "../harness/tor/authority.ts";
import { type TorClient, torClient } from "../harness/tor/client.ts";
import { torNetwork } from "../harness/tor/network.ts";
import {
  controlOf,
  onionArguments,
  reachable,
  startOnionRelay,
  torPidOf,
} from "../harness/tor/onion_relay.ts";
import { throughTor, visit, visitOnce } from "../harness/tor/visit.ts";
import { asksForWork } from "../harness/tor/work_asked.ts";

/** A network, somebody with a Tor of their own on it, and a directory for a relay's data. */
async function withTor(
  use: (
    world: { configFile: string; client: TorClient; dataDir: string },
  ) => Promise<void>,
): Promise<void> {
  const network = await torNetwork();
  const dataDir = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const client = await torClient(network.configFile);
  try {
    await use({ configFile: network.configFile, client, dataDir });
  } finally {
    await client.close();
    await network.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** Whether this process is there. */
function runs(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function untilEnded(pid: number): Promise<void> {
  while (runs(pid)) await new Promise((resume) => setTimeout(resume, 20));
}

Deno.test("over its onion, which asks for work when it is flooded, people find pages and relay, also after a kill -9, at the same address", () =>
  withTor(async ({ configFile, client, dataDir }) => {
    const first = await startOnionRelay(configFile, dataDir);
    const { url } = first;
    const by = throughTor(client, "anna");
    const defended = await asksForWork(client, async () => {
      const page = await visit(`${url}/chat`, by);
      match(await page.text(), /^<!doctype html>/);
      equal(page.headers.get("onion-location"), null);
    });
    equal(defended, true, "by the word of a visitor's Tor");
    const anna = await RelayClient.overWebSocket(
      `${url.replace("http", "ws")}/relay`,
      by,
    );
    equal(anna.hello.url, url);
    const queue = await anna.createQueue();
    ok(await anna.send(await anna.bind(queue, "send"), new Uint8Array(16)));

    const tor = await torPidOf(first.process);
    await first.process.kill9();
    await untilEnded(tor); // with its owner
    const again = await first.process.restart();
    equal(await reachable(again), url);
    const later = throughTor(client, "anna-later");
    await (await visit(`${url}/healthz`, later)).text();
    const back = await RelayClient.overWebSocket(
      `${url.replace("http", "ws")}/relay`,
      later,
    );
    deepEqual(back.hello.relayKey, anna.hello.relayKey);
    await back.bind(queue, "receive", 1);
    deepEqual((await back.message()).id, new Uint8Array(16));
    deepEqual(strangeLines(again.output()), []);
    await again.stop();
    equal((await back.closed).code, 1001, "clients are told over Tor too");
    by.close();
    later.close();
  }));

Deno.test("when its Tor is killed the relay stays up, says so, and is back at its address by itself", () =>
  withTor(async ({ configFile, client, dataDir }) => {
    const { process: relay, url } = await startOnionRelay(configFile, dataDir);
    const health = async () =>
      await (await fetch(`${relay.url}/healthz`)).text();
    equal(await health(), "ok\ntor: up\n");
    Deno.kill(await torPidOf(relay), "SIGKILL");
    await relay.prints(
      /^tor: tor ended with exit code \d+; the relay goes on/m,
    );
    const here = await RelayClient.overWebSocket(
      `${relay.url.replace("http", "ws")}/relay`,
    );
    ok(await here.ask({ type: "PING" }));
    await here.close();
    await relay.prints(/^tor: the onion service can be reached again$/m);
    equal(await health(), "ok\ntor: up\n");
    const by = throughTor(client, "later");
    equal(await (await visit(`${url}/healthz`, by)).text(), "ok\ntor: up\n");
    by.close();
    deepEqual(strangeLines(relay.output()), []);
    await relay.stop();
  }));

Deno.test("a Tor that is installed while the relay runs is found, and the relay becomes an onion service by itself", () =>
  withTor(async ({ configFile, client, dataDir }) => {
    const bin = await Deno.makeTempDir({ prefix: "whisper-bin-" });
    const tor = join(bin, "tor");
    const relay = await startRelay({
      dataDir,
      args: await onionArguments(configFile, dataDir),
      env: { PATH: bin },
      mayRun: [tor],
    });
    const health = async () =>
      await (await fetch(`${relay.url}/healthz`)).text();
    await relay.prints(/^tor: tor is not installed .* and tries again$/m);
    equal(await health(), "ok\ntor: failing\n");
    await Deno.symlink(torPath(), tor);
    const url = await reachable(relay);
    const by = throughTor(client, "visitor");
    equal(await (await visit(`${url}/healthz`, by)).text(), "ok\ntor: up\n");
    by.close();
    deepEqual(strangeLines(relay.output()), []);
    await relay.stop();
    await Deno.remove(bin, { recursive: true });
  }));

/** Of base32 as the control port takes keys: base64. */
function base64Of(base32: string): string {
  const bits = [...base32].map((character) =>
    "abcdefghijklmnopqrstuvwxyz234567".indexOf(character).toString(2)
      .padStart(5, "0")
  ).join("");
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2));
  return Uint8Array.from(bytes).toBase64();
}

Deno.test("of a closed circle, only who was given a key finds the onion, and no more when it was taken back", () =>
  withTor(async ({ configFile, client, dataDir }) => {
    const onion = async (...args: string[]) =>
      (await runProgram(["onion", "--data", dataDir, ...args], {}, dataDir))
        .out.split("\n");
    const [, secret] = await onion("--authorise", "anna");
    const relay = await startOnionRelay(configFile, dataDir);
    await relay.process.prints(/reached by one person, who has a key: /);
    const id = new URL(relay.url).hostname.replace(".onion", "");
    const without = throughTor(client, "without");
    await rejects(visitOnce(`${relay.url}/healthz`, without), TypeError);
    without.close();
    await client.control.command(
      `ONION_CLIENT_AUTH_ADD ${id} x25519:${base64Of(secret)}`,
    );
    const by = throughTor(client, "with");
    equal(
      await (await visit(`${relay.url}/healthz`, by)).text(),
      "ok\ntor: up\n",
    );
    by.close();

    // The key of somebody else opens it no more.
    await relay.process.stop();
    await onion("--authorise", "bo");
    await onion("--revoke", "anna");
    const after = await startOnionRelay(configFile, dataDir);
    equal(after.url, relay.url);
    const fresh = await torClient(configFile);
    await fresh.control.command(
      `ONION_CLIENT_AUTH_ADD ${id} x25519:${base64Of(secret)}`,
    );
    const late = throughTor(fresh, "revoked");
    await rejects(visitOnce(`${relay.url}/healthz`, late), TypeError);
    late.close();
    await fresh.close();
    await after.process.stop();
  }));

Deno.test("a Tor that runs already is used as it is, and rid of the service when the relay ends", () =>
  withTor(async ({ configFile, client, dataDir }) => {
    const running = await torClient(configFile);
    const [line] = await running.control.command(
      "GETINFO net/listeners/control",
    );
    const control = wordsOf(line).values.get("net/listeners/control") ?? "";
    const relay = await startRelay({
      dataDir,
      args: ["--tor", "--tor-control", control],
      mayRead: [running.directory],
    });
    const url = await reachable(relay);
    const by = throughTor(client, "visitor");
    equal(await (await visit(`${url}/healthz`, by)).text(), "ok\ntor: up\n");
    by.close();
    const key = await Deno.readTextFile(join(dataDir, "onion", "key"));
    /** Tor takes it from somebody else only when nobody has it. */
    const isGone = () =>
      running.control.command(`ADD_ONION ${key.trim()} Port=80,127.0.0.1:9`)
        .then(() => true, (error) => {
          equal(error.code, 550, String(error));
          return false;
        });
    equal(await isGone(), false, "published");
    await relay.kill9();
    for (let looks = 0; !await isGone(); looks++) {
      equal(looks < 500, true, "it is published still");
      await new Promise((resume) => setTimeout(resume, 20));
    }
    await running.close();
  }));

Deno.test("asked for new circuits, Tor takes them; asked again at once, when ten seconds are over", () =>
  withTor(async ({ configFile, dataDir }) => {
    const { process: relay } = await startOnionRelay(configFile, dataDir);
    const control = await controlOf(relay);
    await control.command("SETEVENTS SIGNAL");
    let taken = 0;
    let heard = Promise.withResolvers<void>();
    control.listen((event) => {
      if (event !== "SIGNAL NEWNYM") return;
      taken++;
      heard.resolve();
      heard = Promise.withResolvers();
    });
    const ask = async () => {
      const { code, out } = await runProgram(
        ["onion", "--data", dataDir, "--new-circuits"],
        {},
        dataDir,
      );
      equal(code, 0);
      match(out, /Tor does this once in 10 seconds/);
    };
    const first = heard.promise;
    await ask();
    await first;
    const second = heard.promise;
    await ask();
    notEqual(taken, 2, "not yet");
    await second;
    equal(taken, 2);
    control.close();
    await relay.stop();
  }));
