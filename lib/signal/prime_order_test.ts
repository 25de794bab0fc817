import assert from "node:assert/strict";
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js";
import { generateKeyPair } from "./keys.ts";
import { isCanonicalPoint } from "./prime_order.ts";

const { Point } = ed25519;
const p = Point.Fp.ORDER;

/** By definition: L times the point is the identity. Undefined for a u of the twist. */
function isOfPrimeOrder(u: bigint): boolean | undefined {
  const { Fp } = Point;
  const denominator = Fp.add(u, Fp.ONE);
  if (Fp.is0(denominator)) return undefined;
  const y = Fp.mul(Fp.sub(u, Fp.ONE), Fp.inv(denominator));
  try {
    const point = Point.fromBytes(Fp.toBytes(y));
    return !point.is0() && point.isTorsionFree();
  } catch {
    return undefined;
  }
}

const bytes = (u: bigint) => numberToBytesLE(u, 32);

Deno.test("a base key has one form only", async () => {
  for (let i = 0; i < 8; i++) {
    const u = (await generateKeyPair()).publicKey.subarray(1);
    assert.equal(await isCanonicalPoint(u), true);
    const highBit = u.with(31, u[31] | 0x80);
    assert.equal(await isCanonicalPoint(highBit), false, "high bit set");
  }
  assert.equal(await isCanonicalPoint(bytes(9n)), true);
  assert.equal(await isCanonicalPoint(bytes(9n + p)), false, "u >= p");
});

Deno.test("a base key with any small-order part is refused", async () => {
  const torsion = Point.fromHex(
    // Of order 8 (its y is the one of the list of small-order points).
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  );
  assert(!torsion.multiplyUnsafe(4n).equals(Point.ZERO));
  assert(torsion.double().double().double().equals(Point.ZERO));
  let part = Point.ZERO;
  for (let multiple = 0; multiple < 8; multiple++, part = part.add(torsion)) {
    for (const scalar of [1n, 2n, 12345n, Point.Fn.ORDER - 1n]) {
      const mixed = Point.BASE.multiply(scalar).add(part);
      const u = ed25519.utils.toMontgomery(mixed.toBytes());
      assert.equal(await isCanonicalPoint(u), multiple === 0);
    }
    if (multiple > 0) {
      const u = ed25519.utils.toMontgomery(part.toBytes());
      assert.equal(await isCanonicalPoint(u), false, "of small order only");
    }
  }
  for (const u of [0n, 1n, p - 1n]) {
    assert.equal(await isCanonicalPoint(bytes(u)), false);
  }
});

Deno.test("of any u it is said whether it is of prime order, as by definition", async () => {
  const seen = new Set<boolean | undefined>();
  for (let i = 0; i < 200; i++) {
    const random = crypto.getRandomValues(new Uint8Array(32));
    const u = i < 100 ? BigInt(i) : bytesToNumberLE(random) % p;
    const expected = isOfPrimeOrder(u);
    seen.add(expected);
    assert.equal(await isCanonicalPoint(bytes(u)), expected === true, `${u}`);
  }
  assert.equal(seen.size, 3, "of prime order, not of it, and of the twist");
});
