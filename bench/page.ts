/**
 * What a person waits for, in Chromium, with the built program as its own process.
 *   deno run -A bench/page.ts [latency|ready|bytes|long|catch-up…]
 * Chromium is taken from CHROMIUM, else /usr/bin/chromium.
 */
import { measureCatchUp } from "./page_catch_up.ts";
import { measureLatency } from "./page_latency.ts";
import { measureLong } from "./page_long.ts";
import { measureBytes, measureReady } from "./page_ready.ts";

const MEASUREMENTS: Readonly<Record<string, () => Promise<void>>> = {
  latency: measureLatency,
  ready: measureReady,
  bytes: measureBytes,
  long: measureLong,
  "catch-up": measureCatchUp,
};

if (import.meta.main) {
  const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(MEASUREMENTS);
  for (const name of wanted) await MEASUREMENTS[name]();
}
