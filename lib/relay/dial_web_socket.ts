import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";
import { MAX_FRAME } from "../wire/mod.ts";
import { PeerUnreachableError } from "./peer_dialler.ts";
import type { RelaySocket } from "./socket.ts";
import { WsConnection } from "./ws_connection.ts";

/** RFC 6455 section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** No relay's answer to an upgrade is longer. */
const MOST_HEAD = 16_384;

/** Pongs that another relay has not read at which it is cut off. */
const MOST_PONGS = 60;

/** How long another relay has to close after it was told to go. */
const GRACE_MS = 1_000;

/** A `ws` socket made of a stream that was upgraded: what the library does itself after its own handshake. */
type Upgraded = WebSocket & {
  _isServer: boolean;
  setSocket(
    stream: Duplex,
    head: Buffer,
    options: { maxPayload: number; allowSynchronousEvents: boolean },
  ): void;
};

/**
 * Speaks TLS (for https), then WebSocket, to the relay of `origin` over a stream that leads there. The stream is
 * ended with the connection, and when there comes none.
 *
 * The handshake is made here: under Deno, Node's HTTP client loses what comes in one piece with the answer to
 * an upgrade, which the relay's HELLO often does.
 * @param ca authorities instead of the system's, PEM
 * @throws {PeerUnreachableError}
 */
export function dialWebSocket(
  origin: URL,
  stream: Socket,
  signal: AbortSignal,
  ca?: string,
): Promise<RelaySocket> {
  const line: Duplex = origin.protocol === "https:"
    ? connectTls({ socket: stream, servername: origin.hostname, ca })
    : stream;
  const key = randomBytes(16).toString("base64");
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const fail = () => {
      settle();
      line.destroy();
      stream.destroy();
      reject(new PeerUnreachableError("there is no relay there now"));
    };
    const hear = (data: Uint8Array) => {
      head = Buffer.concat([head, data]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0 && head.length <= MOST_HEAD) return;
      if (
        !accepts(head.subarray(0, Math.max(0, end)).toString("latin1"), key)
      ) {
        return fail();
      }
      settle();
      resolve(upgraded(line, head.subarray(end + 4)));
    };
    const settle = () => {
      signal.removeEventListener("abort", fail);
      line.off("data", hear);
      line.off("close", fail);
    };
    signal.addEventListener("abort", fail);
    stream.on("error", fail);
    line.on("error", fail);
    line.on("close", fail);
    line.on("data", hear);
    if (signal.aborted) return fail();
    line.write(
      [
        "GET /relay HTTP/1.1",
        `Host: ${origin.host}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${key}`,
        "\r\n",
      ].join("\r\n"),
    );
  });
}

/** Whether this is the answer of who speaks WebSocket, and read our key. */
function accepts(head: string, key: string): boolean {
  const [status, ...lines] = head.split("\r\n");
  const accept = createHash("sha1").update(key + GUID).digest("base64");
  return /^HTTP\/1\.1 101( |$)/.test(status) &&
    lines.some((line) => {
      const [name, value] = line.split(/:\s*/, 2);
      return name.toLowerCase() === "sec-websocket-accept" &&
        value?.trim() === accept;
    });
}

function upgraded(line: Duplex, rest: Buffer): RelaySocket {
  // Its types do not know how its own server and client make one.
  const socket = new (WebSocket as unknown as {
    new (address: null, protocols: undefined, options: object): Upgraded;
  })(null, undefined, {
    // Without it the other relay takes this one for gone after two of its heartbeats.
    autoPong: true,
    // Who asks for a sign of life and reads none of them is not answered for ever.
    maxPendingAutoPongs: MOST_PONGS,
    closeTimeout: GRACE_MS,
  });
  socket._isServer = false;
  const connection = new WsConnection(socket, line);
  socket.setSocket(line, rest, {
    maxPayload: MAX_FRAME,
    allowSynchronousEvents: true,
  });
  return connection;
}
