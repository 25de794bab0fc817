/** Allows `rate` per second on average and `rate · burstSeconds` at once. */
export class TokenBucket {
  readonly #rate: number;
  readonly #most: number;
  #tokens: number;
  #at: number;

  constructor(rate: number, burstSeconds: number, now: number) {
    this.#rate = rate;
    this.#most = rate * burstSeconds;
    this.#tokens = this.#most;
    this.#at = now;
  }

  /** Takes `count` tokens if there are as many. A clock that goes back gives and costs nothing. */
  take(count: number, now: number): boolean {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(
      this.#most,
      this.#tokens + elapsed * this.#rate / 1_000,
    );
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
