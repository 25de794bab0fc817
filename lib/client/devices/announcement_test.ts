import assert from "node:assert/strict";
import { randomBytes } from "@noble/hashes/utils.js";
import {
  generateKeyPair,
  generateKyberPreKey,
  generatePreKey,
  generateSignedPreKey,
  type PreKeyBundle,
} from "../../signal/mod.ts";
import {
  addressOf,
  deriveAccount,
  DeviceListError,
  encodeAddress,
  MalformedError,
  newAccessKey,
  newDevice,
  newQueue,
  publicDevice,
  signDeviceList,
  signSuccession,
} from "../keys/mod.ts";
import { ANNOUNCEMENT, openEnvelope, sealEnvelope } from "../content/mod.ts";
import { readAnnouncement, signAnnouncement } from "./announcement.ts";

async function announced(recipients = 1) {
  const account = deriveAccount(newAccessKey());
  const device = await newDevice(2);
  const deviceList = signDeviceList({
    accountId: account.accountId,
    accountKey: account.accountKey,
    devices: [publicDevice(device), publicDevice(await newDevice(1))],
  });
  const relay = { url: "https://relay.example", key: randomBytes(32) };
  const to = deriveAccount(newAccessKey()).accountId;
  const said = {
    from: account.accountId,
    to,
    time: 1_790_000_000_000,
    deviceList,
    address: addressOf(await newQueue(), relay),
    accountAddress: addressOf(await newQueue(), relay),
    backupVersion: 7,
    bundles: new Map<number, PreKeyBundle>(),
    successions: new Array<Uint8Array>(),
    heard: { deviceList: randomBytes(200), backupVersion: 3 },
  };
  const signed = await generateSignedPreKey(1, device.identity);
  for (let id = 1; id <= recipients; id++) {
    const kyber = await generateKyberPreKey(id, device.identity);
    const preKey = await generatePreKey(id);
    said.bundles.set(id, {
      registrationId: device.registrationId,
      deviceId: 2,
      identityKey: device.identity.publicKey,
      signedPreKey: {
        id: 1,
        publicKey: signed.keyPair.publicKey,
        signature: signed.signature,
      },
      kyberPreKey: {
        id,
        publicKey: kyber.publicKey,
        signature: kyber.signature,
      },
      preKey: { id, publicKey: preKey.keyPair.publicKey },
    });
  }
  const from = {
    accountId: account.accountId,
    accountKey: account.accountKey.publicKey,
  };
  return { account, device, said, from, to };
}

Deno.test("an announcement says to its recipient what the device said", async () => {
  const { device, said, from, to } = await announced(2);
  const read = await readAnnouncement(signAnnouncement(said, device), from, to);
  const { address, accountAddress, accountKey, deviceList, ...rest } = read;
  assert.ok(address);
  assert.deepEqual(accountKey, from.accountKey);
  assert.deepEqual(encodeAddress(address), encodeAddress(said.address));
  assert.ok(accountAddress);
  assert.deepEqual(
    encodeAddress(accountAddress),
    encodeAddress(said.accountAddress),
  );
  assert.deepEqual(deviceList.hash, said.deviceList.hash);
  assert.deepEqual(rest, {
    from: said.from,
    to,
    time: said.time,
    device: publicDevice(device),
    backupVersion: 7,
    bundles: said.bundles,
    successions: [],
    heard: said.heard,
  });
});

Deno.test("an announcement with bundles for eight devices fits an envelope", async () => {
  const { device, said } = await announced(8);
  const bytes = signAnnouncement(said, device);
  const key = { sealKey: randomBytes(32), queue: randomBytes(16) };
  const envelope = sealEnvelope(key, 2, { type: ANNOUNCEMENT, bytes });
  assert.equal(envelope.length, 16_352);
  assert.deepEqual(openEnvelope(key, envelope), {
    senderDevice: 2,
    message: { type: ANNOUNCEMENT, bytes },
  });
});

Deno.test("an announcement is believed only as its device signed it, for whom, and with the account's list", async () => {
  const { device, said, from, to } = await announced();
  const bytes = signAnnouncement(said, device);
  const other = await announced();
  const refused = (
    read: Promise<unknown>,
    error: typeof MalformedError | typeof DeviceListError,
  ) => assert.rejects(read, error);
  // Passed on to somebody else, or said to be another's.
  await refused(readAnnouncement(bytes, from, other.to), MalformedError);
  await refused(readAnnouncement(bytes, other.from, to), DeviceListError);
  // Signed by who is not in the list under that id.
  const impostor = { ...device, identity: (await newDevice(2)).identity };
  await refused(
    readAnnouncement(signAnnouncement(said, impostor), from, to),
    MalformedError,
  );
  const unlisted = await newDevice(3);
  await refused(
    readAnnouncement(signAnnouncement(said, unlisted), from, to),
    MalformedError,
  );
  // A list that another account's key signed.
  const foreign = { ...said, deviceList: other.said.deviceList };
  await refused(
    readAnnouncement(signAnnouncement(foreign, device), from, to),
    DeviceListError,
  );
  // Changed anywhere on the way.
  for (let at = 0; at < bytes.length; at += 97) {
    const changed = bytes.slice();
    changed[at] ^= 1;
    await assert.rejects(readAnnouncement(changed, from, to));
  }
  await assert.rejects(readAnnouncement(bytes.subarray(0, 500), from, to));
});

Deno.test("an announcement under the next key is believed by whoever knows the key before, and one under the key before by nobody who knows the next", async () => {
  const { account, device, said, from, to } = await announced(1);
  const next = await generateKeyPair();
  const { accountId } = account;
  const succession = signSuccession(
    accountId,
    account.accountKey,
    next.publicKey,
  );
  const later = {
    ...said,
    successions: [succession],
    deviceList: signDeviceList({
      accountId,
      accountKey: next,
      devices: [publicDevice(device)],
      before: said.deviceList,
    }),
  };
  const known = { accountId, accountKey: next.publicKey };
  const bytes = signAnnouncement(later, device);
  for (const identity of [from, known]) {
    const read = await readAnnouncement(bytes, identity, to);
    assert.deepEqual(read.accountKey, next.publicKey);
  }
  for (const successions of [[], [succession]]) {
    const early = signAnnouncement({ ...said, successions }, device);
    await assert.rejects(readAnnouncement(early, known, to), DeviceListError);
  }
  // Part of the chain shows nobody else whose key it is.
  const last = await generateKeyPair();
  const second = signSuccession(accountId, next, last.publicKey);
  const listed = {
    accountId,
    accountKey: last,
    devices: [publicDevice(device)],
  };
  const deviceList = signDeviceList({ ...listed, before: later.deviceList });
  const whole = { ...later, deviceList, successions: [succession, second] };
  const { successions } = await readAnnouncement(
    signAnnouncement(whole, device),
    known,
    to,
  );
  assert.deepEqual(successions, [succession, second]);
  const part = signAnnouncement({ ...whole, successions: [second] }, device);
  await assert.rejects(readAnnouncement(part, known, to), MalformedError);
  const without = signAnnouncement({ ...later, successions: [] }, device);
  await assert.rejects(readAnnouncement(without, from, to), DeviceListError);
});
