/**
 * The Signal Protocol: ours in Deno and in Chromium, native libsignal beside it.
 *   deno run -A bench/signal.ts [--samples 400] [--no-chromium]
 * Chromium is taken from CHROMIUM, else /usr/bin/chromium.
 */
import { LibsignalParty } from "../lib/signal/testing/libsignal_party.ts";
import { printTable, type Row } from "./page_table.ts";
import { runInChromium } from "./signal_chromium.ts";
import {
  measureOurs,
  measureSignal,
  OPERATIONS,
  type SafetyNumberTimes,
  type SignalTimes,
  SIZES,
} from "./signal_ops.ts";

type Wanted = Partial<
  Record<keyof typeof OPERATIONS, { atLeast: number; aim: number }>
>;

/** Milliseconds in Chromium. */
const IN_CHROMIUM: Wanted = {
  steady: { atLeast: 1, aim: 0.3 },
  step: { atLeast: 2, aim: 0.8 },
  setUp: { atLeast: 15, aim: 6 },
};
/** In Deno, times of libsignal for the same work. */
const BESIDE_LIBSIGNAL: Wanted = {
  steady: { atLeast: 2, aim: 1 },
  step: { atLeast: 4, aim: 2 },
};

function timesOf(theirs: SignalTimes, wanted: Wanted): Wanted {
  return Object.fromEntries(
    Object.entries(wanted).map(([operation, { atLeast, aim }]) => {
      // The entries of a Wanted have its keys.
      const ms = theirs.ms[operation as keyof typeof OPERATIONS];
      return [operation, { atLeast: atLeast * ms, aim: aim * ms }];
    }),
  );
}

function timeRows(
  ours: SignalTimes,
  theirs: SignalTimes,
  wanted: Wanted,
): Row[] {
  const operations = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]; // the record has exactly these keys
  return operations.map((operation) => ({
    what: OPERATIONS[operation],
    value: ours.ms[operation],
    unit: "ms",
    beside: theirs.ms[operation],
    ...wanted[operation],
  }));
}

function sizeRows(ours: SignalTimes, theirs: SignalTimes): Row[] {
  const messages = Object.keys(SIZES) as (keyof typeof SIZES)[]; // the record has exactly these keys
  return messages.map((message) => ({
    what: SIZES[message],
    value: ours.bytes[message],
    unit: "B",
    beside: theirs.bytes[message],
  }));
}

function printSafetyNumber(times: SafetyNumberTimes): void {
  const { whole, longestTask, idle } = times;
  printTable(
    "A safety number in Chromium",
    [
      { what: "median", value: whole, unit: "ms" },
      {
        what: "longest task, median",
        value: longestTask,
        unit: "ms",
        beside: idle,
        atLeast: 16,
      },
    ],
    "the longest while nothing is computed",
  );
}

function option(name: string, fallback: number): number {
  const at = Deno.args.indexOf(name);
  return at < 0 ? fallback : Number(Deno.args[at + 1]);
}

const WAYS = [
  ["sessions through their stored form", true],
  ["sessions kept in memory", false],
] as const;
const SAFETY_NUMBERS = 20;

if (import.meta.main) {
  const samples = option("--samples", 400);
  const libsignal = await measureSignal(
    () => Promise.resolve(new LibsignalParty()),
    samples,
  );
  const beside = "native libsignal in Deno, records through their stored form";
  let ours = libsignal;
  for (const [way, stored] of WAYS) {
    ours = await measureOurs(stored, samples);
    const wanted = timesOf(libsignal, BESIDE_LIBSIGNAL);
    const rows = timeRows(ours, libsignal, wanted);
    printTable(`Signal in Deno, medians, ${way}`, rows, beside);
  }
  printTable("On the wire, medians", sizeRows(ours, libsignal), "libsignal");
  if (!Deno.args.includes("--no-chromium")) {
    for (const [way, stored] of WAYS) {
      const { times, safetyNumber } = await runInChromium(
        stored,
        samples,
        SAFETY_NUMBERS,
      );
      const rows = timeRows(times, libsignal, IN_CHROMIUM);
      printTable(`Signal in Chromium, medians, ${way}`, rows, beside);
      if (stored) printSafetyNumber(safetyNumber);
    }
  }
}
