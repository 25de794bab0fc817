import assert from "node:assert/strict";
import type { Device } from "../keys/mod.ts";
import type { HeardRecord } from "../records.ts";
import { toldBy, withTold } from "./heard.ts";

function device(number: number): Device {
  const identityKey = new Uint8Array(33);
  new DataView(identityKey.buffer).setUint32(0, number);
  return { id: 1, registrationId: 1, identityKey };
}

Deno.test("a contact who never stops changing devices fills no disk, and the last are remembered", () => {
  let heard: HeardRecord | undefined;
  for (let number = 0; number < 1_000; number++) {
    heard = withTold(heard, device(0), { announced: number });
    heard = withTold(heard, device(number + 1), { announced: number });
  }
  assert.equal(Object.keys(heard?.devices ?? {}).length, 64);
  assert.equal(toldBy(heard, device(0)).announced, 999);
  assert.equal(toldBy(heard, device(1_000)).announced, 999);
  assert.equal(toldBy(heard, device(1)).announced, 0);
});

Deno.test("what a device told of one thing leaves what it told of another", () => {
  const first = withTold(undefined, device(1), { announced: 5 });
  const { announced, backupVersion } = toldBy(
    withTold(first, device(1), { backupVersion: 7 }),
    device(1),
  );
  assert.deepEqual([announced, backupVersion], [5, 7]);
});
