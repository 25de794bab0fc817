/** Several processes of load.ts as one load. */
import type { Spread } from "./line.ts";

export type Rate = { count: number; ms: number };

type Load = {
  child: Deno.ChildProcess;
  input: WritableStreamDefaultWriter<Uint8Array>;
  lines: AsyncIterableIterator<string>;
};

export class LoadProcesses {
  readonly #loads: Load[];

  private constructor(loads: Load[]) {
    this.#loads = loads;
  }

  /** `pairs` lines of the peer, shared out over as many processes as told, each with queues of its own. */
  static async start(
    peer: string,
    address: string,
    pairs: number,
    processes: number,
    { queues, inARow }: Spread = { queues: 1, inARow: 1 },
  ): Promise<LoadProcesses> {
    const share = pairs / processes;
    const loads = Array.from({ length: processes }, (_, i): Load => {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          new URL("load.ts", import.meta.url).href,
          peer,
          address,
          String(i * share),
          String(share),
          String(queues),
          String(inARow),
        ],
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      return {
        child,
        input: child.stdin.getWriter(),
        lines: linesOf(child.stdout),
      };
    });
    await Promise.all(loads.map(({ lines }) => next(lines)));
    return new LoadProcesses(loads);
  }

  /** The recipients begin to read. */
  async listen(): Promise<void> {
    await this.#step({ what: "listen" });
  }

  /** Sends, and gives what all of them did until the last one was done. */
  async send(
    how: { inFlight: number; seconds: number; most?: number; online: boolean },
  ): Promise<Rate> {
    return sum(await this.#step({ what: "send", most: 1e9, ...how }));
  }

  async drain(): Promise<Rate> {
    return sum(await this.#step({ what: "drain" }));
  }

  /** Sends by the clock; the time from sending to arrival of each message, in ms. */
  async pace(perSecond: number, seconds: number): Promise<number[]> {
    const each = perSecond / this.#loads.length;
    const results = await this.#step<{ took: number[] }>({
      what: "pace",
      perSecond: each,
      seconds,
    });
    return results.flatMap(({ took }) => took);
  }

  async close(): Promise<void> {
    await Promise.all(this.#loads.map(async ({ child, input }) => {
      await input.close();
      await child.status;
    }));
  }

  async #step<Result>(
    step: { what: string } & Record<string, unknown>,
  ): Promise<Result[]> {
    const text = new TextEncoder().encode(JSON.stringify(step));
    return await Promise.all(this.#loads.map(async ({ input, lines }) => {
      await input.write(text);
      // What load.ts answers to this step.
      return JSON.parse(await next(lines)) as Result;
    }));
  }
}

function sum(rates: readonly Rate[]): Rate {
  return {
    count: rates.reduce((all, { count }) => all + count, 0),
    ms: Math.max(...rates.map(({ ms }) => ms)),
  };
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncIterableIterator<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split("\n");
    text = parts.pop() ?? "";
    yield* parts;
  }
}

async function next(lines: AsyncIterableIterator<string>): Promise<string> {
  const { done, value } = await lines.next();
  if (done) throw new Error("a load process ended");
  return value;
}
