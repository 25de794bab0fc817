/**
 * The Signal Protocol: ours in Deno and in Chromium, native libsignal beside it.
 *   deno run -A bench/signal.ts [--samples 400] [--no-chromium]
 * Chromium is taken from CHROMIUM, else /usr/bin/chromium.
 */
import { LibsignalParty } from "../lib/signal/testing/libsignal_party.ts";
import { runInChromium } from "./signal_chromium.ts";
import {
  measureOurs,
  measureSignal,
  OPERATIONS,
  type SignalTimes,
} from "./signal_ops.ts";

type Column = { readonly title: string; readonly times: SignalTimes };

/** Rows of operations, columns of implementations; the first column is what the ratios refer to. */
function printTable(columns: readonly Column[]): void {
  const [reference] = columns;
  const operations = Object.keys(OPERATIONS) as (keyof SignalTimes)[]; // the record has exactly these keys
  console.log(
    "Signal Protocol, median ms (ratio to libsignal). Ours: sessions through their stored form, and kept in memory.",
  );
  console.log(
    ["".padEnd(60), ...columns.map(({ title }) => title.padStart(24))].join(""),
  );
  for (const operation of operations) {
    const cells = columns.map(({ times }, i) => {
      const ratio = times[operation] / reference.times[operation];
      const text = times[operation].toFixed(3) +
        (i === 0 ? "" : ` (${ratio.toFixed(2)}x)`);
      return text.padStart(24);
    });
    console.log(OPERATIONS[operation].padEnd(60) + cells.join(""));
  }
}

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(name);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

if (import.meta.main) {
  const samples = option("--samples", 400);
  const columns: Column[] = [
    {
      title: "libsignal (Deno)",
      times: await measureSignal(
        () => Promise.resolve(new LibsignalParty()),
        samples,
      ),
    },
    { title: "stored (Deno)", times: await measureOurs(true, samples) },
    {
      title: "in memory (Deno)",
      times: await measureOurs(false, samples),
    },
  ];
  if (!Deno.args.includes("--no-chromium")) {
    for (
      const [title, stored] of [["stored", true], ["in memory", false]] as const
    ) {
      const times = await runInChromium(stored, samples);
      columns.push({ title: `${title} (Chromium)`, times });
    }
  }
  printTable(columns);
}
