/**
 * Full jitter: after the n-th failure in a row, wait a random time below a ceiling that doubles.
 * Many clients that lost one relay together so come back spread out, not together.
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export const BACKOFF_BASE_MS = 1_000;
export const BACKOFF_CEILING_MS = 60_000;
/** Never at once: a relay that accepts and drops would otherwise be hammered. */
export const BACKOFF_FLOOR_MS = 100;

/** ms to wait after `failures` (≥ 1) in a row; `fraction` in [0, 1); `longest`: ms, never longer than this. */
export function backoff(
  failures: number,
  fraction: number,
  longest = BACKOFF_CEILING_MS,
): number {
  const ceiling = Math.min(
    longest,
    BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, 16),
  );
  return Math.max(BACKOFF_FLOOR_MS, Math.floor(ceiling * fraction));
}
