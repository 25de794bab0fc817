import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as TcpServer,
} from "node:net";
import { PeerForbiddenError, PeerUnreachableError } from "./peer_dialler.ts";
import { isPublicAddress } from "./public_address.ts";
import type { RelaySocket } from "./socket.ts";
import { TcpDialler, type TcpDiallerOptions } from "./tcp_dialler.ts";
import { withRelay } from "./testing/with_relay.ts";
import { attachRelay } from "./ws_socket.ts";

/** RFC 6455 section 1.3. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const TLS = new URL("../../tests/fixtures/tls/", import.meta.url);
const read = (name: string) => Deno.readTextFile(new URL(name, TLS));

/** A relay on a port of this machine while `run` runs. */
function withServer(
  server: Server,
  run: (port: number) => Promise<void>,
): Promise<void> {
  return withRelay(async ({ relay }) => {
    const detach = attachRelay(server, relay, { path: "/relay" });
    const port = await listening(server);
    try {
      await run(port);
    } finally {
      await detach();
      await new Promise((closed) => server.close(closed));
    }
  });
}

async function listening(server: TcpServer): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  // A server that listens on a port has such an address.
  return (server.address() as AddressInfo).port;
}

/** A public address as far as can be told from it, which is given to no machine. */
const NOBODYS = "3ffd:ffff::1";

function dial(
  url: string,
  options: TcpDiallerOptions,
  signal: AbortSignal = AbortSignal.timeout(10_000),
): Promise<RelaySocket> {
  return new TcpDialler(options).dial(new URL(url), { isolation: "", signal });
}

/** The size of the first frame; the socket is closed. */
function firstFrame(socket: RelaySocket): Promise<number> {
  return new Promise((resolve) =>
    socket.listen({
      message: (data) => {
        resolve(data.length);
        socket.close(1000, "");
      },
      close: () => resolve(0),
      drained: () => {},
    })
  );
}

Deno.test("a relay greets whoever dials it by an address or by a name", () =>
  withServer(createServer(), async (port) => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const socket = await dial(`http://${host}:${port}`, {
        allowPrivate: true,
      });
      assert.equal(await firstFrame(socket), 512, host);
    }
  }));

/** Answers an upgrade, in one piece with `first`; what comes after that is for `hear`. */
function upgrading(
  first: Uint8Array,
  hear: (data: Uint8Array) => void = () => {},
): TcpServer {
  return createTcpServer((socket) => {
    socket.on("error", () => {}); // the other side hangs up
    socket.on("data", (data) => {
      const [, asked] = /^Sec-WebSocket-Key: (.*)\r$/m.exec(`${data}`) ?? [];
      if (asked === undefined) return hear(Buffer.from(data));
      const accept = createHash("sha1").update(asked + WEBSOCKET_GUID);
      const answer = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        `Sec-WebSocket-Accept: ${accept.digest("base64")}`,
        "\r\n",
      ].join("\r\n");
      socket.write(Buffer.concat([Buffer.from(answer), first]));
    });
  });
}

Deno.test("what a relay says at once is heard, however late somebody listens", async () => {
  const frame = new Uint8Array(4 + 512);
  frame.set([0x82, 126, 2, 0]);
  const server = upgrading(frame);
  const port = await listening(server);
  try {
    const url = `http://127.0.0.1:${port}`;
    const socket = await dial(url, { allowPrivate: true });
    await new Promise((resume) => setTimeout(resume, 20));
    assert.equal(await firstFrame(socket), 512);
  } finally {
    server.close();
  }
});

Deno.test("over https the certificate counts: of this name, by a known authority", async () => {
  const [cert, key, ca] = await Promise.all(
    ["localhost.pem", "localhost.key.pem", "authority.pem"].map(read),
  );
  await withServer(createTlsServer({ cert, key }), async (port) => {
    const url = `https://localhost:${port}`;
    const socket = await dial(url, { allowPrivate: true, ca });
    assert.equal(await firstFrame(socket), 512);
    await assert.rejects(
      dial(url, { allowPrivate: true }),
      PeerUnreachableError,
      "an authority that nobody knows",
    );
    await assert.rejects(
      dial(`https://relay.example:${port}`, {
        allowPrivate: true,
        ca,
        resolve: () => Promise.resolve(["127.0.0.1"]),
      }),
      PeerUnreachableError,
      "a name that the certificate does not have",
    );
  });
});

Deno.test("a private address is not dialled, whatever name leads there", async () => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  const port = await listening(server);
  const names: Record<string, string[]> = {
    "rebinding.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "router.example": ["192.168.0.1", "fe80::1", "fd00::1"],
  };
  try {
    const resolve = (name: string) => Promise.resolve(names[name] ?? []);
    for (
      const host of [
        ...Object.keys(names),
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "[64:ff9b::7f00:1]",
      ]
    ) {
      await assert.rejects(
        dial(`https://${host}:${port}`, { resolve }),
        PeerForbiddenError,
        host,
      );
    }
    assert.equal(connections, 0);
  } finally {
    server.close();
  }
});

