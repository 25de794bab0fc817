import assert from "node:assert/strict";
import { restamped, unchosen } from "./stamped.ts";

Deno.test("a choice is later than the one it was made upon, also by a clock that went back", () => {
  const first = restamped(unchosen(""), "Bo", { now: 5_000, device: 2 });
  assert.deepEqual(first, { value: "Bo", time: 5_000, device: 2 });
  const second = restamped(first, "Bobby", { now: 3_000, device: 1 });
  assert.deepEqual(second, { value: "Bobby", time: 5_001, device: 1 });
});
