import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket as WsClient } from "ws";
import { ok, RelayClient } from "./testing/relay_client.ts";
import { RelayProcess } from "./testing/relay_process.ts";
import { withRelay } from "./testing/with_relay.ts";
import { upgradeToRelay } from "./native_socket.ts";
import type { Relay } from "./relay.ts";
import { attachRelay, type ReachedBy } from "./ws_socket.ts";

/** Serves `relay` on a real port while `run` runs. */
async function served(
  relay: Relay,
  run: (port: number) => Promise<void>,
  options: { reachedBy?: ReachedBy; heartbeat?: number } = {},
): Promise<void> {
  const server = createServer();
  const detach = attachRelay(server, relay, { path: "/relay", ...options });
  await new Promise<void>((listening) =>
    server.listen(0, "127.0.0.1", listening)
  );
  try {
    // A server that listens on a port has such an address.
    await run((server.address() as AddressInfo).port);
  } finally {
    await detach();
    await new Promise((closed) => server.close(closed));
  }
}

/** How an upgrade with this Origin, asking for this host, ends: 101, or the refusal's status. */
function upgrade(
  port: number,
  origin: string | undefined,
  host = `127.0.0.1:${port}`,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WsClient(`ws://127.0.0.1:${port}/relay`, {
      origin,
      headers: { host },
    });
    socket.on("open", () => {
      socket.terminate();
      resolve(101);
    });
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on("error", reject);
  });
}

Deno.test("only pages of the relay's own origin may connect, and programs that are no pages", () =>
  withRelay(({ relay }) =>
    served(relay, async (port) => {
      assert.equal(await upgrade(port, undefined), 101);
      assert.equal(await upgrade(port, "http://localhost:8000"), 101);
      assert.equal(
        await upgrade(port, "http://localhost:8000", "behind-a-proxy"),
        101,
      );
      for (
        const origin of [
          "https://evil.example",
          "null",
          "https://localhost:8000",
          "http://localhost:8001",
          "http://localhost:8000.evil.example",
          "file://",
        ]
      ) {
        assert.equal(await upgrade(port, origin), 403, origin);
      }
      assert.equal(
        await upgrade(port, `http://127.0.0.1:${port}`),
        403,
        "the host that was asked, which is not the public URL's",
      );
    })
  ));

Deno.test("a name that somebody points at this machine is not this machine's", () =>
  withRelay(({ relay }) =>
    served(relay, async (port) => {
      assert.equal(await upgrade(port, "http://localhost:8000"), 101);
      for (
        const host of [
          `127.0.0.1:${port}`,
          `localhost:${port}`,
          "localhost:9999",
          `[::1]:${port}`,
        ]
      ) {
        assert.equal(await upgrade(port, `http://${host}`, host), 101, host);
      }
      for (const host of [`evil.example:${port}`, "127.0.0.1.evil.example"]) {
        assert.equal(await upgrade(port, `http://${host}`, host), 403, host);
      }
      assert.equal(
        await upgrade(port, "http://localhost:3000", `localhost:${port}`),
        403,
        "another server on this machine",
      );
    }, { reachedBy: "loopback" })
  ));

Deno.test("where nobody said how the relay is reached, a page must come from the host it asks", () =>
  withRelay(({ relay }) =>
    served(relay, async (port) => {
      const host = "relay.lan:8000";
      assert.equal(await upgrade(port, `http://${host}`, host), 101);
      assert.equal(await upgrade(port, "http://evil.example", host), 403);
    }, { reachedBy: "any-name" })
  ));

