import fc from "fast-check";
import assert from "node:assert/strict";
import {
  addChunk,
  chunkAt,
  type Chunks,
  joinChunks,
  MAX_CHUNK_INDEX,
} from "./erasure_code.ts";

/** The lengths that occur: header, ct2, ct1 and key, the first two with a MAC. */
const LENGTHS = [96, 160, 960, 1152];

const values = fc.constantFrom(...LENGTHS).chain((length) =>
  fc.record({
    value: fc.uint8Array({ minLength: length, maxLength: length }),
    indices: fc.uniqueArray(fc.integer({ min: 0, max: MAX_CHUNK_INDEX }), {
      minLength: length / 32,
      maxLength: length / 32,
    }),
  })
);

function collect(value: Uint8Array, indices: readonly number[]): Chunks {
  let chunks: Chunks = [];
  for (const index of indices) chunks = addChunk(chunks, chunkAt(value, index));
  return chunks;
}

Deno.test("the first chunks are the value itself", () => {
  for (const length of LENGTHS) {
    const value = crypto.getRandomValues(new Uint8Array(length));
    for (let k = 0; k < length / 32; k++) {
      assert.deepEqual(chunkAt(value, k), {
        index: k,
        bytes: value.slice(32 * k, 32 * k + 32),
      });
    }
  }
});

Deno.test("any distinct chunks in any order give the value back, as soon as enough are there", () => {
  fc.assert(fc.property(values, ({ value, indices }) => {
    const chunks = collect(value, indices);
    assert.equal(joinChunks(chunks.slice(1), value.length), undefined);
    assert.deepEqual(joinChunks(chunks, value.length), value);
  }));
});

Deno.test("the value's own chunks and redundant ones mix", () => {
  const indices = fc.uniqueArray(fc.integer({ min: 0, max: 45 }), {
    minLength: 30,
    maxLength: 30,
  });
  const value = crypto.getRandomValues(new Uint8Array(960));
  fc.assert(fc.property(indices, (indices) => {
    assert.deepEqual(joinChunks(collect(value, indices), value.length), value);
  }));
});

Deno.test("of chunks with one index the first counts", () => {
  const value = new Uint8Array(96).fill(1);
  const chunks = collect(value, [4, 0]);
  assert.equal(
    addChunk(chunks, { index: 4, bytes: new Uint8Array(32) }),
    chunks,
  );
  assert.deepEqual(chunks.map(({ index }) => index), [0, 4]);
});

Deno.test("a redundant chunk is the value at its index of the polynomials through the pieces", () => {
  const value = new Uint8Array(160).map((_, i) => i * 37 + 11);
  for (const x of [5, 6, 255, 256, 4096, MAX_CHUNK_INDEX]) {
    const { bytes } = chunkAt(value, x);
    for (let p = 0; p < 16; p++) {
      const points = Array.from(
        { length: 5 },
        (_, k) => value[32 * k + 2 * p] << 8 | value[32 * k + 2 * p + 1],
      );
      assert.equal(bytes[2 * p] << 8 | bytes[2 * p + 1], lagrange(points, x));
    }
  }
});

/** By the definition: Σ y_i Π (x − j) / (i − j), with multiplication bit by bit. */
function lagrange(points: readonly number[], x: number): number {
  return points.reduce((sum, y, i) => {
    const term = points.reduce(
      (product, _, j) =>
        j === i ? product : multiply(product, multiply(x ^ j, invert(i ^ j))),
      y,
    );
    return sum ^ term;
  }, 0);
}

function multiply(a: number, b: number): number {
  let product = 0;
  for (; b > 0; b >>= 1) {
    if (b & 1) product ^= a;
    a <<= 1;
    if (a > 0xffff) a ^= 0x1100b;
  }
  return product;
}

/** a^(2^16 − 2) */
function invert(a: number): number {
  let inverse = 1;
  for (let i = 0; i < 15; i++) {
    a = multiply(a, a);
    inverse = multiply(inverse, a);
  }
  return inverse;
}
