import assert from "node:assert/strict";
import { publicKeyOf } from "../../signal/mod.ts";
import {
  encodeOwnDevice,
  newDevice,
  parseOwnDevice,
  publicDevice,
} from "./device.ts";
import { MalformedError } from "./protobuf.ts";

Deno.test("a device is stored and read back with its identity", async () => {
  const device = await newDevice(127);
  const read = await parseOwnDevice(encodeOwnDevice(device));
  assert.deepEqual(read, device);
  assert.deepEqual(
    publicDevice(read).identityKey,
    publicKeyOf(device.identity.privateKey),
  );
});

Deno.test("device ids are 1..127", async () => {
  for (const id of [0, 128, -1, 1.5, NaN]) {
    await assert.rejects(newDevice(id), RangeError);
  }
});

Deno.test("registration ids have 14 bits, are not 0, and differ", async () => {
  const ids = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const { registrationId } = await newDevice(1);
    assert.ok(registrationId >= 1 && registrationId <= 16380);
    ids.add(registrationId);
  }
  assert.ok(ids.size > 90);
});

Deno.test("a truncated record is malformed", async () => {
  const bytes = encodeOwnDevice(await newDevice(1));
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(
      parseOwnDevice(bytes.slice(0, length)),
      MalformedError,
    );
  }
});