Deno.test("a connection whose other end is silent, down to its pongs, is ended; one that answers stays", () =>
  withRelay(({ relay }) =>
    served(relay, async (port) => {
      const client = await RelayClient.overWebSocket(
        `ws://127.0.0.1:${port}/relay`,
      );
      const halfOpen = await Deno.connect({ hostname: "127.0.0.1", port });
      await halfOpen.write(new TextEncoder().encode(
        "GET /relay HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      ));
      // It reads, so that only silence is wrong with it, until the relay ends it.
      const heard = new Uint8Array(4_096);
      let ended = false;
      while (!ended) {
        ended = await halfOpen.read(heard).then(
          (count) => count === null,
          (error) => {
            assert.ok(error instanceof Deno.errors.ConnectionReset);
            return true;
          },
        );
      }
      halfOpen.close();
      while (relay.connections > 1) {
        await new Promise((resume) => setTimeout(resume, 5));
      }
      ok(await client.ask({ type: "PING" }));
      await client.close();
    }, { heartbeat: 200 })
  ));

Deno.test("malformed input ends its connection with a reason, and no other", () =>
  withRelay(({ relay }) =>
    served(relay, async (port) => {
      const url = `ws://127.0.0.1:${port}/relay`;
      const bystander = await RelayClient.overWebSocket(url);
      const bad: [string, Uint8Array | string, string][] = [
        ["text", "hello", "text is not spoken here"],
        ["no size", new Uint8Array(100), "a frame has no allowed size"],
        ["unknown", frame(0x77), "a command type is unknown"],
        ["padding", frame(0, 1), "padding is not zero"],
        ["a relay's word", frame(0x02, 0, 1, 0, 0), "only a relay says that"],
        [
          "no request",
          frame(0x40, 0, 0, 0, 0),
          "a command without a request number",
        ],
      ];
      for (const [name, data, reason] of bad) {
        const client = await RelayClient.overWebSocket(url);
        client.raw(data);
        assert.deepEqual(await client.closed, { code: 1008, reason }, name);
        assert.equal(client.refusal, "malformed", name);
      }
      ok(await bystander.ask({ type: "PING" }));
      await bystander.close();
    })
  ));

function frame(...start: number[]): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set(start);
  return bytes;
}

Deno.test("connections that break in the middle of a frame leave nothing behind", () =>
  withRelay(({ relay }) =>
    served(relay, async (port) => {
      const url = `ws://127.0.0.1:${port}/relay`;
      for (let i = 0; i < 5; i++) {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await connection.write(new TextEncoder().encode(
          `GET /relay HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
        ));
        await connection.read(new Uint8Array(4_096));
        await connection.write(
          Uint8Array.of(0x82, 0xfe, 0x02, 0x00, 1, 2, 3, 4, 5),
        ); // 512 announced, 1 sent
        connection.close();
      }
      const client = await RelayClient.overWebSocket(url);
      ok(await client.ask({ type: "PING" }));
      while (relay.connections > 1) {
        await new Promise((resume) => setTimeout(resume, 5));
      }
      await client.close();
    })
  ));

Deno.test("an upgrade that is refused and then reset, or asks for no path at all, ends nothing else", () =>
  withRelay(async ({ relay }) => {
    const server = createServer();
    const detach = attachRelay(server, relay, { path: "/relay" });
    // What the house does with paths that are not the relay's.
    const refused = Promise.withResolvers<void>();
    let left = 0;
    server.on("upgrade", (request, socket) => {
      if (request.url === "/relay") return;
      // By now the other end is gone: writing fails.
      setTimeout(() => {
        socket.write(new Uint8Array(65_536));
        socket.end(new Uint8Array(65_536));
        if (--left === 0) refused.resolve();
      }, 20);
    });
    await new Promise<void>((listening) =>
      server.listen(0, "127.0.0.1", listening)
    );
    // A server that listens on a port has such an address.
    const { port } = server.address() as AddressInfo;
    const paths = ["/elsewhere", "//", "//[", "http://["];
    left = paths.length;
    for (const path of paths) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(new TextEncoder().encode(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      ));
      connection.close();
    }
    await refused.promise;
    await new Promise((resume) => setTimeout(resume, 50)); // an error comes after the write
    const client = await RelayClient.overWebSocket(
      `ws://127.0.0.1:${port}/relay`,
    );
    ok(await client.ask({ type: "PING" }));
    await client.close();
    await detach();
    await new Promise((closed) => server.close(closed));
  }));

Deno.test("messages too large are refused when announced: forty senders of 1 GiB each cost no memory", async () => {
  const directory = await Deno.makeTempDir({ prefix: "whisper-large-" });
  const relay = await RelayProcess.start(`${directory}/relay.kv`, {
    workBits: 2,
  });
  try {
    const { hostname, port } = new URL(relay.url);
    const bystander = await RelayClient.overWebSocket(relay.url);
    const before = await relay.memory();
    let most = before;
    const attack = async (first: Uint8Array) => {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      await connection.write(new TextEncoder().encode(
        "GET /relay HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      ));
      await connection.read(new Uint8Array(4_096));
      let written = 0;
      try {
        await connection.write(first);
        for (; written < 16 * 1024 * 1024; written += 65_536) {
          await connection.write(new Uint8Array(65_536));
        }
      } catch (error) {
        assert.ok(
          error instanceof Deno.errors.BrokenPipe ||
            error instanceof Deno.errors.ConnectionReset,
        );
      }
      most = Math.max(most, await relay.memory());
      connection.close();
      return written;
    };
    const oneGiB = Uint8Array.of(
      0x82,
      0xff,
      0,
      0,
      0,
      0,
      0x40,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    );
    const fragments = Uint8Array.of(0x02, 0xfe, 0x7f, 0xff, 0, 0, 0, 0); // an unfinished message of 32,767, then more
    let written = 0;
    for (let i = 0; i < 20; i++) {
      written = Math.max(
        written,
        await attack(oneGiB),
        await attack(fragments),
      );
    }
    assert.ok(written < 16 * 1024 * 1024, "the relay went on reading");
    assert.ok(
      most - before < 48 * 1024 * 1024,
      `memory rose by ${(most - before) >> 20} MiB`,
    );
    ok(await bystander.ask({ type: "PING" }));

    // The largest frame there is, and one byte more.
    bystander.raw(new Uint8Array(32_768));
    ok(await bystander.ask({ type: "PING" }));
    bystander.raw(new Uint8Array(32_769));
    // 1009, unless the reset that follows unread bytes overtakes it.
    assert.ok([1009, 1006, 0].includes((await bystander.closed).code));
  } finally {
    await relay.stop();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Deno's own sockets carry the same protocol", () =>
  withRelay(async ({ relay }) => {
    const server = Deno.serve({
      port: 0,
      hostname: "127.0.0.1",
      onListen: () => {},
    }, (request) => upgradeToRelay(request, relay));
    const url = `ws://127.0.0.1:${server.addr.port}/relay`;
    const client = await RelayClient.overWebSocket(url);
    const keys = await client.createQueue();
    await client.bind(keys, "receive", 1);
    ok(
      await client.send(
        await client.bind(keys, "send"),
        new Uint8Array(16).fill(1),
      ),
    );
    assert.deepEqual((await client.message()).id, new Uint8Array(16).fill(1));
    client.raw("text");
    assert.deepEqual(await client.closed, {
      code: 4008,
      reason: "text is not spoken here",
    });
    await server.shutdown();
  }));
