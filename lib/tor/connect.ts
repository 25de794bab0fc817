/** Connections through Tor. */
import type { Socket } from "node:net";
import { SocksClient } from "socks";
import type { HostAndPort } from "./control_port.ts";

/** Longer than a new circuit takes by far, ms: half of them take 1 s, few more than 8. */
const PATIENCE_MS = 60_000;

/**
 * Connects to `to` through Tor's SOCKS port; names are looked up by Tor, at the end of the circuit. What
 * has another `label` goes by another circuit: Tor keeps apart what comes with different user names.
 * Rejects when Tor does not get there, or `signal` aborts.
 */
export async function connectThroughTor(
  socks: HostAndPort,
  to: HostAndPort,
  label: string,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const connecting = SocksClient.createConnection({
    command: "connect",
    proxy: {
      host: socks.host,
      port: socks.port,
      type: 5,
      userId: label,
      // Without a password the user name would not be told.
      password: "whisper",
    },
    destination: { host: to.host, port: to.port },
    timeout: PATIENCE_MS,
    set_tcp_nodelay: true,
  });
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    const { socket } = await Promise.race([connecting, aborted.promise]);
    return socket;
  } catch (error) {
    // It can't be called off: what comes of it yet is nobody's.
    connecting.then(({ socket }) => socket.destroy(), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
