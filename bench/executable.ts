/**
 * The offline executable as somebody downloads and starts it: its size, and how long until it answers; at its first
 * start, when it unpacks itself, and at later ones. The native one can't be built without Deno's download server.
 *   deno task bench executable
 */
import { join } from "node:path";
import { makeSingleFile } from "../server/single_file.ts";
import { PROGRAM, startExecutable } from "../tests/harness/mod.ts";
import { printTable, quantile } from "./page_table.ts";

const FIRST = 5;
const LATER = 15;

/** ms from the start of the program to its first answer to a request, with everything that it keeps in `home`. */
async function timeStart(executable: string, home: string): Promise<number> {
  const begun = performance.now();
  const { url, stop } = await startExecutable(executable, home);
  const response = await fetch(`${url}/healthz`);
  if (await response.text() !== "ok\n") throw new Error("it is not well");
  const took = performance.now() - begun;
  await stop();
  return took;
}

async function withHome<Result>(
  use: (home: string) => Promise<Result>,
): Promise<Result> {
  const home = await Deno.makeTempDir({ prefix: "whisper-home-" });
  try {
    return await use(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

if (import.meta.main) {
  await withHome(async (folder) => {
    const executable = join(folder, "whisper");
    await makeSingleFile(PROGRAM, executable);
    const { size } = await Deno.stat(executable);
    const first: number[] = [];
    for (let i = 0; i < FIRST; i++) {
      first.push(await withHome((home) => timeStart(executable, home)));
    }
    const later = await withHome(async (home) => {
      await timeStart(executable, home);
      const times: number[] = [];
      for (let i = 0; i < LATER; i++) {
        times.push(await timeStart(executable, home));
      }
      return times;
    });
    printTable(
      `The offline executable, ${FIRST} first starts and ${LATER} later ones`,
      [
        {
          what: "size",
          value: size / 1e6,
          unit: "MB",
          atLeast: 110,
          aim: 95,
        },
        {
          what: "first start, which unpacks it, to first answer: median",
          value: quantile(first, 0.5),
          unit: "ms",
        },
        {
          what: "later starts to first answer: median",
          value: quantile(later, 0.5),
          unit: "ms",
          atLeast: 500,
          aim: 200,
        },
        {
          what: "later starts to first answer: longest",
          value: Math.max(...later),
          unit: "ms",
        },
      ],
    );
  });
}