Deno.test("a name is looked up once, and only public ones of its addresses are dialled", async () => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  const port = await listening(server);
  const asked: string[] = [];
  const dialler = new TcpDialler({
    resolve: (name) => {
      asked.push(name);
      // A second look would find this machine.
      return Promise.resolve(
        asked.length === 1 ? ["127.0.0.1", "2001:db8::1"] : ["127.0.0.1"],
      );
    },
  });
  try {
    await assert.rejects(
      dialler.dial(new URL(`https://relay.example:${port}`), {
        isolation: "",
        signal: AbortSignal.timeout(5_000),
      }),
      PeerForbiddenError,
    );
    assert.deepEqual(asked, ["relay.example"]);
    // With one that is public: that one is tried, and the other is not, though it comes first.
    const both = ["127.0.0.1", NOBODYS];
    await assert.rejects(
      dial(
        `https://relay.example:${port}`,
        { resolve: () => Promise.resolve(both) },
        AbortSignal.timeout(500),
      ),
      PeerUnreachableError,
    );
    assert.equal(connections, 0);
  } finally {
    server.close();
  }
});

Deno.test("neither plain http nor the ports of other services are dialled on the internet", async () => {
  const resolve = () => Promise.reject(new Error("nobody is to be asked"));
  for (
    const url of [
      "http://relay.example",
      "http://relay.example:8000",
      "https://relay.example:22",
      "https://relay.example:80",
      "https://relay.example:1023",
    ]
  ) await assert.rejects(dial(url, { resolve }), PeerForbiddenError, url);
  for (const url of ["https://relay.example", "https://relay.example:1024"]) {
    await assert.rejects(dial(url, { resolve }), PeerUnreachableError, url);
  }
});

Deno.test("a redirect is not followed, nor is anything but a relay", async () => {
  let followed = 0;
  const server = createServer((request, response) => {
    if (request.url === "/elsewhere") followed++;
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  server.on("upgrade", (request, socket) => {
    if (request.url === "/elsewhere") followed++;
    socket.end("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\n\r\n");
  });
  const port = await listening(server);
  try {
    await assert.rejects(
      dial(`http://127.0.0.1:${port}`, { allowPrivate: true }),
      PeerUnreachableError,
    );
    assert.equal(followed, 0);
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});

Deno.test("an attempt ends when it is told to, and by itself where nobody listens", async () => {
  const held: { destroy(): void }[] = [];
  const mute = createTcpServer((socket) => {
    held.push(socket);
  });
  const port = await listening(mute);
  const stopping = new AbortController();
  const dialling = dial(
    `http://127.0.0.1:${port}`,
    { allowPrivate: true },
    stopping.signal,
  );
  stopping.abort();
  await assert.rejects(dialling, PeerUnreachableError);
  for (const socket of held) socket.destroy();
  await new Promise((closed) => mute.close(closed));
  await assert.rejects(
    dial(`http://127.0.0.1:${port}`, { allowPrivate: true }),
    PeerUnreachableError,
  );
});

Deno.test("who hangs up instead of answering is not waited for", async () => {
  const server = createTcpServer((socket) => {
    socket.on("data", () => socket.destroy());
    socket.on("error", () => {}); // it hung up
  });
  const port = await listening(server);
  const never = new AbortController().signal;
  try {
    await assert.rejects(
      dial(`http://127.0.0.1:${port}`, { allowPrivate: true }, never),
      PeerUnreachableError,
    );
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});

Deno.test("a relay that asks for a sign of life by a WebSocket ping gets one", async () => {
  const answered = Promise.withResolvers<number>();
  // A ping, then a message, which is answered with one: the pong goes before it.
  const frames = new Uint8Array(2 + 4 + 512);
  frames.set([0x89, 0, 0x82, 126, 2, 0]);
  const server = upgrading(frames, ([first]) => answered.resolve(first));
  const port = await listening(server);
  try {
    const socket = await dial(`http://127.0.0.1:${port}`, {
      allowPrivate: true,
    });
    socket.listen({
      message: () => socket.send(new Uint8Array(512)),
      close: () => {},
      drained: () => {},
    });
    assert.equal(await answered.promise, 0x8a);
    socket.close(1000, "");
  } finally {
    server.close();
  }
});

Deno.test("addresses of machines, networks and purposes of their own are no public ones", () => {
  const own = [
    ["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.9.9.9"],
    ["169.254.1.1", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1"],
    ["192.168.255.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"],
    ["224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"],
    ["::", "::1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::808:808"],
    ["100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1"],
    ["fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1", "relay.example"],
  ].flat();
  assert.deepEqual(own.filter(isPublicAddress), []);
  const everybodys = [
    ["8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1"],
    ["192.169.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"],
  ].flat();
  assert.deepEqual(everybodys.filter(isPublicAddress), everybodys);
});
