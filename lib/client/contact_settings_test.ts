import assert from "node:assert/strict";
import {
  decided,
  knownIdentity,
  newSettings,
  verificationOf,
} from "./contact_settings.ts";
import {
  deriveAccount,
  newAccessKey,
  newDevice,
  publicDevice,
  signDeviceList,
} from "./keys/mod.ts";

const STAMP = { now: 1_000, device: 1 };

/** Somebody with so many devices, and a way to change them. */
async function someone(devices: number) {
  const { accountId, accountKey } = await deriveAccount(newAccessKey());
  const all = await Promise.all(
    Array.from({ length: devices }, (_, i) => newDevice(i + 1)),
  );
  const first = signDeviceList({
    accountId,
    accountKey,
    devices: all.map(publicDevice),
  });
  return {
    accountKey: accountKey.publicKey,
    deviceList: first,
    with: (which: readonly number[]) => ({
      accountKey: accountKey.publicKey,
      deviceList: signDeviceList({
        accountId,
        accountKey,
        devices: all.filter(({ id }) => which.includes(id)).map(publicDevice),
        before: first,
      }),
    }),
  };
}

Deno.test("a decision changes its own field and stamps it", async () => {
  const settings = newSettings(await someone(1));
  const muted = decided(settings, { muted: true }, STAMP);
  assert.deepEqual(muted, {
    ...settings,
    muted: { value: true, time: 1_000, device: 1 },
  });
  const both = decided(muted, { muted: false, name: "Bo" }, STAMP);
  assert.deepEqual(both.muted, { value: false, time: 1_001, device: 1 });
  assert.deepEqual(both.name, { value: "Bo", time: 1_000, device: 1 });
  assert.deepEqual(both.archived, settings.archived);
});

Deno.test("a mark holds for the account key and the devices it was given for", async () => {
  const known = await someone(2);
  const settings = decided(
    newSettings(known),
    { identity: knownIdentity(known, true) },
    STAMP,
  );
  assert.equal(verificationOf(settings, known), "verified");
  assert.equal(verificationOf(settings, known.with([1])), "verified");
  const other = await someone(1);
  assert.equal(verificationOf(settings, other), "new-number");
});

Deno.test("a device more is a device unknown, whether or not the number was compared", async () => {
  const known = await someone(2);
  const one = known.with([1]);
  for (const verified of [true, false]) {
    const settings = decided(
      newSettings(one),
      { identity: knownIdentity(one, verified) },
      STAMP,
    );
    assert.equal(verificationOf(settings, known.with([1, 2])), "new-device");
  }
  assert.equal(verificationOf(newSettings(one), one), "unverified");
});
