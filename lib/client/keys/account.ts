/**
 * What an access key derives. The root exists only inside `deriveAccount`; the
 * account key and the recovery key exist while an account is made, a device
 * added or removed, or someone logs in. No device keeps any of them: wipe them.
 */
import { expand, hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type KeyPair, publicKeyOf } from "../../signal/mod.ts";
import type { AccessKey } from "./access_key.ts";
import { accountIdOf } from "./account_id.ts";
import { wipe } from "./wipe.ts";

/** The secrets of an account, all of them X25519 pairs in Signal's form (public 33 bytes, private 32). */
export interface Account {
  /**
   * Hyphenated UUID, version 8, of the account that has this as its first key. The id stays when the key
   * is changed, so an account of another key than its first has another one; see succession.ts.
   */
  readonly accountId: string;
  /** Signs the device list. */
  readonly accountKey: KeyPair;
  /** What is sealed to its public half opens with the access key. */
  readonly recovery: KeyPair;
  readonly backup: BackupSecrets;
}

/** What finds and opens the account's backup at a relay; 32 bytes each. */
export interface BackupSecrets {
  /** Seed of the Ed25519 pair that reads the blob. */
  readonly readSeed: Uint8Array;
  /** Seed of the Ed25519 pair that makes the blob, and gives it another write key. */
  readonly ownSeed: Uint8Array;
  /** Under it the backup key of an epoch is sealed. */
  readonly sealKey: Uint8Array;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Derives the account of an access key. The intermediate root is wiped before this returns. */
export function deriveAccount(key: AccessKey): Account {
  const root = hkdf(sha256, key, undefined, utf8("whisper account v1"), 32);
  try {
    const accountKey = keyPairFrom(root, "whisper account key v1");
    const recovery = keyPairFrom(root, "whisper recovery key v1");
    return {
      accountId: accountIdOf(accountKey.publicKey),
      accountKey,
      recovery,
      backup: {
        readSeed: expand(sha256, root, utf8("whisper backup read v1"), 32),
        ownSeed: expand(sha256, root, utf8("whisper backup own v1"), 32),
        sealKey: expand(sha256, root, utf8("whisper backup key v1"), 32),
      },
    };
  } finally {
    wipe(root);
  }
}

/** Wipes the private halves, and what finds and opens the backup. */
export function wipeAccount(
  { accountKey, recovery, backup }: Account,
): void {
  wipe(accountKey.privateKey, recovery.privateKey);
  wipe(backup.readSeed, backup.ownSeed, backup.sealKey);
}

function keyPairFrom(root: Uint8Array, label: string): KeyPair {
  const privateKey = expand(sha256, root, utf8(label), 32);
  privateKey[0] &= 248;
  privateKey[31] = (privateKey[31] & 127) | 64;
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}
