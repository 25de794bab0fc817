import { deepEqual, equal } from "node:assert/strict";
import { testFiles, TIERS } from "./tiers.ts";

const tierOf = (file: string) =>
  TIERS.filter((tier) => tier.has(file)).map((tier) => tier.name);

Deno.test("a test file is in exactly one tier, by its name and place", () => {
  deepEqual(tierOf("lib/wire/frame_test.ts"), ["unit"]);
  deepEqual(tierOf("lib/signal/session_test.ts"), ["covered"]);
  deepEqual(tierOf("lib/signal/fuzz_test.ts"), ["thorough"]);
  deepEqual(tierOf("lib/client/crash_test.ts"), ["thorough"]);
  deepEqual(tierOf("lib/signal/vectors_test.ts"), ["unit"]);
  deepEqual(tierOf("tests/browser/relay_crash_test.ts"), ["browser"]);
  deepEqual(tierOf("lib/signal/interop_test.ts"), ["interop"]);
  deepEqual(tierOf("lib/signal/spqr/interop_libsignal_test.ts"), ["interop"]);
  deepEqual(tierOf("tests/browser/interop_test.ts"), ["browser"]);
  deepEqual(tierOf("tests/tor/onion_test.ts"), ["tor"]);
  deepEqual(tierOf("tests/networks/three_relays_test.ts"), ["networks"]);
  deepEqual(tierOf("lib/interop_notes/format_test.ts"), ["unit"]);
});

Deno.test("the test files of this project are found, this one among them", async () => {
  const files = await testFiles(Deno.cwd());
  equal(files.includes("tests/runner/tiers_test.ts"), true);
  equal(files.some((file) => file.includes("node_modules")), false);
});
