import { type Account, openSealed, REMOVE_KEY_PURPOSE } from "../keys/mod.ts";
import type { CondemnedQueue } from "../records.ts";

/** Queues that are to be deleted, with the seeds of their remove keys, which the access key alone opens. */
export function condemnedOf(
  { recovery }: Pick<Account, "recovery">,
  queues: readonly {
    readonly id: Uint8Array;
    readonly removeKey: Uint8Array;
  }[],
): Promise<CondemnedQueue[]> {
  return Promise.all(queues.map(async ({ id, removeKey }) => ({
    id,
    seed: await openSealed(recovery, removeKey, REMOVE_KEY_PURPOSE),
  })));
}
