import assert from "node:assert/strict";
import {
  createPreKeyStock,
  describePreKeyStock,
  generateKeyPair,
  keepUpPreKeyStock,
  planPreKeyUpkeep,
  type PreKeyStock,
} from "./mod.ts";
import { freePreKeyIds, MAX_PREKEY_ID, randomPreKeyId } from "./prekey_ids.ts";
import { KEPT_MS, ROTATION_MS } from "./prekey_upkeep.ts";
import { START } from "./testing/party.ts";

const identity = await generateKeyPair();
const newStock = () => createPreKeyStock(identity, START);
const signedIds = ({ standing }: PreKeyStock) =>
  standing.map(({ signed }) => signed.id);

/** Upkeep by a device that reads what arrives as it arrives. */
const keepUp = (stock: PreKeyStock, now: number) =>
  keepUpPreKeyStock(stock, identity, { now, caughtUp: now });

Deno.test("the signed and the last-resort prekey are replaced after a week, not before", async () => {
  const stock = await newStock();
  assert.equal(await keepUp(stock, START + ROTATION_MS - 1), stock);
  const rotated = await keepUp(stock, START + ROTATION_MS);
  assert.deepEqual(signedIds(rotated).slice(1), signedIds(stock));
  assert.notDeepEqual(rotated.standing[0].seed, stock.standing[0].seed);
  assert.equal(await keepUp(rotated, START + 2 * ROTATION_MS - 1), rotated);
});

Deno.test("what was replaced is kept for thirty days, not longer, and what was given with it goes too", async () => {
  const stock = await newStock();
  const [pair, ...ready] = stock.ready;
  const [signedPreKeyId] = signedIds(stock);
  const out = { ...stock, ready, given: [{ ...pair, signedPreKeyId }] };
  const replaced = START + ROTATION_MS;
  let kept = await keepUp(out, replaced);
  kept = await keepUp(kept, replaced + KEPT_MS - 1);
  assert(signedIds(kept).includes(signedPreKeyId));
  assert.equal(describePreKeyStock(kept).given, 1);
  const times = { now: replaced + KEPT_MS, caughtUp: replaced + KEPT_MS };
  assert.deepEqual(planPreKeyUpkeep(kept, times).expired, [signedPreKeyId]);
  const dropped = await keepUp(kept, replaced + KEPT_MS);
  assert(!signedIds(dropped).includes(signedPreKeyId));
  assert.equal(describePreKeyStock(dropped).given, 0);
});

Deno.test("who comes back after a year drops nothing before having read what waited", async () => {
  const year = START + 365 * 24 * 60 * 60 * 1000;
  const replaced = START + ROTATION_MS;
  const rotated = await keepUp(await newStock(), replaced);
  const back = await keepUpPreKeyStock(rotated, identity, {
    now: year,
    caughtUp: replaced,
  });
  assert.deepEqual(signedIds(back).slice(1), signedIds(rotated));
  const read = await keepUp(back, year);
  assert.deepEqual(
    signedIds(read),
    signedIds(back).slice(0, 2),
    "only the one that was replaced just now",
  );
});

Deno.test("a clock that was a year ahead keeps no prekey for a year longer", async () => {
  const year = 365 * 24 * 60 * 60 * 1000;
  const ahead = await createPreKeyStock(identity, START + year);
  const ahead2 = await keepUp(ahead, START + year + ROTATION_MS);
  const right = await keepUp(ahead2, START);
  assert.equal(signedIds(right).length, 3, "and one made now is given out");
  const later = await keepUp(right, START + KEPT_MS);
  for (const id of signedIds(ahead2)) assert(!signedIds(later).includes(id));
});

Deno.test("ids have 24 bits, begin anywhere, and after the last comes the first that is free", () => {
  for (let i = 0; i < 1_000; i++) {
    const id = randomPreKeyId();
    assert(id >= 1 && id <= MAX_PREKEY_ID);
  }
  assert.notEqual(randomPreKeyId(), randomPreKeyId());
  const held = new Set([MAX_PREKEY_ID, 2]);
  const { ids, nextId } = freePreKeyIds(held, MAX_PREKEY_ID - 1, 3);
  assert.deepEqual(ids, [MAX_PREKEY_ID - 1, 1, 3]);
  assert.equal(nextId, 4);
});
