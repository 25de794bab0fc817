import { ed25519Signer, type Signer } from "../wire/mod.ts";
import { DayKey } from "./day_key.ts";
import type { Random } from "./random.ts";
import type { Store } from "./store.ts";

/** Where the seed of the relay's own key lies. */
export const IDENTITY_KEY = ["key", "identity"] as const;
const DAY = ["key", "day"] as const;
const DAY_MS = 86_400_000;

/** Who the relay is: an Ed25519 key for good, and an X25519 key that changes daily. */
export class RelayKeys {
  readonly signer: Signer;
  readonly #store: Store;
  readonly #random: Random;
  #day: DayKey | undefined;

  private constructor(
    store: Store,
    signer: Signer,
    day: DayKey | undefined,
    random: Random,
  ) {
    this.#store = store;
    this.#random = random;
    this.signer = signer;
    this.#day = day;
  }

  /** Reads the keys from the store, or makes them the first time. */
  static async open(
    store: Store,
    now: number,
    random: Random,
  ): Promise<RelayKeys> {
    let seed = await store.get(IDENTITY_KEY);
    if (seed === undefined) {
      seed = random(32);
      await store.commit([{ key: IDENTITY_KEY, value: seed }]);
    }
    const stored = await store.get(DAY);
    const keys = new RelayKeys(
      store,
      await ed25519Signer(seed),
      stored === undefined ? undefined : parseDay(stored),
      random,
    );
    await keys.day(now);
    return keys;
  }

  /**
   * The key to seal FWD to; a new one, durable, when the last is about to end. What it replaces is erased from
   * the store; connections that it greeted keep it in memory for as long as it is valid.
   */
  async day(now: number): Promise<DayKey> {
    const left = this.#day === undefined ? 0 : this.#day.validUntil - now;
    // A clock that was ahead must not keep one key for longer than two days either.
    if (this.#day !== undefined && left >= DAY_MS / 2 && left <= 2 * DAY_MS) {
      return this.#day;
    }
    const privateKey = this.#random(32);
    const validUntil = now + 1.5 * DAY_MS;
    const day = this.#day = new DayKey(privateKey, validUntil);
    const value = new Uint8Array(40);
    value.set(privateKey);
    new DataView(value.buffer).setFloat64(32, validUntil);
    await this.#store.commit([{ key: DAY, value }]);
    return day;
  }
}

function parseDay(value: Uint8Array): DayKey {
  const validUntil = new DataView(
    value.buffer,
    value.byteOffset,
    value.byteLength,
  ).getFloat64(32);
  return new DayKey(value.slice(0, 32), validUntil);
}
