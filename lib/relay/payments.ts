import { checkWork, type WorkTask } from "../wire/mod.ts";
import type { WorkPrice } from "./work_price.ts";

/** An anonymous command: it costs a proof of work. */
export type Payment = {
  type: WorkTask["type"];
  /** 32 bytes that the work is done over. */
  key: Uint8Array;
  work: bigint;
  /** What of it is paid for: one key pays for one such thing on a connection. */
  purpose: string;
  /** Bits on top of the price, for what is scarce or large. */
  extra: number;
  /** How many commands it counts as when the price is made. */
  weight: number;
};

/**
 * What one connection paid for with proofs of work. A proof pays once: the same
 * command again costs nothing and does not raise the price, and one key does
 * not pay for several things.
 */
export class Payments {
  readonly #challenge: Uint8Array;
  readonly #price: WorkPrice;
  readonly #now: () => number;
  readonly #paidFor = new Map<string, string>();

  constructor(challenge: Uint8Array, price: WorkPrice, now: () => number) {
    this.#challenge = challenge;
    this.#price = price;
    this.#now = now;
  }

  /** Whether the work is enough or done before; otherwise the bits it takes, or that the key has paid for something else. */
  check(payment: Payment): "paid" | "conflict" | { bits: number } {
    const before = this.#paidFor.get(nameOf(payment));
    if (before !== undefined) {
      return before === payment.purpose ? "paid" : "conflict";
    }
    const { type, key, work, extra } = payment;
    const bits = this.#price.bits(this.#now(), extra);
    return checkWork({ challenge: this.#challenge, type, key, bits }, work)
      ? "paid"
      : { bits };
  }

  /** Notes what was paid for, once its sender has turned out to be who may ask for it. */
  spend(payment: Payment): void {
    const name = nameOf(payment);
    if (this.#paidFor.has(name)) return;
    this.#paidFor.set(name, payment.purpose);
    this.#price.count(this.#now(), payment.weight);
  }
}

function nameOf({ type, key }: Payment): string {
  return type + String.fromCharCode(...key);
}
