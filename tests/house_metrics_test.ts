import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  ok,
  randomBytes,
  refused,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import { type RelayProcess, startRelay } from "./harness/mod.ts";

const connect = (relay: RelayProcess) =>
  RelayClient.overWebSocket(`${relay.url.replace("http", "ws")}/relay`);

/**
 * Reads an exposition as the specification says (OpenMetrics 1.0.0, "Text format" and "Overall
 * structure"), as far as counters and gauges without labels go; anything else fails the test.
 */
function parseOpenMetrics(text: string): Map<string, number> {
  equal(text.endsWith("\n# EOF\n"), true, "it ends in # EOF and a line feed");
  const samples = new Map<string, number>();
  const families = new Set<string>();
  let family = "";
  let metadata = new Map<string, string>();
  for (const line of text.slice(0, -"\n# EOF\n".length).split("\n")) {
    const [, keyword, name, rest] =
      /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (keyword !== undefined) {
      if (name !== family) {
        equal(families.has(name), false, `${name} is in one piece`);
        families.add(name);
        family = name;
        metadata = new Map();
      }
      equal(metadata.has(keyword), false, `one ${keyword} of ${name}`);
      equal(samples.has(name), false, "metadata comes before samples");
      metadata.set(keyword, rest);
      continue;
    }
    const [, sample, value] =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*) ([0-9]+(?:\.[0-9]+)?)$/.exec(line) ?? [];
    equal(sample !== undefined, true, `not a line of the format: ${line}`);
    const type = metadata.get("TYPE");
    match(`${type}`, /^(counter|gauge)$/);
    equal(sample, type === "counter" ? `${family}_total` : family);
    const unit = metadata.get("UNIT");
    if (unit !== undefined) equal(family.endsWith(`_${unit}`), true);
    equal(/_bytes$/.test(family), unit === "bytes");
    equal(samples.has(sample), false, `one sample of ${sample}`);
    samples.set(sample, Number(value));
  }
  return samples;
}

const metricsOf = (relay: RelayProcess) =>
  /^Its totals are at (http:\/\/127\.0\.0\.1:\d+\/metrics)$/m
    .exec(relay.output())?.[1] ?? "";

Deno.test("totals are OpenMetrics text on a loopback port of their own, and are right", async () => {
  const relay = await startRelay({ args: ["--metrics-port", "0"] });
  try {
    const client = await connect(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    for (const id of [1, 2, 3]) {
      ok(await client.send(outbox, new Uint8Array(16).fill(id)));
    }
    ok(await client.send(outbox, new Uint8Array(16).fill(3))); // a repeat
    const inbox = await client.bind(keys, "receive", 1);
    const seqs = [];
    for (let i = 0; i < 3; i++) seqs.push((await client.message()).seq);
    ok(await client.ack(inbox, seqs[1]));

    const response = await fetch(metricsOf(relay));
    equal(
      response.headers.get("content-type"),
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    const samples = parseOpenMetrics(await response.text());
    const value = (name: string) => samples.get(`whisper_${name}`);
    deepEqual([
      value("connections"),
      value("connections_accepted_total"),
      value("connections_refused_total"),
      value("messages_accepted_total"),
      value("messages_acknowledged_total"),
      value("commit_failures_total"),
      value("store_writable"),
      value("draining"),
      value("stored_limit_bytes"),
    ], [1, 1, 0, 3, 2, 0, 1, 0, 4 * 2 ** 30]);
    equal(value("stored_bytes")! > 480, true);
    equal(value("commits_total")! > 0, true);
    equal(value("resident_memory_bytes")! > 10_000_000, true);
    await client.close();
  } finally {
    await relay.stop();
  }
});

Deno.test("totals hold no label, no time, and nothing of a client", async () => {
  const relay = await startRelay({ args: ["--metrics-port", "0"] });
  try {
    const client = await connect(relay);
    const keys = await client.createQueue();
    await client.bind(keys, "receive", 1);
    const text = await (await fetch(metricsOf(relay))).text();
    const samples = text.split("\n").filter((line) => !line.startsWith("#"));
    for (const line of samples.slice(0, -1)) {
      match(line, /^whisper_[a-z_]+ \d+$/);
    }
    // As many lines with a queue as without one: nothing is listed.
    const other = await client.createQueue();
    await client.bind(other, "receive", 1);
    const more = await (await fetch(metricsOf(relay))).text();
    equal(more.split("\n").length, text.split("\n").length);
    await client.close();
  } finally {
    await relay.stop();
  }
});

Deno.test("nobody else sees totals: not the public port, not a proxy, not a page, not a name that points here", async () => {
  const relay = await startRelay({ args: ["--metrics-port", "0"] });
  try {
    const pages = await fetch(`${relay.url}/metrics`);
    equal(pages.status, 404);
    equal((await pages.text()).includes("whisper_"), false);
    const { port } = new URL(metricsOf(relay));
    const ask = async (...lines: string[]) => {
      const connection = await Deno.connect({
        hostname: "127.0.0.1",
        port: Number(port),
      });
      await connection.write(new TextEncoder().encode(
        `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`,
      ));
      const text = await new Response(connection.readable).text();
      equal(text.includes("whisper_"), text.startsWith("HTTP/1.1 200"));
      return Number(text.split(" ")[1]);
    };
    const get = "GET /metrics HTTP/1.1";
    const host = `Host: 127.0.0.1:${port}`;
    deepEqual([
      await ask(get, host),
      await ask(get, `Host: localhost:${port}`),
      await ask(get, "Host: whisper.example"),
      await ask(get, host, "X-Forwarded-For: 203.0.113.7"),
      await ask(get, host, "Forwarded: for=203.0.113.7"),
      await ask(get, host, "Via: 1.1 proxy"),
      await ask(get, host, "Origin: https://elsewhere.example"),
      await ask("POST /metrics HTTP/1.1", host, "Content-Length: 0"),
      await ask("GET / HTTP/1.1", host),
    ], [200, 200, 403, 403, 403, 403, 403, 405, 404]);
  } finally {
    await relay.stop();
  }
});

Deno.test("the port of totals is on the loopback address only, and there is none unless asked for", async () => {
  const relay = await startRelay({
    args: ["--metrics-port", "0", "--host", "0.0.0.0"],
  });
  const other = await startRelay();
  try {
    const { port } = new URL(metricsOf(relay));
    // Every address of 127.0.0.0/8 is this machine: a listener on all addresses would answer here.
    await Deno.connect({ hostname: "127.0.0.2", port: relay.port }).then((c) =>
      c.close()
    );
    const reached = await Deno.connect({
      hostname: "127.0.0.2",
      port: Number(port),
    }).then(() => true, () => false);
    equal(reached, false);
    equal(metricsOf(other), "");
  } finally {
    await relay.stop();
    await other.stop();
  }
});

Deno.test("the health check says when the disk can't be written, and when it can again", async () => {
  const relay = await startRelay();
  const health = async () => {
    const response = await fetch(`${relay.url}/healthz`);
    return [response.status, await response.text()];
  };
  try {
    deepEqual(await health(), [200, "ok\n"]);
    const client = await connect(relay);
    const outbox = await client.bind(await client.createQueue(), "send");
    const database = new DatabaseSync(join(relay.dataDir, "relay.sqlite3"));
    database.exec("BEGIN IMMEDIATE");
    refused(await client.send(outbox, randomBytes(16)), "busy");
    deepEqual(await health(), [503, "failing\n"]);
    database.close();
    ok(await client.send(outbox, randomBytes(16)));
    deepEqual(await health(), [200, "ok\n"]);
    await client.close();
  } finally {
    await relay.stop();
  }
});
