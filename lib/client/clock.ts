/** Time as the messenger sees it: passed in, so that a test can turn it. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Calls `run` once, `ms` from now. Returns what calls it off. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
