/** Time as the messenger sees it: passed in, so that a test can turn it. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Calls `run` once, `ms` from now. Returns what calls it off. */
  after(ms: number, run: () => void): () => void;
}

/**
 * Ten years, in ms: no clock is ahead by that much. A time of further away was made up, so that nothing
 * could be later.
 */
export const FAR_AHEAD_MS = 315_360_000_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
