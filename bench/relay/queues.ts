/**
 * What a message costs the relay when there are few queues, and when there are many: each to another queue than
 * the one before, and as many to a queue in a row as are in flight. The first says what mail costs that is spread
 * thin; only the second does the same work whatever there is.
 */
import { LoadProcesses } from "./load_processes.ts";
import { WHISPER, withPeer } from "./peers.ts";
import type { Server, Spread } from "./line.ts";
import { processorSeconds } from "./process.ts";
import { printRow } from "./row.ts";

const PAIRS = 10;
const COUNTS = [10, 1_000, 100_000];

/** In flight per pair. */
const IN_FLIGHT = 32;

const SECONDS = 4;

/** Of each pair for who is away: when it has one queue, that one must hold them. */
const LEFT = 4_000;

/** By then what was written is in its place: what that costs belongs to it, and not to what comes next. */
const settled = () => new Promise((resume) => setTimeout(resume, 6_000));

type Figure = { perSecond: number; us: number };

export async function measureQueues(): Promise<void> {
  for (const inARow of [1, IN_FLIGHT]) {
    printRow(
      `\n${PAIRS} pairs × ${IN_FLIGHT} in flight, to a queue in a row: ${inARow}`,
      [
        "per second",
        "µs of processor",
      ],
    );
    for (const queues of COUNTS) {
      const { away, there } = await withPeer(
        WHISPER,
        (server) => measure(server, { queues: queues / PAIRS, inARow }),
      );
      for (const [who, { perSecond, us }] of Object.entries({ away, there })) {
        printRow(
          `  ${queues.toLocaleString("en")} queues, recipients ${who}`,
          [Math.round(perSecond).toLocaleString("en"), us.toFixed(0)],
        );
      }
    }
  }
}

async function measure(
  { pid, address }: Server,
  spread: Spread,
): Promise<{ away: Figure; there: Figure }> {
  const lines = await LoadProcesses.start(
    WHISPER.load,
    address,
    PAIRS,
    2,
    spread,
  );
  const costing = async (most: number, online: boolean): Promise<Figure> => {
    await settled();
    const before = await processorSeconds(pid);
    const { count, ms } = await lines.send({
      inFlight: IN_FLIGHT,
      seconds: SECONDS,
      most,
      online,
    });
    await settled();
    const seconds = await processorSeconds(pid) - before;
    return { perSecond: count / ms * 1_000, us: seconds / count * 1e6 };
  };
  const away = await costing(LEFT, false);
  await lines.drain();
  const there = await costing(1e9, true);
  await lines.close();
  return { away, there };
}
