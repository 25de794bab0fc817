/** Connections through Tor. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { SocksClient } from "socks";
import type { HostAndPort } from "./control_port.ts";

/** Longer than a new circuit takes by far, ms: half of them take 1 s, few more than 8. */
const PATIENCE_MS = 60_000;

/**
 * Connects to `to` through Tor's SOCKS port; names are looked up by Tor, at the end of the circuit. What
 * has another `label` goes by another circuit: Tor keeps apart what comes with different user names.
 * Rejects when Tor does not get there, or `signal` aborts: then Tor is not asked any more.
 */
export async function connectThroughTor(
  socks: HostAndPort,
  to: HostAndPort,
  label: string,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const { host, port } = socks;
  const socket = connect({ host, port, noDelay: true });
  // For as long as it lives: an error that nobody hears would end the process.
  socket.on("error", () => {});
  const abort = () => socket.destroy(new Error("It was called off"));
  signal.addEventListener("abort", abort);
  try {
    await once(socket, "connect");
    await SocksClient.createConnection({
      command: "connect",
      proxy: {
        host,
        port,
        type: 5,
        userId: label,
        // Without a password the user name would not be told.
        password: "whisper",
      },
      destination: { host: to.host, port: to.port },
      timeout: PATIENCE_MS,
      existing_socket: socket,
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
