import assert from "node:assert/strict";
import { fuzzTargets } from "./testing/fuzz_targets.ts";
import type { FuzzAnswer, FuzzOrder } from "./testing/fuzz_worker.ts";

const SLOW = Deno.env.get("SLOW") === "1";
/** For a parser that takes microseconds; the others get their share. */
const INPUTS = SLOW ? 5_000_000 : 30_000;
const SEED = Number(Deno.env.get("SEED") ?? Date.now() % 2 ** 32);
/** A hundred inputs take far less; this is how a loop without end is told. */
const PATIENCE_MS = 30_000;

/** Lets a worker read so many inputs. Rejects at the first that fails, or when it no longer answers. */
function fuzz(worker: Worker, order: FuzzOrder): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    let done = 0;
    let patience: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(patience);
      patience = setTimeout(() => {
        const { target, seed } = order;
        reject(new Error(`${target} hangs within 100 seeds of ${seed + done}`));
      }, PATIENCE_MS);
    };
    const end = (settle: () => void) => {
      clearTimeout(patience);
      settle();
    };
    worker.onmessage = ({ data }: MessageEvent<FuzzAnswer>) => {
      done = data.done;
      if (data.failure) end(() => reject(new Error(data.failure)));
      else if (done === order.inputs) end(() => resolve(data));
      else wait();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(() => reject(new Error(event.message)));
    };
    wait();
    worker.postMessage(order);
  });
}

const startWorker = () =>
  new Worker(new URL("./testing/fuzz_worker.ts", import.meta.url), {
    type: "module",
  });

Deno.test("no input makes a parser throw anything but its own error, hang, or take memory beyond a bound", async (t) => {
  let worker = startWorker();
  for (const [target, { share }] of Object.entries(await fuzzTargets())) {
    const inputs = Math.ceil(INPUTS * share);
    const passed = await t.step(`${target}: ${inputs} inputs`, async () => {
      const { accepted } = await fuzz(worker, { target, seed: SEED, inputs });
      assert(accepted < inputs, "some are refused");
    });
    if (passed) continue;
    worker.terminate();
    worker = startWorker();
  }
  worker.terminate();
});
