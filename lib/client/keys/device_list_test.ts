import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "@noble/hashes/utils.js";
import { sign } from "../../signal/mod.ts";
import { newAccessKey } from "./access_key.ts";
import { type Account, deriveAccount } from "./account.ts";
import { type Device, newDevice, publicDevice } from "./device.ts";
import {
  compareClaim,
  compareDeviceLists,
  type DeviceList,
  DeviceListError,
  encodeContent,
  SIGNATURE_LABEL,
  verifyDeviceList,
} from "./device_list.ts";
import { MalformedError, writeMessage } from "./protobuf.ts";
import { signDeviceList } from "./sign_device_list.ts";

const device = async (id: number) => publicDevice(await newDevice(id));

function listOf(
  account: Account,
  devices: readonly Device[],
  before?: DeviceList,
): DeviceList {
  const { accountId, accountKey } = account;
  return signDeviceList({ accountId, accountKey, devices, before });
}

const expected = ({ accountId, accountKey }: Account) => ({
  accountId,
  accountKey: accountKey.publicKey,
});

const refusedAs = (code: DeviceListError["code"]) => (error: unknown) =>
  error instanceof DeviceListError && error.code === code;

Deno.test("a signed list verifies and says what it said", async () => {
  const account = deriveAccount(newAccessKey());
  const devices = [await device(7), await device(1), await device(127)];
  const made = listOf(account, devices);
  const read = await verifyDeviceList(made.bytes, expected(account));
  assert.deepEqual(read, made);
  assert.equal(read.version, 1);
  assert.equal(read.previous, undefined);
  assert.deepEqual(
    read.devices,
    devices.toSorted((a, b) => a.id - b.id),
  );
});

Deno.test("lists form a chain by the hash of the one before", async () => {
  const account = deriveAccount(newAccessKey());
  const first = listOf(account, [await device(1)]);
  const second = listOf(
    account,
    [...first.devices, await device(2)],
    first,
  );
  assert.equal(second.version, 2);
  assert.deepEqual(second.previous, first.hash);
  assert.notDeepEqual(second.hash, first.hash);
});

Deno.test("the hash is of the content: signing again does not change it", async () => {
  const account = deriveAccount(newAccessKey());
  const devices = [await device(1)];
  const [one, two] = [listOf(account, devices), listOf(account, devices)];
  assert.notDeepEqual(one.bytes, two.bytes);
  assert.deepEqual(one.hash, two.hash);
  assert.equal(compareDeviceLists(one, two), "same");
});

Deno.test("a list of another account, or signed by another key, is refused", async () => {
  const account = deriveAccount(newAccessKey());
  const thief = deriveAccount(newAccessKey());
  const devices = [await device(1)];
  await assert.rejects(
    verifyDeviceList(listOf(thief, devices).bytes, expected(account)),
    refusedAs("other-account"),
  );
  const forged = listOf({ ...thief, accountId: account.accountId }, devices);
  await assert.rejects(
    verifyDeviceList(forged.bytes, expected(account)),
    refusedAs("invalid-signature"),
  );
  assert.throws(
    () => listOf(thief, devices, listOf(account, devices)),
    refusedAs("other-account"),
  );
});

Deno.test("no changed, missing or added byte of a list is believed", async () => {
  const account = deriveAccount(newAccessKey());
  const { bytes } = listOf(account, [await device(1), await device(2)]);
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1;
    await assert.rejects(
      verifyDeviceList(changed, expected(account)),
      DeviceListError,
    );
    await assert.rejects(
      verifyDeviceList(bytes.slice(0, at), expected(account)),
      refusedAs("malformed"),
    );
  }
});

Deno.test("random bytes are malformed, and nothing else", async () => {
  const account = expected(deriveAccount(newAccessKey()));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await assert.rejects(
        verifyDeviceList(bytes, account),
        refusedAs("malformed"),
      );
    }),
    { numRuns: 300 },
  );
});

