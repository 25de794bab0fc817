/**
 * One of several processes that load a server: `load.ts PEER ADDRESS FIRST PAIRS QUEUES`. Makes its lines and
 * says "ready"; then each line of standard input is a step, answered by a line of JSON.
 */
import type { Connect, Line } from "./line.ts";
import { connectMosquitto } from "./mosquitto.ts";
import { connectRabbitMq } from "./rabbitmq.ts";
import { connectSocketIo } from "./socket_io.ts";
import { connectWhisper } from "./whisper.ts";

const CONNECT: Readonly<Record<string, Connect>> = {
  whisper: connectWhisper,
  rabbitmq: connectRabbitMq,
  mosquitto: connectMosquitto,
  socketio: connectSocketIo,
};

/** A line with what was sent over it and what arrived. */
class Watched {
  sent = 0;
  arrived = 0;
  /** When each message of the latency step was sent, in ms. */
  readonly departures: number[] = [];
  readonly took: number[] = [];
  #whenAll: (() => void) | undefined;

  constructor(readonly line: Line) {}

  listen(): Promise<void> {
    return this.line.listen((number) => {
      this.arrived++;
      const departed = this.departures[number];
      if (departed !== undefined) this.took.push(performance.now() - departed);
      if (this.arrived >= this.sent) this.#whenAll?.();
    });
  }

  /** Resolves when all that was sent has arrived. */
  async all(): Promise<void> {
    while (this.arrived < this.sent) {
      await new Promise<void>((resolve) => this.#whenAll = resolve);
    }
  }
}

/** `inFlight` messages at a time on every line, until `seconds` have passed or each has sent `most`. */
async function send(
  lines: readonly Watched[],
  { inFlight, seconds, most, online }: {
    inFlight: number;
    seconds: number;
    most: number;
    online: boolean;
  },
) {
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  const before = lines.map(({ sent }) => sent);
  await Promise.all(
    lines.flatMap((watched, i) =>
      Array.from({ length: inFlight }, async () => {
        while (performance.now() < end && watched.sent - before[i] < most) {
          await watched.line.send(watched.sent++);
        }
      })
    ),
  );
  if (online) await Promise.all(lines.map((watched) => watched.all()));
  const count = lines.reduce((sum, { sent }, i) => sum + sent - before[i], 0);
  return { count, ms: performance.now() - begin };
}

/** The recipients come and read all that was left for them. */
async function drain(lines: readonly Watched[]) {
  const begin = performance.now();
  const count = lines.reduce(
    (sum, { sent, arrived }) => sum + sent - arrived,
    0,
  );
  await Promise.all(lines.map((watched) => watched.listen()));
  await Promise.all(lines.map((watched) => watched.all()));
  return { count, ms: performance.now() - begin };
}

/** By the clock, not one after another: a slow server must not slow the load down. */
async function pace(
  lines: readonly Watched[],
  { perSecond, seconds }: { perSecond: number; seconds: number },
) {
  const begin = performance.now();
  const answers: Promise<void>[] = [];
  for (let sent = 0; sent < perSecond * seconds;) {
    for (
      const due = (performance.now() - begin) * perSecond / 1_000;
      sent < due;
      sent++
    ) {
      const watched = lines[sent % lines.length];
      watched.departures[watched.sent] = performance.now();
      answers.push(watched.line.send(watched.sent++));
    }
    await new Promise((resume) => setTimeout(resume, 1));
  }
  await Promise.all(answers);
  await Promise.all(lines.map((watched) => watched.all()));
  return { took: lines.flatMap(({ took }) => took) };
}

const [peer, address, first, pairs, queues, inARow] = Deno.args;
const spread = { queues: Number(queues), inARow: Number(inARow) };
const lines = await Promise.all(
  Array.from({ length: Number(pairs) }, async (_, i) =>
    new Watched(
      await CONNECT[peer](address, Number(first) + i, spread),
    )),
);
console.log("ready");
const steps = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const step of steps) {
  // Written by load_processes.ts, one whole step at a time, each when the last was answered.
  const { what, ...how } = JSON.parse(step);
  const result = what === "send"
    ? await send(lines, how)
    : what === "drain"
    ? await drain(lines)
    : what === "pace"
    ? await pace(lines, how)
    : await Promise.all(lines.map((watched) => watched.listen()));
  console.log(JSON.stringify(result));
}
await Promise.all(lines.map(({ line }) => line.close()));
Deno.exit();
