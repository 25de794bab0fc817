import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { WebSocket as WsClient } from "ws";
import { securityHeaders } from "../../lib/web/security_headers.ts";
import {
  ok,
  randomBytes,
  RelayClient,
} from "../../lib/relay/testing/relay_client.ts";
import { decodeFrame, parseHello } from "../../lib/wire/mod.ts";
import {
  type Caddy,
  freshPerson,
  startCaddy,
  startRelay,
} from "../harness/mod.ts";
import { createAccount, generateCode } from "./conversation_steps.ts";

/** What keeps Caddy to this machine and this test: no authority asked, none trusted, no port but ours. */
const ALONE = `{
	admin off
	auto_https disable_redirects
	skip_install_trust
}
`;

/** The README's recipe, for this host and this relay. */
async function recipe(host: string, relay: string): Promise<string> {
  const readme = await Deno.readTextFile("README.md");
  const blocks = [...readme.matchAll(/^```caddyfile\n([\s\S]*?)^```$/gm)];
  equal(blocks.length, 1);
  const [[, block]] = blocks;
  const [name, address] = ["whisper.example", "127.0.0.1:8000"];
  match(block, new RegExp(`^${name} \\{\n`));
  match(block, new RegExp(`\\b${address}\n`));
  return block.replace(name, host).replace(address, relay);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A relay behind Caddy, for as long as `visit` lasts. */
async function behindCaddy(
  visit: (url: string, caddy: Caddy) => Promise<void>,
  ...options: string[]
): Promise<void> {
  const port = freePort();
  const host = `localhost:${port}`;
  const url = `https://${host}`;
  const relay = await startRelay({ args: ["--public-url", url, ...options] });
  try {
    const caddy = await startCaddy(
      ALONE + await recipe(host, `127.0.0.1:${relay.port}`),
      port,
    );
    try {
      await visit(url, caddy);
    } finally {
      await caddy.stop();
    }
  } finally {
    await relay.stop();
  }
}

/** The first thing the relay says to a page of `origin`. */
function greeting(
  url: string,
  origin: string,
  ca: string,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = new WsClient(`${url.replace("https", "wss")}/relay`, {
      origin,
      ca,
    });
    socket.on("message", (data: Uint8Array) => {
      socket.terminate();
      resolve(new Uint8Array(data));
    });
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      reject(new Error(`refused with ${response.statusCode}`));
    });
    socket.on("error", reject);
  });
}

/** The public URL that the relay signed in its greeting. */
async function greetedUrl(frame: Uint8Array): Promise<string> {
  const [hello] = decodeFrame(frame);
  if (hello.type !== "HELLO") throw new Error(`${hello.type} came first`);
  return (await parseHello(hello.body)).url;
}

Deno.test("behind Caddy, as the README says, the pages come with the strict headers, HSTS among them", () =>
  behindCaddy(async (url, { authority }) => {
    const client = Deno.createHttpClient({ caCerts: [authority] });
    try {
      const strict = Object.entries(securityHeaders({ tls: true }));
      equal(
        strict.some(([name]) => name === "strict-transport-security"),
        true,
      );
      for (const [path, status] of [["/chat", 200], ["/nothing-here", 404]]) {
        // Deno's option, which the DOM's types do not know.
        const trusting = { client } as RequestInit;
        const response = await fetch(`${url}${path}`, trusting);
        equal(response.status, status);
        match(await response.text(), /^<!doctype html>/);
        deepEqual(
          strict.map(([name]) => [name, response.headers.get(name)]),
          strict,
        );
      }
    } finally {
      client.close();
    }
  }));

Deno.test("behind Caddy the relay signs its public URL, and hears the pages of that URL only", () =>
  behindCaddy(async (url, { authority }) => {
    equal(await greetedUrl(await greeting(url, url, authority)), url);
    await rejects(
      greeting(url, "https://evil.example", authority),
      /refused with 403/,
    );
  }));

Deno.test("behind Caddy, where all have one address, limits hold for each connection and for all: who floods is closed, one too many refused, and the others go on", () =>
  behindCaddy(
    async (url, { authority }) => {
      const http = Deno.createHttpClient({ caCerts: [authority] });
      const connect = () =>
        RelayClient.overWebSocket(`${url.replace("https", "wss")}/relay`, http);
      const [one, other, flooder] = [
        await connect(),
        await connect(),
        await connect(),
      ];
      await rejects(connect(), /closed before HELLO: 1013 busy/);
      const keys = await one.createQueue();
      const outbox = await one.bind(keys, "send");
      await other.bind(keys, "receive", 1);
      const flood = Promise.allSettled(flooder.askAll(
        Array.from({ length: 20_000 }, () => ({ type: "PING" })),
      ));
      const id = randomBytes(16);
      ok(await one.send(outbox, id));
      deepEqual((await other.message()).id, id);
      // 1008, unless the reset that follows unread bytes overtakes it.
      equal([1008, 1006, 0].includes((await flooder.closed).code), true);
      await flood;
      ok(await one.send(outbox, randomBytes(16)));
      // Its place is free again.
      const late = await connect();
      ok(await late.ask({ type: "PING" }));
      for (const client of [one, other, late]) await client.close();
      http.close();
    },
    ...["--connections", "3", "--frames-per-second", "20"],
  ));

Deno.test("behind Caddy somebody opens the page, makes an account, and gets a code from the relay", () =>
  behindCaddy(async (url, { intermediate }) => {
    const key = new X509Certificate(intermediate).publicKey.export({
      type: "spki",
      format: "der",
    });
    const pin = createHash("sha256").update(key).digest("base64");
    const person = await freshPerson({
      url,
      // The browser trusts Caddy's own authority, for this profile, as it would a public one.
      flags: [`--ignore-certificate-errors-spki-list=${pin}`],
    });
    try {
      const { page } = person;
      const greetings: { at: string; frame: string | Uint8Array }[] = [];
      page.on(
        "websocket",
        (socket) =>
          socket.once(
            "framereceived",
            ({ payload }) =>
              greetings.push({ at: socket.url(), frame: payload }),
          ),
      );
      await createAccount(person, "Ada Lovelace");
      await generateCode(person);
      equal(greetings.length > 0, true);
      for (const { at, frame } of greetings) {
        equal(at, `${url.replace("https", "wss")}/relay`);
        if (typeof frame === "string") throw new Error("text came");
        equal(await greetedUrl(new Uint8Array(frame)), url);
      }
      person.expectNoProblems();
    } finally {
      await person.close();
    }
  }));
