const MINUTE_MS = 60_000;

/** No price is higher: about a minute of a phone. */
const MAX_BITS = 24;

/** How much work an anonymous command costs: one bit more for each doubling of their rate. */
export class WorkPrice {
  readonly #bits: number;
  readonly #perMinute: number;
  /** Commands of the last minutes, older ones counting less: halved every minute. */
  #recent = 0;
  #at: number;

  constructor(bits: number, perMinute: number, now: number) {
    this.#bits = bits;
    this.#perMinute = perMinute;
    this.#at = now;
  }

  /** Bits to ask for now, `extra` ones for what is scarce among them. Nothing, where work costs nothing. */
  bits(now: number, extra = 0): number {
    this.#decay(now);
    if (this.#bits === 0) return 0;
    const rush = this.#recent <= this.#perMinute
      ? 0
      : Math.ceil(Math.log2(this.#recent / this.#perMinute));
    return Math.min(MAX_BITS, this.#bits + rush + extra);
  }

  /** Counts what was paid for, as so many commands. */
  count(now: number, weight: number): void {
    this.#decay(now);
    this.#recent += weight;
  }

  #decay(now: number): void {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#recent *= 0.5 ** (elapsed / MINUTE_MS);
  }
}
