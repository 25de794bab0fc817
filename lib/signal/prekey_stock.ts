import { countAnswered, MAX_ANSWERED, rememberAnswered } from "./answered.ts";
import { SignalError } from "./errors.ts";
import { keyPairOf } from "./keys.ts";
import type { PreKeySource, SignedPreKey } from "./prekeys.ts";
import type { UsedPreKeys } from "./session_cipher.ts";

/*
 * The prekeys of one device: which there are, which are out in bundles, and when each goes. Pure: a stock is a value,
 * and times are told. Who calls stores the new stock before it publishes a bundle of it, and together with the session
 * that used it. What can be computed is not stored: a Kyber key is its seed, signed when it goes out.
 */

/** One-time pairs made ahead: an EC and a Kyber prekey each. */
export const STOCK = 100;
/** One-time pairs in bundles that nobody has used yet. With more out, only the last resort is given. */
export const MAX_GIVEN = 1_000;

/** A one-time prekey of each kind under one id. They go out together, and when one is used both are gone. */
export interface OneTimePair {
  readonly id: number;
  /** EC private key (32). */
  readonly privateKey: Uint8Array;
  /** Kyber seed (64). */
  readonly seed: Uint8Array;
}

/** A pair that is out in a bundle. */
export interface GivenPair extends OneTimePair {
  /** The signed prekey of that bundle: without it the pair is of no use. */
  readonly signedPreKeyId: number;
}

/** A signed prekey and a last-resort Kyber prekey, made and replaced together, under one id. */
export interface StandingPair {
  readonly signed: SignedPreKey;
  /** The last-resort key's seed (64). */
  readonly seed: Uint8Array;
  /** Milliseconds since 1970. */
  readonly made: number;
  /** Since when another pair is given out (ms). */
  readonly replaced?: number;
  /** The first messages that the last-resort key has answered: see `rememberAnswered`. */
  readonly answered: Uint8Array;
}

/** The prekeys of one device: opaque, immutable, full of secrets. See `serializePreKeyStock`. */
export interface PreKeyStock {
  readonly nextId: number;
  /** Newest first; the first one is given out. Never empty. */
  readonly standing: readonly StandingPair[];
  readonly ready: readonly OneTimePair[];
  readonly given: readonly GivenPair[];
}

/** What may be known about a stock from outside. */
export interface PreKeyStockInfo {
  /** Of the bundles given now. What is out under another one should be published anew. */
  readonly signedPreKeyId: number;
  /** One-time pairs to be given. */
  readonly ready: number;
  /** One-time pairs given and not used. */
  readonly given: number;
  /** Signed and last-resort prekeys kept for messages under way. */
  readonly replaced: number;
}

export function describePreKeyStock(
  { standing, ready, given }: PreKeyStock,
): PreKeyStockInfo {
  return {
    signedPreKeyId: standing[0].signed.id,
    ready: ready.length,
    given: given.length,
    replaced: standing.length - 1,
  };
}

/** What `decrypt` looks up. A one-time pair that was never given answers nobody. */
export function preKeySourceOf(stock: PreKeyStock): PreKeySource {
  const pairOf = (id: number) => stock.given.find((pair) => pair.id === id);
  const standingOf = (id: number) =>
    stock.standing.find(({ signed }) => signed.id === id);
  return {
    async preKey(id) {
      const privateKey = pairOf(id)?.privateKey;
      return privateKey && { id, keyPair: await keyPairOf(privateKey) };
    },
    signedPreKey: (id) => Promise.resolve(standingOf(id)?.signed),
    kyberPreKey(id) {
      const standing = standingOf(id);
      const lastResort =
        standing && countAnswered(standing.answered) < MAX_ANSWERED
          ? standing
          : undefined;
      const secretKey = (pairOf(id) ?? lastResort)?.seed;
      return Promise.resolve(secretKey && { id, secretKey });
    },
  };
}

/**
 * The stock after a first message has begun a session: to be stored together with it. A call that throws means that
 * the session must not be kept.
 * @throws SignalError `duplicate` when the last-resort key has answered this first message before,
 *   `unknown-prekey` when a key was used up or dropped meanwhile
 */
export function usePreKeys(stock: PreKeyStock, used: UsedPreKeys): PreKeyStock {
  const { preKeyId, signedPreKeyId, kyberPreKeyId, baseKey } = used;
  const { standing } = stock;
  const position = standing.findIndex(({ signed }) =>
    signed.id === kyberPreKeyId
  );
  const oneTime = new Set(preKeyId === undefined ? [] : [preKeyId]);
  if (position < 0) oneTime.add(kyberPreKeyId);
  const given = stock.given.filter(({ id }) => !oneTime.has(id));
  if (
    stock.given.length - given.length !== oneTime.size ||
    !standing.some(({ signed }) => signed.id === signedPreKeyId)
  ) {
    throw new SignalError("unknown-prekey");
  }
  if (position < 0) return { ...stock, given };
  const lastResort = standing[position];
  const answered = rememberAnswered(
    lastResort.answered,
    signedPreKeyId,
    baseKey,
  );
  return {
    ...stock,
    given,
    standing: standing.with(position, { ...lastResort, answered }),
  };
}

/** Drops one-time pairs whose bundles nobody has taken or will take: what is under way to them is lost. */
export function takeBack(
  stock: PreKeyStock,
  ids: readonly number[],
): PreKeyStock {
  const given = stock.given.filter(({ id }) => !ids.includes(id));
  return given.length === stock.given.length ? stock : { ...stock, given };
}
