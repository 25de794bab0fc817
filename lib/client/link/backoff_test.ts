import assert from "node:assert/strict";
import { backoff, BACKOFF_CEILING_MS, BACKOFF_FLOOR_MS } from "./backoff.ts";

Deno.test("the ceiling of the wait doubles with every failure and ends at a minute", () => {
  const longest = [1, 2, 3, 4, 7, 50, 5000].map((n) => backoff(n, 0.9999999));
  assert.deepEqual(longest.slice(0, 4), [999, 1999, 3999, 7999]);
  assert.equal(longest[4], BACKOFF_CEILING_MS - 1);
  assert.equal(longest[6], BACKOFF_CEILING_MS - 1);
});

Deno.test("the wait is anywhere below the ceiling, but never nothing", () => {
  assert.equal(backoff(4, 0.5), 4000);
  assert.equal(backoff(1, 0), BACKOFF_FLOOR_MS);
});

Deno.test("a ceiling of one's own is kept", () => {
  assert.equal(backoff(3, 0.9999999, 15_000), 3_999);
  assert.equal(backoff(50, 0.9999999, 15_000), 14_999);
});
