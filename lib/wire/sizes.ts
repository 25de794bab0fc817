/** What one WebSocket message can measure: 512 · 2^k bytes. */
export const FRAME_SIZES: readonly number[] = [
  512,
  1024,
  2048,
  4096,
  8192,
  16_384,
  32_768,
];
export const MAX_FRAME = 32_768;

/** Bytes of a frame that an envelope leaves to the command around it: MSG takes 31. */
export const ENVELOPE_OVERHEAD = 32;

/** The largest envelope that can be forwarded: 512 bytes of the largest frame are left for what is around it. */
const LARGEST_FORWARDED = 32_256;

/**
 * What an envelope can measure: a frame without its overhead, so that one fills a frame. The largest frame takes
 * one more size, the largest that can be forwarded.
 */
export const ENVELOPE_SIZES: readonly number[] = [
  ...FRAME_SIZES.map((size) => size - ENVELOPE_OVERHEAD),
  LARGEST_FORWARDED,
].sort((a, b) => a - b);

/** type u8 ‖ request u16 ‖ length u16 */
export const COMMAND_HEADER = 5;

/** The most that one PASS carries. */
export const MAX_PASS = 16_000;

/** What contents of a blob are cut into: every chunk but the last measures this. */
export const MAX_CHUNK = 32_000;

/** What the chunk at `index` measures of contents of `bytes`; 0 when there is none. */
export function chunkSize(bytes: number, index: number): number {
  return Math.min(MAX_CHUNK, Math.max(0, bytes - index * MAX_CHUNK));
}

/** The chunks that contents of `bytes` are cut into. */
export function chunkCount(bytes: number): number {
  return Math.ceil(bytes / MAX_CHUNK);
}

/** The smallest frame with room for `bytes`, or undefined. */
export function frameSizeFor(bytes: number): number | undefined {
  return FRAME_SIZES.find((size) => size >= bytes);
}

/** What one FWD carries, sealed: to a handle it fills a frame, 10 bytes being the command's. */
export const SEALED_SIZES: readonly number[] = FRAME_SIZES.map((size) =>
  size - 10
);

/** What answers it, sealed: as OK it fills a frame. */
export const SEALED_REPLY_SIZES: readonly number[] = FRAME_SIZES.map((size) =>
  size - COMMAND_HEADER
);
