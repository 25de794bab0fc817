import { connect as connectTls } from "node:tls";
import { type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { MAX_FRAME } from "../wire/mod.ts";
import { PeerUnreachableError } from "./peer_dialler.ts";
import type { RelaySocket } from "./socket.ts";
import { WsConnection } from "./ws_connection.ts";

/**
 * Speaks TLS (for https), then WebSocket, to the relay of `origin` over a stream that leads there. The stream is
 * ended with the connection, and when there comes none.
 * @param ca authorities instead of the system's, PEM
 * @throws {PeerUnreachableError}
 */
export function dialWebSocket(
  origin: URL,
  stream: Socket,
  signal: AbortSignal,
  ca?: string,
): Promise<RelaySocket> {
  const secure = origin.protocol === "https:";
  const line: Duplex = secure
    ? connectTls({ socket: stream, servername: origin.hostname, ca })
    : stream;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(
      `${secure ? "wss" : "ws"}://${origin.host}/relay`,
      {
        // Its types want the function that connects; it takes whatever stream that one gives.
        createConnection: (() => line) as never,
        maxPayload: MAX_FRAME,
        perMessageDeflate: false,
        followRedirects: false,
      },
    );
    const fail = () => {
      signal.removeEventListener("abort", fail);
      socket.terminate();
      stream.destroy();
      reject(new PeerUnreachableError("there is no relay there now"));
    };
    signal.addEventListener("abort", fail);
    if (signal.aborted) fail();
    stream.on("error", fail);
    line.on("error", fail);
    // Whoever hangs up before it answered: the library waits on, under Deno.
    stream.on("close", fail);
    socket.on("error", fail);
    socket.on("unexpected-response", fail);
    socket.on("open", () => {
      signal.removeEventListener("abort", fail);
      // Whoever asked listens in the same turn: nothing is read in between.
      resolve(new WsConnection(socket, line));
    });
  });
}
