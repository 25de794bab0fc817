/** Where a lock's secret comes from: a passphrase that is stretched, or an authenticator that computes it. */
import type { StretchCost } from "../storage/mod.ts";

/**
 * Argon2id (RFC 9106) of a passphrase: 32 bytes. Takes about a second and `cost.memory` KiB, so it is
 * done where nobody waits for the screen.
 */
export type Stretch = (
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: StretchCost,
) => Promise<Uint8Array>;

/** What a new lock costs: the second choice of RFC 9106, for machines that have no 2 GiB to spare. */
export const STRETCH_COST: StretchCost = {
  memory: 64 * 1024,
  passes: 3,
  lanes: 4,
};

/** Fewer characters are tried out quickly, whatever each try costs. */
export const MIN_PASSPHRASE = 8;

/** The passphrase as bytes: the same whichever way a keyboard composes its letters. */
export function passphraseBytes(passphrase: string): Uint8Array {
  return new TextEncoder().encode(passphrase.normalize("NFKC"));
}

/** How many characters a person would count. */
export function passphraseLength(passphrase: string): number {
  return [...passphrase.normalize("NFKC")].length;
}

/** Passkeys that compute a secret of 32 bytes from a salt (WebAuthn's PRF extension). */
export interface Passkeys {
  /** Makes a passkey, and its secret for `salt` (32 bytes). @throws {NoPasskeyError} */
  create(
    salt: Uint8Array,
  ): Promise<{ credential: Uint8Array; secret: Uint8Array }>;
  /** The secret again. @throws {NoPasskeyError} */
  secret(credential: Uint8Array, salt: Uint8Array): Promise<Uint8Array>;
}

/** There is no passkey to be had: called off, not there, or one that computes no secrets. */
export class NoPasskeyError extends Error {
  override readonly name = "NoPasskeyError";
  constructor(options?: ErrorOptions) {
    super("The passkey did not answer, or can't be used for this.", options);
  }
}
