import { x25519 } from "@noble/curves/ed25519.js";
import { ed25519Signer, type Signer } from "../wire/mod.ts";
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
  #day: { privateKey: Uint8Array; publicKey: Uint8Array; validUntil: number };

  private constructor(
    store: Store,
    signer: Signer,
    day: { privateKey: Uint8Array; validUntil: number },
    random: Random,
  ) {
    this.#store = store;
    this.#random = random;
    this.signer = signer;
    this.#day = { ...day, publicKey: x25519.getPublicKey(day.privateKey) };
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
    const day = stored === undefined ? undefined : parseDay(stored);
    const keys = new RelayKeys(
      store,
      await ed25519Signer(seed),
      day ?? { privateKey: new Uint8Array(32), validUntil: 0 },
      random,
    );
    await keys.day(now);
    return keys;
  }

  /** The key to seal FWD to; a new one, durable, when the last is about to end. What it replaces is erased. */
  async day(
    now: number,
  ): Promise<{ publicKey: Uint8Array; validUntil: number }> {
    // A clock that was ahead must not keep one key for longer than two days either.
    if (
      this.#day.validUntil - now < DAY_MS / 2 ||
      this.#day.validUntil - now > 2 * DAY_MS
    ) {
      const privateKey = this.#random(32);
      const validUntil = now + 1.5 * DAY_MS;
      this.#day = {
        privateKey,
        publicKey: x25519.getPublicKey(privateKey),
        validUntil,
      };
      const value = new Uint8Array(40);
      value.set(privateKey);
      new DataView(value.buffer).setFloat64(32, validUntil);
      await this.#store.commit([{ key: DAY, value }]);
    }
    return this.#day;
  }
}

function parseDay(
  value: Uint8Array,
): { privateKey: Uint8Array; validUntil: number } {
  const validUntil = new DataView(
    value.buffer,
    value.byteOffset,
    value.byteLength,
  ).getFloat64(32);
  return { privateKey: value.slice(0, 32), validUntil };
}
