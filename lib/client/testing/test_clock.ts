import type { Clock } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that only a test moves. */
export class TestClock implements Clock {
  #now = Date.UTC(2026, 10, 23, 12);
  readonly #timers = new Set<Timer>();
  /** The one that fires next, while that is known. */
  #first: Timer | undefined;
  /** Timers that have fired. */
  fired = 0;

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    if (this.#first && timer.at < this.#first.at) this.#first = timer;
    return () => this.#remove(timer);
  }

  /** ms until the next timer fires; undefined when there is none. */
  get untilNext(): number | undefined {
    const next = this.#next();
    return next && Math.max(0, next.at - this.#now);
  }

  /** Fires everything that falls due in the next `ms`, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) {
      this.#remove(next);
      this.#now = Math.max(this.#now, next.at);
      this.fired++;
      next.run();
    }
    this.#now = end;
  }

  #remove(timer: Timer): void {
    this.#timers.delete(timer);
    if (this.#first === timer) this.#first = undefined;
  }

  /** Of several at the same time the one that was set first. */
  #next(): Timer | undefined {
    if (this.#first) return this.#first;
    for (const timer of this.#timers) {
      if (!this.#first || timer.at < this.#first.at) this.#first = timer;
    }
    return this.#first;
  }
}
