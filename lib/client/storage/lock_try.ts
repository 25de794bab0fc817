import type { VaultHeader } from "./header.ts";
import { storeHeader } from "./header_store.ts";
import { type Lock, unlock } from "./lock.ts";
import type { Platform } from "./store.ts";

/** Not the lock's secret; `triesLeft` until everything is erased, when that was asked for. */
export interface WrongSecret {
  readonly wrong: true;
  readonly triesLeft?: number;
}

/** What came of trying a lock's secret. "erased": it was the last try, nothing is stored any more. */
export type LockTry =
  | { readonly vaultKey: Uint8Array; readonly header: VaultHeader }
  | WrongSecret
  | "erased";

/**
 * Tries a secret. Where wrong passphrases are counted, the try is on disk before its outcome is
 * known, so that ending the program in between is no way around the count. A passkey's secret can't
 * be guessed, so its failures are not counted.
 */
export async function tryLock(
  platform: Platform,
  header: VaultHeader & { readonly lock: Lock },
  secret: Uint8Array,
): Promise<LockTry> {
  const { lock } = header;
  const counted = lock.eraseAfter > 0 && lock.means.kind === "passphrase";
  const count = (failures: number) => ({
    ...header,
    lock: { ...lock, failures },
  });
  const failures = lock.failures + 1;
  if (counted) await storeHeader(platform.store, count(failures));
  const vaultKey = unlock(lock, secret);
  if (vaultKey) {
    if (counted) await storeHeader(platform.store, count(0));
    return { vaultKey, header: count(0) };
  }
  if (!counted) return { wrong: true };
  const triesLeft = lock.eraseAfter - failures;
  if (triesLeft > 0) return { wrong: true, triesLeft };
  await platform.erase();
  return "erased";
}
