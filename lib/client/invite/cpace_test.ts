import assert from "node:assert/strict";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import {
  calculateGenerator,
  generatorString,
  lvCat,
  newScalar,
  prependLength,
  publicShare,
  sessionKey,
  sharedPoint,
} from "./cpace.ts";
import vectors from "./cpace_vectors.json" with { type: "json" };

const hex = hexToBytes;
const { generator, exchange, multiplication, badEncodings } = vectors;
const drafted = [
  hex(generator.PRS),
  hex(generator.CI),
  hex(generator.sid),
] as const;

Deno.test("lengths are LEB128, as in the draft's appendix A.1", () => {
  assert.equal(bytesToHex(prependLength(new Uint8Array(0))), "00");
  assert.equal(
    bytesToHex(prependLength(new TextEncoder().encode("1234"))),
    "0431323334",
  );
  const long = (length: number) =>
    Uint8Array.from({ length }, (_, index) => index);
  assert.equal(bytesToHex(prependLength(long(127))).slice(0, 4), "7f00");
  assert.equal(bytesToHex(prependLength(long(128))).slice(0, 6), "800100");
  assert.equal(bytesToHex(prependLength(long(300))).slice(0, 6), "ac0200");
});

Deno.test("no two lists of parts read alike", () => {
  const part = fc.uint8Array({ maxLength: 4 });
  const parts = fc.array(part, { maxLength: 4 });
  fc.assert(fc.property(parts, parts, (one, two) => {
    const same = JSON.stringify(one.map((bytes) => [...bytes])) ===
      JSON.stringify(two.map((bytes) => [...bytes]));
    assert.equal(bytesToHex(lvCat(...one)) === bytesToHex(lvCat(...two)), same);
  }));
});

Deno.test("the draft's generator string and generator (B.3.1)", () => {
  assert.equal(
    bytesToHex(generatorString(...drafted)),
    generator.generatorString,
  );
  assert.equal(calculateGenerator(...drafted).toHex(), generator.g);
});

Deno.test("the draft's shares, K and ISK (B.3.2 to B.3.5)", () => {
  const g = calculateGenerator(...drafted);
  const [ya, yb] = [hex(exchange.ya), hex(exchange.yb)];
  assert.equal(bytesToHex(publicShare(g, ya)), exchange.Ya);
  assert.equal(bytesToHex(publicShare(g, yb)), exchange.Yb);
  const k = sharedPoint(ya, hex(exchange.Yb));
  assert.deepEqual(k, hex(exchange.K));
  assert.deepEqual(sharedPoint(yb, hex(exchange.Ya)), k);
  const isk = sessionKey(hex(generator.sid), hex(exchange.K), {
    ya: hex(exchange.Ya),
    ada: hex(exchange.ADa),
    yb: hex(exchange.Yb),
    adb: hex(exchange.ADb),
  });
  assert.equal(bytesToHex(isk), exchange.ISK_IR);
});

Deno.test("the draft's valid multiplication (B.3.10)", () => {
  const { s, X, result } = multiplication;
  assert.deepEqual(sharedPoint(hex(s), hex(X)), hex(result));
});

Deno.test("the draft's invalid points abort (B.3.11)", () => {
  for (const point of multiplication.invalid) {
    assert.equal(sharedPoint(hex(multiplication.s), hex(point)), undefined);
  }
});

Deno.test("RFC 9496's bad encodings abort", () => {
  for (const point of badEncodings) {
    assert.equal(sharedPoint(hex(multiplication.s), hex(point)), undefined);
  }
  for (const length of [0, 31, 33]) {
    assert.equal(
      sharedPoint(hex(multiplication.s), new Uint8Array(length)),
      undefined,
    );
  }
});

Deno.test("scalars are below the group's order, not 0, and differ", () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const seen = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const scalar = newScalar();
    const value = BigInt(`0x${bytesToHex(scalar.toReversed())}`);
    assert.equal(scalar.length, 32);
    assert.ok(value > 0n && value < order);
    seen.add(bytesToHex(scalar));
  }
  assert.equal(seen.size, 50);
});

Deno.test("two sides agree exactly when password, channel and session agree", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.tuple(bytes, bytes, bytes),
      fc.tuple(bytes, bytes, bytes),
      fc.boolean(),
      (one, another, alike) => {
        const two = alike ? one : another;
        const side = (
          [password, channel, session]: [Uint8Array, Uint8Array, Uint8Array],
        ) => {
          const scalar = newScalar();
          const g = calculateGenerator(password, channel, session);
          return { scalar, session, share: publicShare(g, scalar) };
        };
        const [a, b] = [side(one), side(two)];
        const said = {
          ya: a.share,
          ada: Uint8Array.of(0),
          yb: b.share,
          adb: Uint8Array.of(1),
        };
        const key = (own: typeof a, peer: typeof a) => {
          const shared = sharedPoint(own.scalar, peer.share);
          assert.ok(shared);
          return bytesToHex(sessionKey(own.session, shared, said));
        };
        const same = one.every((part, index) =>
          bytesToHex(part) === bytesToHex(two[index])
        );
        assert.equal(key(a, b) === key(b, a), same);
      },
    ),
    { numRuns: 20 },
  );
});