Deno.test("a list that breaks a rule can't even be signed", async () => {
  const account = deriveAccount(newAccessKey());
  const good = await device(1);
  const cases: Device[][] = [
    [],
    [good, await device(1)],
    [good, { ...good, id: 2 }],
    [{ ...good, id: 0 }],
    [{ ...good, id: 128 }],
    [{ ...good, registrationId: 0 }],
    [{ ...good, registrationId: 0x4000 }],
    [{ ...good, identityKey: good.identityKey.subarray(1) }],
    [{ ...good, identityKey: Uint8Array.of(6, ...good.identityKey.slice(1)) }],
  ];
  for (const devices of cases) {
    assert.throws(() => listOf(account, devices), MalformedError);
  }
});

Deno.test("newer, same, older and forked lists are told apart", async () => {
  const account = deriveAccount(newAccessKey());
  const one = listOf(account, [await device(1)]);
  const two = listOf(account, [...one.devices, await device(2)], one);
  const three = listOf(account, [...two.devices, await device(3)], two);
  const otherOne = listOf(account, [await device(1)]);
  const otherTwo = listOf(account, [await device(1)], one);
  const twoOfOther = listOf(account, two.devices, otherOne);

  assert.equal(compareDeviceLists(one, one), "same");
  assert.equal(compareDeviceLists(one, two), "newer");
  assert.equal(compareDeviceLists(two, one), "older");
  assert.equal(compareDeviceLists(one, three), "newer");
  assert.equal(compareDeviceLists(three, one), "older");
  assert.equal(compareDeviceLists(one, otherOne), "forked");
  assert.equal(compareDeviceLists(two, otherTwo), "forked");
  assert.equal(compareDeviceLists(one, twoOfOther), "forked");
  assert.equal(compareDeviceLists(twoOfOther, one), "forked");
});

Deno.test("what a message says of a list, eight bytes of its hash, tells the same", async () => {
  const account = deriveAccount(newAccessKey());
  const one = listOf(account, [await device(1)]);
  const two = listOf(account, [...one.devices, await device(2)], one);
  const three = listOf(account, [...two.devices, await device(3)], two);
  const otherOne = listOf(account, [await device(1)]);
  const otherTwo = listOf(account, [await device(1)], one);
  const claim = ({ version, hash }: typeof one) => ({
    version,
    hash: hash.slice(0, 8),
  });

  assert.equal(compareClaim(one, claim(one)), "same");
  assert.equal(compareClaim(one, claim(two)), "newer");
  assert.equal(compareClaim(two, claim(one)), "older");
  assert.equal(compareClaim(three, claim(one)), "older");
  assert.equal(compareClaim(one, claim(otherOne)), "forked");
  assert.equal(compareClaim(two, claim(otherTwo)), "forked");
  assert.equal(compareClaim(two, claim(otherOne)), "forked");
});

Deno.test("lists of two accounts can't be compared", async () => {
  const devices = [await device(1)];
  assert.throws(
    () =>
      compareDeviceLists(
        listOf(deriveAccount(newAccessKey()), devices),
        listOf(deriveAccount(newAccessKey()), devices),
      ),
    refusedAs("other-account"),
  );
});

Deno.test("a full list of eight devices verifies, and nobody is made to seal for more", async () => {
  const account = deriveAccount(newAccessKey());
  const devices = await Promise.all(
    Array.from({ length: 9 }, (_, i) => device(119 + i)),
  );
  const full = listOf(account, devices.slice(1));
  const read = await verifyDeviceList(full.bytes, expected(account));
  assert.equal(read.devices.length, 8);
  assert.throws(() => listOf(account, devices), MalformedError);
  const { accountId, accountKey } = account;
  const content = encodeContent({ accountId, version: 1, devices });
  const message = concatBytes(SIGNATURE_LABEL, content);
  const more = writeMessage((writer) => {
    writer.writeBytesField(1, content);
    writer.writeBytesField(2, sign(accountKey.privateKey, message));
  });
  await assert.rejects(
    verifyDeviceList(more, expected(account)),
    refusedAs("malformed"),
  );
});
