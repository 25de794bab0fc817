/** Sessions that official libsignal begins with bundles of our stock of prekeys. */
import assert from "node:assert/strict";
import { bytesToUtf8, utf8ToBytes } from "@noble/ciphers/utils.js";
import {
  type Address,
  type CiphertextMessage,
  createPreKeyStock,
  decrypt,
  encrypt,
  generateKeyPair,
  giveBundle,
  keepUpPreKeyStock,
  lastResortBundle,
  parsePreKeyStock,
  type PreKeyBundle,
  preKeySourceOf,
  serializePreKeyStock,
  SignalError,
  usePreKeys,
} from "./mod.ts";
import { KEPT_MS, ROTATION_MS } from "./prekey_upkeep.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { randomAddress, START } from "./testing/party.ts";
import { write } from "./testing/text.ts";

/** A device with nothing but its stock, which is stored at every step. It keeps no session. */
async function newDevice() {
  const identity = await generateKeyPair();
  const local = { identity, registrationId: 5, address: randomAddress() };
  let stored = serializePreKeyStock(await createPreKeyStock(identity, START));
  return {
    address: local.address,
    give(): PreKeyBundle {
      const given = giveBundle(parsePreKeyStock(stored), local);
      assert(given, "a bundle is given");
      stored = serializePreKeyStock(given.stock);
      return given.bundle;
    },
    lastResort: () => lastResortBundle(parsePreKeyStock(stored), local),
    async keepUp(now: number) {
      const stock = parsePreKeyStock(stored);
      const times = { now, caughtUp: now };
      stored = serializePreKeyStock(
        await keepUpPreKeyStock(stock, identity, times),
      );
    },
    /** What a first message says, and an answer to it. */
    async hear(remote: Address, message: CiphertextMessage) {
      const stock = parsePreKeyStock(stored);
      const preKeys = preKeySourceOf(stock);
      const heard = await decrypt({ local, remote, message, preKeys });
      assert(heard.used, "a session has begun");
      stored = serializePreKeyStock(usePreKeys(stock, heard.used));
      const answer = await encrypt({
        local,
        remote,
        session: heard.session,
        plaintext: utf8ToBytes("answer"),
        now: START,
      });
      return { text: bytesToUtf8(heard.plaintext), answer: answer.message };
    },
  };
}

type Device = Awaited<ReturnType<typeof newDevice>>;

async function begin(device: Device, bundle: PreKeyBundle, text: string) {
  const somebody = new LibsignalParty();
  await somebody.begin(device.address, bundle);
  return { somebody, message: await write(somebody, device.address, text) };
}

/** libsignal begins with the bundle, and both understand each other. */
async function converse(device: Device, bundle: PreKeyBundle) {
  const { somebody, message } = await begin(device, bundle, "first");
  const { text, answer } = await device.hear(somebody.address, message);
  assert.equal(text, "first");
  const heard = await somebody.receive(device.address, answer);
  assert.equal(bytesToUtf8(heard), "answer");
  return { remote: somebody.address, message };
}

const refuses =
  (device: Device, from: Address, message: CiphertextMessage) =>
  (code: SignalError["code"]) =>
    assert.rejects(device.hear(from, message), new SignalError(code));

Deno.test("libsignal begins with bundles of our stock, one-time and last resort, each as often as it may", async () => {
  const device = await newDevice();
  for (let i = 0; i < 3; i++) {
    const bundle = device.give();
    const { remote, message } = await converse(device, bundle);
    await refuses(device, remote, message)("unknown-prekey");
    const late = await begin(device, bundle, "the same bundle again");
    await refuses(device, late.somebody.address, late.message)(
      "unknown-prekey",
    );
  }
  const bundle = device.lastResort();
  for (let i = 0; i < 3; i++) await converse(device, bundle);
});

Deno.test("the last resort refuses libsignal's first message when it is replayed, also after a rotation", async () => {
  const device = await newDevice();
  const { remote, message } = await converse(device, device.lastResort());
  await refuses(device, remote, message)("duplicate");
  await device.keepUp(START + ROTATION_MS);
  await refuses(device, remote, message)("duplicate");
  await converse(device, device.lastResort());
});

Deno.test("a bundle taken before a rotation is good for thirty days after it, and then no more", async () => {
  const device = await newDevice();
  const bundles = [device.give(), device.lastResort()];
  const late = [
    await begin(device, device.give(), "late"),
    await begin(device, device.lastResort(), "late"),
  ];
  await device.keepUp(START + ROTATION_MS);
  await device.keepUp(START + ROTATION_MS + KEPT_MS - 1);
  for (const bundle of bundles) await converse(device, bundle);
  await device.keepUp(START + ROTATION_MS + KEPT_MS);
  for (const { somebody, message } of late) {
    await refuses(device, somebody.address, message)("unknown-prekey");
  }
  await converse(device, device.give());
});
