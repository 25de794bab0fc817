import assert from "node:assert/strict";
import { bytesToUtf8 } from "@noble/ciphers/utils.js";
import { MAX_ANSWERED } from "./answered.ts";
import {
  createPreKeyStock,
  decrypt,
  describePreKeyStock,
  generateKeyPair,
  giveBundle,
  keepUpPreKeyStock,
  lastResortBundle,
  type LocalDevice,
  type PreKeyBundle,
  preKeySourceOf,
  type PreKeyStock,
  SignalError,
  takeBackPreKeys,
  type UsedPreKeys,
  usePreKeys,
} from "./mod.ts";
import { MAX_GIVEN, STOCK } from "./prekey_stock.ts";
import { REFILL_BELOW } from "./prekey_upkeep.ts";
import { OurParty } from "./testing/our_party.ts";
import { randomAddress, START } from "./testing/party.ts";
import { write } from "./testing/text.ts";

async function newDevice(): Promise<
  { local: LocalDevice; stock: PreKeyStock }
> {
  const identity = await generateKeyPair();
  const local = { identity, registrationId: 77, address: randomAddress(3) };
  return { local, stock: await createPreKeyStock(identity, START) };
}

function give(stock: PreKeyStock, local: LocalDevice) {
  const given = giveBundle(stock, local);
  assert(given, "a bundle is given");
  return given;
}

/** A first message of somebody new with this bundle. */
async function begin(bundle: PreKeyBundle, to: LocalDevice, text: string) {
  const somebody = await OurParty.create();
  await somebody.begin(to.address, bundle);
  const message = await write(somebody, to.address, text);
  return { remote: somebody.address, message };
}

type FirstMessage = Awaited<ReturnType<typeof begin>>;

/** What the device makes of it, and its stock afterwards. */
async function hear(
  stock: PreKeyStock,
  local: LocalDevice,
  { remote, message }: FirstMessage,
) {
  const preKeys = preKeySourceOf(stock);
  const heard = await decrypt({ local, remote, message, preKeys });
  assert(heard.used, "a session has begun");
  return {
    text: bytesToUtf8(heard.plaintext),
    used: heard.used,
    stock: usePreKeys(stock, heard.used),
  };
}

const refused = (code: SignalError["code"]) => new SignalError(code);

Deno.test("a new device has a hundred one-time prekeys of each kind, a signed one and a last resort", async () => {
  const { stock, local } = await newDevice();
  const { signedPreKeyId, ...counts } = describePreKeyStock(stock);
  assert.deepEqual(counts, { ready: STOCK, given: 0, replaced: 0 });
  const bundle = lastResortBundle(stock, local);
  assert.equal(bundle.signedPreKey.id, signedPreKeyId);
  assert.equal(bundle.preKey, undefined);
  assert.equal(bundle.registrationId, local.registrationId);
  assert.equal(bundle.deviceId, local.address.deviceId);
});

Deno.test("no two bundles share a one-time prekey, and each begins a session once", async () => {
  const device = await newDevice();
  const { local } = device;
  let { stock } = device;
  const bundles: PreKeyBundle[] = [];
  for (let i = 0; i < 3; i++) {
    const given = give(stock, local);
    stock = given.stock;
    bundles.push(given.bundle);
  }
  const keys = bundles.flatMap(({ preKey, kyberPreKey }) =>
    [preKey!, kyberPreKey].map(({ publicKey }) => publicKey.toHex())
  );
  assert.equal(new Set(keys).size, 6);
  for (const [i, bundle] of bundles.entries()) {
    const first = await begin(bundle, local, `first ${i}`);
    const second = await begin(bundle, local, "second");
    const heard = await hear(stock, local, first);
    assert.equal(heard.text, `first ${i}`);
    stock = heard.stock;
    assert.equal(describePreKeyStock(stock).given, 2 - i);
    for (const again of [first, second]) {
      await assert.rejects(
        hear(stock, local, again),
        refused("unknown-prekey"),
      );
    }
  }
});

Deno.test("two first messages with one bundle, read side by side, keep one session", async () => {
  const { stock: full, local } = await newDevice();
  const { stock, bundle } = give(full, local);
  const [one, other] = [
    await begin(bundle, local, "one"),
    await begin(bundle, local, "other"),
  ];
  const heard = await Promise.all([
    hear(stock, local, one),
    hear(stock, local, other),
  ]);
  assert.throws(
    () => usePreKeys(heard[0].stock, heard[1].used),
    refused("unknown-prekey"),
  );
});

Deno.test("what was not given answers nobody, nor what was taken back", async () => {
  const { stock, local } = await newDevice();
  const { stock: later, bundle } = give(stock, local);
  const first = await begin(bundle, local, "first");
  await assert.rejects(hear(stock, local, first), refused("unknown-prekey"));
  const { id } = bundle.kyberPreKey;
  const back = takeBackPreKeys(later, [id]);
  assert.equal(describePreKeyStock(back).given, 0);
  await assert.rejects(hear(back, local, first), refused("unknown-prekey"));
  assert.equal(takeBackPreKeys(back, [id]), back);
  assert.equal((await hear(later, local, first)).text, "first");
});

