import assert from "node:assert/strict";
import { FAR_VERSION, follows } from "./believed.ts";
import { type Cells, KINDS, merge, NO_CELLS } from "./cells.ts";

const NOW = Date.UTC(2026, 10, 26);
const TEN_YEARS = 315_360_000_000;

/** A backup in which something was chosen at this time. */
function chosenAt(
  time: number,
  version = 1,
): { version: number; cells: Cells } {
  const cells = merge(NO_CELLS, [{
    kind: KINDS.name,
    subject: new Uint8Array(),
    stamp: { time, device: 1 },
    value: new Uint8Array(),
  }]);
  return { version, cells };
}

Deno.test("no times of too far ahead are followed, and nobody is led there step by step", () => {
  const far = NOW + TEN_YEARS;
  assert.ok(follows(chosenAt(far), chosenAt(NOW), NOW));
  assert.ok(!follows(chosenAt(far + 1), chosenAt(NOW), NOW));
  // What is there already is followed a choice at a time, and no further.
  const there = far + TEN_YEARS;
  assert.ok(follows(chosenAt(there + 1), chosenAt(there), NOW));
  assert.ok(!follows(chosenAt(there + TEN_YEARS), chosenAt(there), NOW));
});

Deno.test("who has a clock that is years behind follows the others", () => {
  const month = 30 * 86_400_000;
  assert.ok(follows(chosenAt(NOW + month), chosenAt(NOW), 0));
});

Deno.test("versions are followed in strides while there is room for them, and then in steps", () => {
  const follow = (next: number, before: number) =>
    follows(chosenAt(NOW, next), chosenAt(NOW, before), NOW);
  assert.ok(follow(1_000_001, 1));
  assert.ok(!follow(1_000_002, 1));
  assert.ok(follow(FAR_VERSION, FAR_VERSION - 1_000_000));
  assert.ok(follow(FAR_VERSION + 100, FAR_VERSION));
  assert.ok(!follow(FAR_VERSION + 101, FAR_VERSION));
});
