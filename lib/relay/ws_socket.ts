import type { Buffer } from "node:buffer";
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { MAX_FRAME } from "../wire/mod.ts";
import type { Relay } from "./relay.ts";
import { CLOSE } from "./socket.ts";
import { WsConnection } from "./ws_connection.ts";

/** One that shows no sign of life for so long is half-open and ended. */
const HEARTBEAT_MS = 45_000;

/** How long clients have to read what was last said to them. */
const GRACE_MS = 1_000;

/**
 * How pages reach the relay, which says whose pages may speak with it. A name that points at this
 * machine is nobody's proof: anybody's name can be made to (DNS rebinding).
 *
 * - `public-url`: its host said by which URL; only that origin's.
 * - `loopback`: from this machine only; those that came from the host they ask, under a name that is
 *   always this machine's (a forwarded port counts).
 * - `any-name`: nobody said; those that came from the host they ask, whatever its name.
 */
export type ReachedBy = "public-url" | "loopback" | "any-name";

/**
 * Serves the relay at `path` of a Node HTTP server. A message over 32 KiB ends
 * its connection before it is buffered. Upgrades of other paths are left to
 * other listeners. `refuse` answers an upgrade that is not granted (a foreign
 * page, a broken handshake) and ends its socket; without it the answer is bare.
 * Returns what detaches it again: connections that are left are told, and cut off when they have not
 * ended a second later.
 */
export function attachRelay(
  server: Server | SecureServer,
  relay: Relay,
  options: {
    path: string;
    /** The origin people come by here, where the relay has several; its own when not given. */
    publicUrl?: string;
    /** `public-url` unless told otherwise. */
    reachedBy?: ReachedBy;
    /** How often a connection must show a sign of life, in ms. */
    heartbeat?: number;
    refuse?: (socket: Duplex, status: 400 | 403) => void;
  },
): () => Promise<void> {
  const {
    refuse = refuseBarely,
    publicUrl = relay.publicUrl,
    reachedBy = "public-url",
    heartbeat = HEARTBEAT_MS,
  } = options;
  // Its types do not know the last one yet.
  const settings: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
    // A flooder that was told to go is not read for another half minute.
    closeTimeout: GRACE_MS,
  };
  const sockets = new WebSocketServer(settings);
  sockets.on("wsClientError", (_error, socket) => refuse(socket, 400));
  const alive = new WeakSet<WebSocket>();
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Nobody else listens on a socket that was upgraded: that it breaks would end the process.
    socket.on("error", () => socket.destroy());
    const asked = URL.parse(request.url ?? "/", "http://relay");
    if (asked?.pathname !== options.path) return;
    if (!isOwnPage(request, publicUrl, reachedBy)) {
      refuse(socket, 403);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connection) => {
      alive.add(connection);
      connection.on("pong", () => alive.add(connection));
      relay.accept(new WsConnection(connection, socket), publicUrl);
    });
  };
  server.on("upgrade", upgrade);
  const beating = setInterval(() => {
    for (const connection of sockets.clients) {
      if (!alive.delete(connection)) connection.terminate();
      else connection.ping();
    }
  }, heartbeat);
  beating.unref();
  return async () => {
    clearInterval(beating);
    server.off("upgrade", upgrade);
    for (const connection of sockets.clients) {
      connection.close(CLOSE.goingAway, "the relay stops");
    }
    const ended = new Promise<void>((resolve) =>
      sockets.close(() => resolve())
    );
    const cutting = setTimeout(() => {
      for (const connection of sockets.clients) connection.terminate();
    }, GRACE_MS);
    await ended;
    clearTimeout(cutting);
  };
}

function refuseBarely(socket: Duplex, status: 400 | 403): void {
  socket.end(
    `HTTP/1.1 ${status} ${
      STATUS_CODES[status]
    }\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

/**
 * A browser says which site a page is from: only ours may speak with the
 * relay through somebody's browser. Other programs send no Origin.
 */
function isOwnPage(
  { headers }: IncomingMessage,
  publicUrl: string,
  reachedBy: ReachedBy,
): boolean {
  if (headers.origin === undefined) return true;
  const page = URL.parse(headers.origin);
  if (page === null || !/^https?:$/.test(page.protocol)) return false;
  if (page.origin === new URL(publicUrl).origin) return true;
  if (reachedBy === "public-url" || page.host !== headers.host) return false;
  return reachedBy === "any-name" || isThisMachine(page.hostname);
}

/** Whether browsers look for this name nowhere else. */
function isThisMachine(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(
    hostname,
  );
}
