/**
 * Spreads a public value over endlessly many 32-byte chunks, of which any
 * `length / 32` distinct ones give it back. A chunk is 16 words; word p of
 * chunk k is the value at k of the polynomial p that goes through word p of
 * the value's own 32-byte pieces 0, 1, 2, …
 */
import { LOG, ORDER, POWER } from "./galois_field.ts";

export const CHUNK_LENGTH = 32;
/** Chunk indices are elements of the field: 0..65535. */
export const MAX_CHUNK_INDEX = 0xffff;

export type Chunk = { readonly index: number; readonly bytes: Uint8Array };

/** What has arrived of a value: distinct chunks, ascending by index. */
export type Chunks = readonly Chunk[];

/** Chunk `index` of `value`, whose length is a multiple of 32. */
export function chunkAt(value: Uint8Array, index: number): Chunk {
  const count = value.length / CHUNK_LENGTH;
  if (index < count) return piece(value, index);
  const own: Chunk[] = [];
  for (let k = 0; k < count; k++) own.push(piece(value, k));
  return { index, bytes: evaluate(own, weights(own), index) };
}

/** Adds a chunk; one with an index already there changes nothing. */
export function addChunk(chunks: Chunks, chunk: Chunk): Chunks {
  const position = chunks.findIndex(({ index }) => index >= chunk.index);
  if (position < 0) return [...chunks, chunk];
  if (chunks[position].index === chunk.index) return chunks;
  return chunks.toSpliced(position, 0, chunk);
}

/** The value of `length` bytes, or undefined while too few chunks are there. */
export function joinChunks(
  chunks: Chunks,
  length: number,
): Uint8Array | undefined {
  const count = length / CHUNK_LENGTH;
  if (chunks.length < count) return undefined;
  const used = chunks.slice(0, count);
  const value = new Uint8Array(length);
  const missing = new Set(Array.from({ length: count }, (_, k) => k));
  for (const { index, bytes } of used) {
    if (!missing.delete(index)) continue;
    value.set(bytes, index * CHUNK_LENGTH);
  }
  if (missing.size === 0) return value;
  const logWeights = weights(used);
  for (const index of missing) {
    value.set(evaluate(used, logWeights, index), index * CHUNK_LENGTH);
  }
  return value;
}

function piece(value: Uint8Array, index: number): Chunk {
  const start = index * CHUNK_LENGTH;
  return { index, bytes: value.subarray(start, start + CHUNK_LENGTH) };
}

/** Logarithms of the Lagrange weights 1 / Π (x_i − x_j), j ≠ i. Subtraction is XOR. */
function weights(points: Chunks): Uint16Array {
  const logs = new Uint16Array(points.length);
  for (let i = 0; i < points.length; i++) {
    let log = 0;
    for (let j = 0; j < points.length; j++) {
      if (j !== i) log += LOG[points[i].index ^ points[j].index];
    }
    logs[i] = (ORDER - log % ORDER) % ORDER;
  }
  return logs;
}

/** The 16 polynomials through `points`, at `x`, which is none of the points. */
function evaluate(
  points: Chunks,
  logWeights: Uint16Array,
  x: number,
): Uint8Array {
  let logProduct = 0;
  for (const { index } of points) logProduct += LOG[x ^ index];
  const words = new Uint16Array(CHUNK_LENGTH / 2);
  for (let i = 0; i < points.length; i++) {
    const { index, bytes } = points[i];
    const factor = (logProduct - LOG[x ^ index] + logWeights[i]) % ORDER;
    for (let p = 0; p < words.length; p++) {
      const word = bytes[2 * p] << 8 | bytes[2 * p + 1];
      if (word !== 0) words[p] ^= POWER[factor + LOG[word]];
    }
  }
  const out = new Uint8Array(CHUNK_LENGTH);
  for (let p = 0; p < words.length; p++) {
    out[2 * p] = words[p] >> 8;
    out[2 * p + 1] = words[p];
  }
  return out;
}
