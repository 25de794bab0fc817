import { isDisplayName } from "../display_name.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { MalformedError } from "../keys/mod.ts";
import {
  type Card,
  CARD_SIZES,
  CardTooLargeError,
  encodeCard,
  parseCard,
} from "./card.ts";
import { newPerson } from "./test_people.ts";

const alice = await newPerson("Alice");
const bob = await newPerson("Bob");
const changed = (changes: Partial<Card>): Card => ({
  ...alice.card,
  ...changes,
});

Deno.test("a card is read back whole", async () => {
  assert.deepEqual(await parseCard(encodeCard(alice.card)), alice.card);
  const wordless = await newPerson("👩🏽‍🚀 سلام", { bundles: 0 });
  assert.deepEqual(await parseCard(encodeCard(wordless.card)), wordless.card);
});

Deno.test("a one-time prekey is optional", async () => {
  const [device] = alice.card.devices;
  const bundles = device.bundles.map((bundle) => ({
    ...bundle,
    preKey: undefined,
  }));
  const card = changed({ devices: [{ ...device, bundles }] });
  assert.deepEqual(await parseCard(encodeCard(card)), card);
});

Deno.test("cards have one of three sizes, whatever is in them", async () => {
  const sizes = new Set<number>();
  for (
    const [name, deviceCount, bundles] of [
      ["A", 1, 0],
      ["A".repeat(64), 1, 1],
      ["Ä".repeat(64), 1, 2],
      ["👩".repeat(64), 1, 4],
      ["A", 5, 1],
    ] as const
  ) {
    const person = await newPerson(name, { deviceCount, bundles });
    const bytes = encodeCard(person.card);
    assert.ok(CARD_SIZES.includes(bytes.length));
    assert.deepEqual(await parseCard(bytes), person.card);
    sizes.add(bytes.length);
  }
  assert.equal(encodeCard(alice.card).length, 4096);
  assert.ok(sizes.size > 1);
});

Deno.test("a card that does not fit says so", async () => {
  const crowd = await newPerson("Crowd", { deviceCount: 8, bundles: 1 });
  assert.throws(() => encodeCard(crowd.card), CardTooLargeError);
});

Deno.test("a card that contradicts itself is not made", () => {
  const [device] = alice.card.devices;
  for (
    const card of [
      changed({ displayName: "" }),
      changed({ displayName: " Alice" }),
      changed({ accountId: bob.card.accountId }),
      changed({ accountKey: bob.card.accountKey }),
      changed({ devices: [] }),
      changed({ devices: bob.card.devices.concat(alice.card.devices) }),
      changed({
        devices: [{ ...device, bundles: Array(5).fill(device.bundles[0]) }],
      }),
      changed({
        accountQueue: { ...alice.card.accountQueue, relayUrl: "relay" },
      }),
    ]
  ) assert.throws(() => encodeCard(card), MalformedError);
});

Deno.test("a card with someone else's list, or another key, is refused", async () => {
  const list = encodeCard(alice.card);
  const foreign = encodeCard(bob.card);
  const mine = alice.card.deviceList.bytes;
  const theirs = bob.card.deviceList.bytes;
  await assert.rejects(parseCard(spliced(list, mine, theirs)), MalformedError);
  await assert.rejects(
    parseCard(spliced(list, alice.card.accountKey, bob.card.accountKey)),
    MalformedError,
  );
  await assert.rejects(
    parseCard(spliced(foreign, theirs, mine)),
    MalformedError,
  );
});

/** `bytes` with one stretch replaced by another of the same length. */
function spliced(
  bytes: Uint8Array,
  old: Uint8Array,
  other: Uint8Array,
): Uint8Array {
  const at = bytes.findIndex((_, start) =>
    old.every((byte, index) => bytes[start + index] === byte)
  );
  assert.ok(at >= 0, "the stretch is in the bytes");
  const result = bytes.slice();
  result.set(other.subarray(0, old.length), at);
  return result;
}

Deno.test("size, length and padding are checked", async () => {
  const bytes = encodeCard(alice.card);
  const last = bytes.slice();
  last[last.length - 1] = 1;
  const longer = bytes.slice();
  longer.set([0xff, 0xff, 0xff, 0xff]);
  const over = bytes.slice();
  new DataView(over.buffer).setUint32(0, bytes.length);
  for (
    const wrong of [
      new Uint8Array(0),
      bytes.subarray(1),
      bytes.subarray(0, 4095),
      Uint8Array.of(...bytes, 0),
      last,
      longer,
      over,
      new Uint8Array(4096),
    ]
  ) await assert.rejects(parseCard(wrong), MalformedError);
});

Deno.test("whatever byte of a card is changed, what comes out is an error or a card", async () => {
  const bytes = encodeCard(alice.card);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(3000),
      fc.integer({ min: 1, max: 255 }),
      async (at, by) => {
        const wrong = bytes.slice();
        wrong[at] ^= by;
        try {
          const card = await parseCard(wrong);
          assert.equal(card.accountId, alice.card.accountId);
          assert.deepEqual(card.deviceList.hash, alice.card.deviceList.hash);
        } catch (error) {
          assert.ok(error instanceof MalformedError, String(error));
        }
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("names are 1..64 visible characters that can't dress up what is around them", () => {
  for (
    const name of [
      "A",
      "Zoë",
      "Zoe\u0308\u0323",
      "རྒྱལ་མཚན",
      "李小龍",
      "סבתא",
      "👩🏽‍🚀",
      "x".repeat(64),
      "!",
      "\u3164A",
    ]
  ) assert.equal(isDisplayName(name), true, name);
  for (
    const name of [
      "",
      " ",
      "\u200b",
      "\u115f",
      "\u1160",
      "\u3164",
      "\uffa0",
      "\u2800",
      "\u{1d159}",
      "\u3164 \u2800\ufe0f\u200d\u3164",
      " A",
      "A ",
      "A\n",
      "A\nB",
      "A\u0000B",
      "A\u202eB",
      "A\u200fB",
      "\u061cA",
      "A" + "\u0301".repeat(7),
      "\u2066A",
      "A\u2028B",
      "\ud800",
      "x".repeat(65),
      "👩".repeat(65),
    ]
  ) assert.equal(isDisplayName(name), false, JSON.stringify(name));
});