Deno.test("the last resort begins any number of sessions, and no first message twice", async () => {
  const device = await newDevice();
  const { local } = device;
  let { stock } = device;
  const bundle = lastResortBundle(stock, local);
  const firsts: FirstMessage[] = [];
  for (let i = 0; i < 3; i++) {
    const first = await begin(bundle, local, `first ${i}`);
    const heard = await hear(stock, local, first);
    assert.equal(heard.text, `first ${i}`);
    stock = heard.stock;
    firsts.push(first);
    for (const again of firsts) {
      await assert.rejects(hear(stock, local, again), refused("duplicate"));
    }
  }
});

Deno.test("the last resort goes on refusing repeats when it has been replaced", async () => {
  const { stock, local } = await newDevice();
  const first = await begin(lastResortBundle(stock, local), local, "first");
  const late = await begin(lastResortBundle(stock, local), local, "late");
  const heard = await hear(stock, local, first);
  const week = { now: START + 8 * DAY, caughtUp: START + 8 * DAY };
  const rotated = await keepUpPreKeyStock(heard.stock, local.identity, week);
  assert.equal(describePreKeyStock(rotated).replaced, 1);
  await assert.rejects(hear(rotated, local, first), refused("duplicate"));
  assert.equal((await hear(rotated, local, late)).text, "late");
});

const DAY = 24 * 60 * 60 * 1000;

/** The stock after so many first messages to its last resort. */
function answerMany(stock: PreKeyStock, used: UsedPreKeys, count: number) {
  for (let i = 0; i < count; i++) {
    const baseKey = crypto.getRandomValues(new Uint8Array(33));
    stock = usePreKeys(stock, { ...used, baseKey });
  }
  return stock;
}

Deno.test("a last resort that remembers as much as it may is replaced, and answers no more rather than forget", async () => {
  const device = await newDevice();
  const { local } = device;
  const bundle = lastResortBundle(device.stock, local);
  const first = await begin(bundle, local, "first");
  const later = await begin(bundle, local, "later");
  const { stock: begun, used } = await hear(device.stock, local, first);
  const half = answerMany(begun, used, MAX_ANSWERED / 2 - 1);
  const times = { now: START, caughtUp: START };
  const other = await keepUpPreKeyStock(half, local.identity, times);
  assert.notEqual(
    lastResortBundle(other, local).kyberPreKey.id,
    bundle.kyberPreKey.id,
  );
  assert.equal((await hear(other, local, later)).text, "later");
  const full = answerMany(other, used, MAX_ANSWERED / 2);
  await assert.rejects(hear(full, local, later), refused("unknown-prekey"));
  assert.throws(
    () => usePreKeys(full, { ...used, baseKey: new Uint8Array(33) }),
    refused("unknown-prekey"),
  );
  // Its signed prekey and the other last resort are not touched by it.
  const fresh = await begin(lastResortBundle(full, local), local, "fresh");
  assert.equal((await hear(full, local, fresh)).text, "fresh");
});

Deno.test("when no pair is ready, or as many as may be are out, none is given until that has changed", async () => {
  const device = await newDevice();
  const { local } = device;
  const times = { now: START, caughtUp: START };
  let { stock } = device;
  const ids: number[] = [];
  for (let i = 0; i < STOCK; i++) {
    const given = give(stock, local);
    stock = given.stock;
    ids.push(given.bundle.kyberPreKey.id);
  }
  assert.equal(giveBundle(stock, local), undefined);
  while (describePreKeyStock(stock).given < MAX_GIVEN) {
    stock = await keepUpPreKeyStock(stock, local.identity, times);
    // As giveBundle does, without making a thousand bundles.
    const { ready, given, standing } = stock;
    const signedPreKeyId = standing[0].signed.id;
    stock = {
      ...stock,
      ready: [],
      given: [...given, ...ready.map((pair) => ({ ...pair, signedPreKeyId }))],
    };
  }
  stock = await keepUpPreKeyStock(stock, local.identity, times);
  assert.equal(describePreKeyStock(stock).ready, STOCK);
  assert.equal(giveBundle(stock, local), undefined);
  give(takeBackPreKeys(stock, ids), local);
});

Deno.test("a message that mixes two bundles uses up both", async () => {
  const { stock: full, local } = await newDevice();
  const one = give(full, local);
  const { stock, bundle: other } = give(one.stock, local);
  const mixed = { ...one.bundle, preKey: other.preKey };
  const heard = await hear(stock, local, await begin(mixed, local, "mixed"));
  assert.equal(describePreKeyStock(heard.stock).given, 0);
  const withLastResort = {
    ...lastResortBundle(stock, local),
    preKey: other.preKey,
  };
  const first = await begin(withLastResort, local, "mixed");
  const afterwards = (await hear(stock, local, first)).stock;
  assert.equal(describePreKeyStock(afterwards).given, 1);
  await assert.rejects(
    hear(afterwards, local, first),
    refused("unknown-prekey"),
  );
});

Deno.test("the stock is filled again when half of it is gone, not before", async () => {
  const device = await newDevice();
  const { local } = device;
  let { stock } = device;
  const times = { now: START, caughtUp: START };
  for (let i = 0; i < STOCK - REFILL_BELOW; i++) {
    stock = give(stock, local).stock;
  }
  assert.equal(
    await keepUpPreKeyStock(stock, local.identity, times),
    stock,
    "nothing to do",
  );
  stock = give(stock, local).stock;
  stock = await keepUpPreKeyStock(stock, local.identity, times);
  assert.equal(describePreKeyStock(stock).ready, STOCK);
});
