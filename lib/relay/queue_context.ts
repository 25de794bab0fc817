import type { ErrorName } from "../wire/mod.ts";
import type { Flusher } from "./flusher.ts";
import type { Limits } from "./limits.ts";
import type { Random } from "./random.ts";
import type { Store } from "./store.ts";
import type { StoredBytes } from "./stored_bytes.ts";
import type { Counts } from "./totals.ts";

export const DAY_MS = 86_400_000;

/** Told once: undefined is OK. */
export type Answer = (error: ErrorName | undefined) => void;

/** What all that is kept in the store has to do with. */
export type QueueContext = {
  store: Store;
  stored: StoredBytes;
  flusher: Flusher;
  now: () => number;
  random: Random;
  limits: Limits;
  counts: Counts;
  /** Hears of a store that cannot be read. */
  failed: (error: unknown) => void;
};

/** When something expires that lives `seconds` from now: ms, rounded up to a day. */
export function expiryAt(context: QueueContext, seconds: number): number {
  return Math.ceil((context.now() + seconds * 1_000) / DAY_MS) * DAY_MS;
}
