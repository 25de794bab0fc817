import assert from "node:assert/strict";
import { type Command, decodeFrame, encodeFrame, WireError } from "./mod.ts";

const filled = (size: number) => new Uint8Array(size).fill(7);

/** Whether the frame of a command is one. */
function isRead(command: Command): boolean {
  const [frame] = encodeFrame([command]);
  try {
    return decodeFrame(frame).length === 1;
  } catch (error) {
    assert.ok(error instanceof WireError && error.code === "malformed");
    return false;
  }
}

Deno.test("no bundle is empty, nor a last resort, but where it is left as it is", () => {
  const put = { type: "PUT", request: 1, signature: filled(64) } as const;
  const make = (lastResort: Uint8Array, bundles: Uint8Array[]) =>
    isRead({
      ...put,
      about: "pool",
      takeKey: filled(32),
      ownKey: filled(32),
      work: 0n,
      lastResort,
      bundles,
    });
  const fill = (lastResort: Uint8Array, bundles: Uint8Array[]) =>
    isRead({
      ...put,
      about: "bundles",
      pool: filled(16),
      base: 1,
      discard: false,
      lastResort,
      bundles,
    });
  const [some, none] = [filled(9), new Uint8Array()];
  assert.deepEqual(
    [make(some, []), make(some, [some]), fill(none, [some]), fill(none, [])],
    [true, true, true, true],
  );
  assert.deepEqual(
    [make(none, [some]), make(some, [some, none]), fill(some, [none])],
    [false, false, false],
  );
});
