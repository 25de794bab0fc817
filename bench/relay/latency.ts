/** The time from one socket to the other at a load that leaves the machine room. */
import { LoadProcesses } from "./load_processes.ts";
import { MOSQUITTO, RABBITMQ, SOCKET_IO, WHISPER, withPeer } from "./peers.ts";
import { printRow } from "./row.ts";

const PER_SECOND = 1_000;
const SECONDS = 5;

export async function measureLatency(): Promise<void> {
  printRow(
    `\nfrom frame in to frame out at ${PER_SECOND} messages a second, ms`,
    [
      "p50",
      "p99",
    ],
  );
  for (const peer of [WHISPER, RABBITMQ, MOSQUITTO, SOCKET_IO]) {
    const took = await withPeer(peer, async ({ address }) => {
      const lines = await LoadProcesses.start(peer.load, address, 20, 1);
      await lines.listen();
      await lines.send({ inFlight: 1, seconds: 1, online: true });
      const times = await lines.pace(PER_SECOND, SECONDS);
      await lines.close();
      return times.toSorted((a, b) => a - b);
    });
    const at = (share: number) =>
      took[Math.floor(took.length * share)].toFixed(2);
    printRow(`  ${peer.name}, 20 pairs`, [at(0.5), at(0.99)]);
  }
}
