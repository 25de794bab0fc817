import assert from "node:assert/strict";
import {
  createPreKeyStock,
  generateKeyPair,
  keepUpPreKeyStock,
  parsePreKeyStock,
  type PreKeyStock,
  serializePreKeyStock,
  SignalError,
  usePreKeys,
} from "./mod.ts";
import { MAX_ANSWERED } from "./answered.ts";
import { MAX_GIVEN } from "./prekey_stock.ts";
import { ROTATION_MS } from "./prekey_upkeep.ts";
import { START } from "./testing/party.ts";

const identity = await generateKeyPair();

/** Replaced prekeys, an answered first message, and a pair that is out. */
async function usedStock(): Promise<PreKeyStock> {
  const now = START + ROTATION_MS;
  const stock = await keepUpPreKeyStock(
    await createPreKeyStock(identity, START),
    identity,
    { now, caughtUp: now },
  );
  const [{ signed: { id } }] = stock.standing;
  const [pair, ...ready] = stock.ready;
  const out = { ...stock, ready, given: [{ ...pair, signedPreKeyId: id }] };
  return usePreKeys(out, {
    signedPreKeyId: id,
    kyberPreKeyId: id,
    baseKey: identity.publicKey,
  });
}

Deno.test("a stock comes back from its bytes as it was, a hundred pairs of each kind in 11 kB", async () => {
  const stock = await usedStock();
  const bytes = serializePreKeyStock(stock);
  const read = parsePreKeyStock(bytes);
  assert.deepEqual(read, stock);
  assert.equal(bytes[0], 1);
  assert(bytes.length < 11_000, `${bytes.length} bytes`);
  bytes.fill(0);
  assert.deepEqual(read, stock, "and shares no memory with them");
});

Deno.test("the fullest stock has a bound: a thousand pairs out, six last resorts that remember all they may", async () => {
  const stock = await usedStock();
  const [current] = stock.standing;
  const answered = new Uint8Array(16 * MAX_ANSWERED);
  const others = Array.from({ length: 5 }, (_, i) => ({
    ...stock.standing[1],
    signed: { ...stock.standing[1].signed, id: 1 + i },
    answered,
  }));
  const full = {
    ...stock,
    standing: [{ ...current, answered }, ...others],
    given: Array.from({ length: MAX_GIVEN }, (_, i) => ({
      ...stock.ready[0],
      id: 10 + i,
      signedPreKeyId: 1,
    })),
  };
  const bytes = serializePreKeyStock(full);
  assert(bytes.length < 320_000, `${bytes.length} bytes`);
  assert.equal(parsePreKeyStock(bytes).given.length, MAX_GIVEN);
});

Deno.test("bytes of another version, cut off, or of a stock that cannot be are refused", async () => {
  const stock = await usedStock();
  const bytes = serializePreKeyStock(stock);
  assert.throws(
    () => parsePreKeyStock(bytes.with(0, 2)),
    new SignalError("version"),
  );
  assert.throws(() => parsePreKeyStock(bytes.subarray(0, -1)), SignalError);
  const [pair] = stock.ready;
  const [current, replaced] = stock.standing;
  const impossible: Partial<PreKeyStock>[] = [
    { nextId: 0 },
    { nextId: 0x1_00_00_00 },
    { standing: [] },
    { standing: [replaced, current] },
    { standing: [current, { ...current, replaced: 1 }] },
    { standing: [{ ...current, answered: new Uint8Array(15) }] },
    { standing: [{ ...current, answered: new Uint8Array(16 * 2_001) }] },
    { ready: [pair, pair] },
    { ready: [{ ...pair, id: 0 }] },
    { ready: [{ ...pair, id: current.signed.id }] },
    { given: [{ ...pair, id: 9, signedPreKeyId: 8 }] },
  ];
  for (const change of impossible) {
    const written = serializePreKeyStock({ ...stock, ...change });
    assert.throws(
      () => parsePreKeyStock(written),
      (error: unknown) =>
        error instanceof SignalError && error.code === "malformed",
      JSON.stringify(Object.keys(change)),
    );
  }
});
