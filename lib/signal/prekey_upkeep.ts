import { countAnswered, MAX_ANSWERED } from "./answered.ts";
import { generateKeyPair, generatePrivateKey, type KeyPair } from "./keys.ts";
import { generateKyberSeed } from "./kyber.ts";
import { freePreKeyIds, randomPreKeyId } from "./prekey_ids.ts";
import {
  type OneTimePair,
  type PreKeyStock,
  type StandingPair,
  STOCK,
} from "./prekey_stock.ts";
import { sign } from "./xeddsa_noble.ts";

/* When prekeys are made, replaced and dropped: decided from the stock and the times told. */

/** With fewer than these left, the stock is filled again. */
export const REFILL_BELOW = 50;
/** How long the signed and the last-resort prekey are given out. */
export const ROTATION_MS = 7 * 24 * 60 * 60 * 1000;
/** How long they are kept after that: who took the last bundle may begin, and be answered first, so late. */
export const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
/** With so many first messages answered, another last-resort key is due. */
const ROTATE_AT_ANSWERED = MAX_ANSWERED / 2;

/** Both in milliseconds since 1970. */
export interface UpkeepTimes {
  readonly now: number;
  /**
   * When everything that had arrived for this device was last read. By this and not by `now` replaced prekeys age:
   * a device that comes back after months still has the keys of what waited for it.
   */
  readonly caughtUp: number;
}

/** What is to be done for a stock. */
export interface Upkeep {
  /** One-time pairs to be made. */
  readonly refill: number;
  /** Whether the signed and the last-resort prekey are to be replaced. */
  readonly rotate: boolean;
  /** Ids of replaced prekeys that no message under way can need any more. */
  readonly expired: readonly number[];
}

/** A full stock for a device that has none. `now`: milliseconds since 1970. */
export async function createPreKeyStock(
  identity: KeyPair,
  now: number,
): Promise<PreKeyStock> {
  const empty = {
    nextId: randomPreKeyId(),
    standing: [],
    ready: [],
    given: [],
  };
  return refill(await rotate(empty, identity, now), STOCK);
}

/** What has to be done by now. To be asked at the start, daily, and after bundles were given. */
export function planUpkeep(
  { standing, ready }: PreKeyStock,
  { now, caughtUp }: UpkeepTimes,
): Upkeep {
  const [current, ...others] = standing;
  const age = now - current.made;
  return {
    refill: ready.length < REFILL_BELOW ? STOCK - ready.length : 0,
    // Made in the future: the clock was wrong then.
    rotate: age >= ROTATION_MS || age < 0 ||
      countAnswered(current.answered) >= ROTATE_AT_ANSWERED,
    expired: others
      .filter(({ replaced = now }) => caughtUp - replaced >= KEPT_MS)
      .map(({ signed }) => signed.id),
  };
}

/** The stock with all that done; itself when there was nothing to do. */
export async function keepUp(
  stock: PreKeyStock,
  identity: KeyPair,
  times: UpkeepTimes,
): Promise<PreKeyStock> {
  const plan = planUpkeep(stock, times);
  let next = drop(stock, plan.expired);
  if (plan.rotate) next = await rotate(next, identity, times.now);
  return refill(next, plan.refill);
}

async function rotate(
  stock: PreKeyStock,
  identity: KeyPair,
  now: number,
): Promise<PreKeyStock> {
  const { ids: [id], nextId } = nextIds(stock, 1);
  const keyPair = await generateKeyPair();
  const signature = sign(identity.privateKey, keyPair.publicKey);
  const made: StandingPair = {
    signed: { id, keyPair, signature },
    seed: generateKyberSeed(),
    made: now,
    answered: new Uint8Array(),
  };
  const others = stock.standing.map((pair) => ({
    ...pair,
    // Not later than now, if the clock was wrong then.
    replaced: Math.min(pair.replaced ?? now, now),
  }));
  return { ...stock, nextId, standing: [made, ...others] };
}

function refill(stock: PreKeyStock, count: number): PreKeyStock {
  if (count === 0) return stock;
  const { ids, nextId } = nextIds(stock, count);
  const made = ids.map((id): OneTimePair => ({
    id,
    privateKey: generatePrivateKey(),
    seed: generateKyberSeed(),
  }));
  return { ...stock, nextId, ready: [...stock.ready, ...made] };
}

function nextIds(
  { nextId, standing, ready, given }: PreKeyStock,
  count: number,
) {
  const held = new Set([
    ...standing.map(({ signed }) => signed.id),
    ...[...ready, ...given].map(({ id }) => id),
  ]);
  return freePreKeyIds(held, nextId, count);
}

/** Without the standing pairs of these ids and what was given with them. */
function drop(stock: PreKeyStock, expired: readonly number[]): PreKeyStock {
  if (expired.length === 0) return stock;
  const gone = new Set(expired);
  return {
    ...stock,
    standing: stock.standing.filter(({ signed }) => !gone.has(signed.id)),
    given: stock.given.filter(({ signedPreKeyId }) =>
      !gone.has(signedPreKeyId)
    ),
  };
}
