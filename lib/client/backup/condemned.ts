import {
  type Account,
  openSealed,
  REMOVE_KEY_PURPOSE,
  SealedBoxError,
} from "../keys/mod.ts";
import type { CondemnedQueue } from "../records.ts";

interface Sealed {
  readonly id: Uint8Array;
  readonly removeKey: Uint8Array;
}

/**
 * Queues that are to be deleted, with the seeds of their remove keys, which the access key alone opens. What
 * it does not open is left out: a device in other hands may have written it, and nothing is to hang on it.
 */
export async function condemnedOf(
  { recovery }: Pick<Account, "recovery">,
  queues: readonly Sealed[],
): Promise<CondemnedQueue[]> {
  const opened = await Promise.all(
    queues.map(({ id, removeKey }) =>
      openSealed(recovery, removeKey, REMOVE_KEY_PURPOSE)
        .then((seed) => [{ id, seed }], (error: unknown) => {
          if (!(error instanceof SealedBoxError)) throw error;
          return [];
        })
    ),
  );
  return opened.flat();
}
