/** Which test files belong to which tier, and how long a tier may take. */
import { join, relative } from "node:path";
import type { Coverage } from "./coverage.ts";

export interface Tier {
  readonly name:
    | "unit"
    | "thorough"
    | "covered"
    | "interop"
    | "networks"
    | "tor"
    | "browser";
  readonly minutes: number;
  /** How many files run at once: on two cores three, where tests wait for the disk and for other programs. */
  readonly jobs: number;
  /** What the tier's tests, all together, must cover. */
  readonly coverage?: Coverage;
  has(file: string): boolean;
}

const isBrowser = (file: string) => file.startsWith("tests/browser/");
const isTor = (file: string) => file.startsWith("tests/tor/");
const isNetworks = (file: string) => file.startsWith("tests/networks/");
const isInterop = (file: string) => /(^|\/)interop[^/]*$/.test(file);

/** What goes over everything again and again (deaths at every moment, random orders and inputs), or takes long. */
const THOROUGH = new RegExp(
  `(${
    [
      "admission",
      "another_access_key_devices",
      "come_back",
      "contact_pools",
      "crash",
      "following",
      "fuzz",
      "history",
      "hostile_device",
      "moving",
      "power_cut",
      "prekeys",
      "random_devices",
      "removals_at_once",
      "renewed_own_queues",
      "renewed_queues",
      "repair",
      "schedule",
      "spoiled_backup",
      "standing_beside",
      "stolen_state",
      "stored_bytes",
      "stress",
    ].join("|")
  })_test\\.ts$`,
);
const isThorough = (file: string) =>
  THOROUGH.test(file) && !isBrowser(file) && !isInterop(file);

/** What covers lib/signal by itself, the same in every run: not what goes over it with random inputs. */
const isCovered = (file: string) =>
  file.startsWith("lib/signal/") && !isInterop(file) && !isThorough(file) &&
  !/vectors_test\.ts$/.test(file);

/** In the order they run; every test file is in exactly one. */
export const TIERS: readonly Tier[] = [
  {
    name: "unit",
    minutes: 3,
    jobs: 3,
    has: (file) =>
      ![isBrowser, isTor, isNetworks, isInterop, isCovered, isThorough]
        .some((has) => has(file)),
  },
  { name: "thorough", minutes: 6, jobs: 3, has: isThorough },
  {
    name: "covered",
    minutes: 2,
    jobs: 2,
    coverage: { of: "lib/signal", branches: 95 },
    has: isCovered,
  },
  {
    name: "interop",
    minutes: 4,
    // A run in which two files had loaded libsignal's native code at once ended without a word, once.
    jobs: 1,
    has: (file) => isInterop(file) && !isBrowser(file),
  },
  { name: "networks", minutes: 2, jobs: 1, has: isNetworks },
  { name: "tor", minutes: 3, jobs: 2, has: isTor },
  { name: "browser", minutes: 8, jobs: 3, has: isBrowser },
];

const SKIP: ReadonlySet<string> = new Set([
  "node_modules",
  "dist",
  ".git",
  "static",
  "docs",
]);

/** Every `*_test.ts` and `*_test.tsx` under `root`, relative to it, sorted. */
export async function testFiles(
  root: string,
  folder: string = root,
): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && !SKIP.has(entry.name)) {
      files.push(...await testFiles(root, path));
    }
    if (entry.isFile && /_test\.tsx?$/.test(entry.name)) {
      files.push(relative(root, path).replaceAll("\\", "/"));
    }
  }
  return files.sort();
}
