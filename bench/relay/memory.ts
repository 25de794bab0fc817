/** What connections that say nothing cost the relay, and how many it holds. */
import { startWhisper, type WhisperServer } from "./whisper.ts";
import { printRow } from "./row.ts";

/** Of each step; the first is not counted, for it pays for what all of them use. */
const STEPS = {
  alone: { queues: 0, counts: [2_000, 8_000, 8_000] },
  bound: { queues: 50, counts: [1_000, 1_000, 1_000] },
};

/** By then what was written is in its place, and the journal keeps nothing of it in memory. */
const SETTLED_MS = 6_000;

type Held = { connections: number; bytes: number };

async function hold(
  server: WhisperServer,
  { queues, counts }: { queues: number; counts: readonly number[] },
): Promise<Held[]> {
  // Two, for a process may not have as many files open as all of them are.
  const holders = [0, 1].map(() => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        new URL("idle.ts", import.meta.url).href,
        server.address,
        String(queues),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return {
      child,
      input: child.stdin.getWriter(),
      output: child.stdout.pipeThrough(new TextDecoderStream()).getReader(),
    };
  });
  const steps: Held[] = [];
  for (const count of counts) {
    const answers = await Promise.all(holders.map(async ({ input, output }) => {
      await input.write(new TextEncoder().encode(String(count / 2)));
      return Number((await output.read()).value);
    }));
    const connections = answers[0] + answers[1];
    // Twice: what the first collection finds unused, the second gives back.
    await server.process.memory();
    await new Promise((resume) => setTimeout(resume, SETTLED_MS));
    steps.push({ connections, bytes: await server.process.memory() });
  }
  for (const { child, input } of holders) {
    await input.close();
    await child.status;
  }
  return steps;
}

export async function measureMemory(): Promise<void> {
  printRow("\nidle connections", ["held", "KB each, more", "MB in all"]);
  for (const { queues, counts } of Object.values(STEPS)) {
    const directory = await Deno.makeTempDir({ prefix: "whisper-bench-" });
    const server = await startWhisper(directory);
    const steps = await hold(server, { queues, counts });
    await server.stop();
    await Deno.remove(directory, { recursive: true });
    for (const [i, { connections, bytes }] of steps.entries()) {
      const before = steps[i - 1];
      const each = before === undefined
        ? ""
        : ((bytes - before.bytes) / (connections - before.connections) / 1_024)
          .toFixed(1);
      printRow(
        queues === 0 ? "  alone" : `  with ${queues} queues bound on each`,
        [
          connections.toLocaleString("en"),
          each,
          (bytes / 2 ** 20).toFixed(0),
        ],
      );
    }
  }
}
