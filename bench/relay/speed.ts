/** Durable messages per second: confirmed and, where the recipients are there, arrived. */
import { LoadProcesses, type Rate } from "./load_processes.ts";
import type { Server } from "./line.ts";
import {
  MOSQUITTO,
  type Peer,
  RABBITMQ,
  SOCKET_IO,
  WHISPER,
  withPeer,
} from "./peers.ts";
import { processorSeconds } from "./process.ts";
import { printRow } from "./row.ts";

/** How long each measurement lasts, after one second that does not count. */
const SECONDS = 3;

/** What each sender leaves for its recipient: a queue of ours takes 4,096. */
const LEFT = 3_000;

type Figure = Rate & {
  /** of the server's processor, per message */ us: number;
};

const SHAPES = [
  { title: "1 pair", pairs: 1, inFlight: 1 },
  { title: "20 pairs", pairs: 20, inFlight: 1 },
  { title: "20 pairs × 16 in flight", pairs: 20, inFlight: 16 },
] as const;

async function costing(
  { pid }: Server,
  run: () => Promise<Rate>,
): Promise<Figure> {
  const before = await processorSeconds(pid);
  const rate = await run();
  const seconds = await processorSeconds(pid) - before;
  return { ...rate, us: seconds / rate.count * 1e6 };
}

function online(
  peer: Peer,
  { pairs, inFlight }: { pairs: number; inFlight: number },
): Promise<Figure> {
  return withPeer(peer, async (server) => {
    const { load, address } = { ...peer, ...server };
    const processes = Math.min(2, pairs);
    const lines = await LoadProcesses.start(load, address, pairs, processes);
    await lines.listen();
    await lines.send({ inFlight, seconds: 1, online: true });
    const figure = await costing(
      server,
      () => lines.send({ inFlight, seconds: SECONDS, online: true }),
    );
    await lines.close();
    return figure;
  });
}

function offline(peer: Peer): Promise<{ stored: Figure; drained: Figure }> {
  return withPeer(peer, async (server) => {
    const lines = await LoadProcesses.start(peer.load, server.address, 20, 2);
    const stored = await costing(
      server,
      () =>
        lines.send({ inFlight: 16, seconds: 60, most: LEFT, online: false }),
    );
    const drained = await costing(server, () => lines.drain());
    await lines.close();
    return { stored, drained };
  });
}

export async function measureSpeed(): Promise<void> {
  const peers = [WHISPER, RABBITMQ, MOSQUITTO, SOCKET_IO];
  const rows = new Map<string, Map<Peer, Figure>>();
  const note = (title: string, peer: Peer, figure: Figure) =>
    rows.set(title, (rows.get(title) ?? new Map()).set(peer, figure));
  for (const shape of SHAPES) {
    for (const peer of peers) {
      note(`both there, ${shape.title}`, peer, await online(peer, shape));
    }
  }
  for (const peer of peers.filter(({ keeps }) => keeps)) {
    const { stored, drained } = await offline(peer);
    note("left for who is away, 20 pairs × 16 in flight", peer, stored);
    note("then fetched by all 20 at once", peer, drained);
  }
  printRow("messages of 512 bytes per second, and how many times the other's", [
    WHISPER.name,
    ...peers.slice(1).map(({ name }) => name),
  ]);
  for (const [title, figures] of rows) {
    const ours = perSecond(figures.get(WHISPER));
    printRow(
      title,
      peers.map((peer) => {
        if (!figures.has(peer)) return "";
        const rate = perSecond(figures.get(peer));
        const whole = Math.round(rate).toLocaleString("en");
        return peer === WHISPER
          ? whole
          : `${whole} ${(ours / rate).toFixed(1)}x`;
      }),
    );
  }
  printRow("\nthe server's processor time per message, µs", []);
  for (const [title, figures] of rows) {
    printRow(
      title,
      peers.map((peer) => figures.get(peer)?.us.toFixed(0) ?? ""),
    );
  }
}

function perSecond(figure: Figure | undefined): number {
  return figure === undefined ? NaN : figure.count / figure.ms * 1_000;
}
