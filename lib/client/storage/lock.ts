/**
 * What opens the vault while a lock is set: the vault key, wrapped under a secret that is not on this
 * disk. It is stretched from a passphrase, or an authenticator computes it (a passkey).
 *
 * wrapping = nonce 24 ‖ XChaCha20-Poly1305(HKDF(secret, "whisper vault lock v1"), vault key)
 * AD       = "whisper vault lock v1" ‖ how it is opened, encoded
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { Fields, MalformedError, wipe, writeMessage } from "../keys/mod.ts";
import { DamagedError } from "./errors.ts";

/** What stretching costs: Argon2id's memory in KiB, passes and lanes. */
export interface StretchCost {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/** How the secret comes about; needed before it is there, so it lies in clear. */
export type LockMeans =
  | {
    readonly kind: "passphrase";
    /** 16 bytes. */
    readonly salt: Uint8Array;
    readonly cost: StretchCost;
  }
  | {
    readonly kind: "passkey";
    /** Which passkey, as the authenticator named it. */
    readonly credential: Uint8Array;
    /** 32 bytes that the authenticator computes the secret from. */
    readonly salt: Uint8Array;
  };

export interface Lock {
  readonly means: LockMeans;
  readonly wrapping: Uint8Array;
  /** Wrong passphrases in a row after which everything is erased; 0: never. */
  readonly eraseAfter: number;
  /** Wrong passphrases since the last right one, counted only while they matter. */
  readonly failures: number;
}

/** A lock before it is set. `secret`: 32 bytes, still the caller's to wipe. */
export interface NewLock {
  readonly means: LockMeans;
  readonly secret: Uint8Array;
  readonly eraseAfter: number;
}

export const SALT_LENGTH = { passphrase: 16, passkey: 32 } as const;

const LABEL = utf8ToBytes("whisper vault lock v1");
const NONCE_LENGTH = 24;
const KINDS = ["passphrase", "passkey"] as const;
const MAX_U32 = 0xffff_ffff;

/** Wraps `vaultKey` so that only the secret opens it. */
export function lockUp(
  { means, secret, eraseAfter }: NewLock,
  vaultKey: Uint8Array,
): Lock {
  const nonce = randomBytes(NONCE_LENGTH);
  const wrapping = concatBytes(
    nonce,
    box(secret, nonce, means, (cipher) => cipher.encrypt(vaultKey)),
  );
  return { means, wrapping, eraseAfter, failures: 0 };
}

/** The vault key; undefined when the secret is not the lock's. */
export function unlock(
  { means, wrapping }: Lock,
  secret: Uint8Array,
): Uint8Array | undefined {
  const nonce = wrapping.subarray(0, NONCE_LENGTH);
  try {
    return box(
      secret,
      nonce,
      means,
      (cipher) => cipher.decrypt(wrapping.subarray(NONCE_LENGTH)),
    );
  } catch {
    // The header's checksum held, so it is the secret that does not fit.
    return undefined;
  }
}

function box<T>(
  secret: Uint8Array,
  nonce: Uint8Array,
  means: LockMeans,
  use: (cipher: ReturnType<typeof xchacha20poly1305>) => T,
): T {
  const key = hkdf(sha256, secret, undefined, LABEL, 32);
  try {
    const context = concatBytes(LABEL, encodeMeans(means));
    return use(xchacha20poly1305(key, nonce, context));
  } finally {
    wipe(key);
  }
}

/** A lock as it lies in the vault's header. */
export function encodeLock(lock: Lock): Uint8Array {
  return writeMessage((writer) => {
    writer.writeBytesField(1, encodeMeans(lock.means));
    writer.writeBytesField(2, lock.wrapping);
    writer.writeVarintField(3, lock.eraseAfter);
    writer.writeVarintField(4, lock.failures);
  });
}

/** @throws {DamagedError} */
export function parseLock(bytes: Uint8Array): Lock {
  try {
    const fields = new Fields(bytes);
    return {
      means: parseMeans(new Fields(fields.bytes(1))),
      wrapping: fields.bytes(2),
      eraseAfter: fields.uint(3, 0, MAX_U32),
      failures: fields.uint(4, 0, MAX_U32),
    };
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new DamagedError("its lock can't be read", { cause });
  }
}

function encodeMeans(means: LockMeans): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, 1 + KINDS.indexOf(means.kind));
    writer.writeBytesField(2, means.salt);
    if (means.kind === "passkey") {
      writer.writeBytesField(3, means.credential);
    } else {
      writer.writeVarintField(4, means.cost.memory);
      writer.writeVarintField(5, means.cost.passes);
      writer.writeVarintField(6, means.cost.lanes);
    }
  });
}

function parseMeans(fields: Fields): LockMeans {
  const kind = KINDS[fields.uint(1, 1, KINDS.length) - 1];
  const salt = fields.bytes(2, SALT_LENGTH[kind]);
  if (kind === "passkey") return { kind, salt, credential: fields.bytes(3) };
  return {
    kind,
    salt,
    cost: {
      memory: fields.uint(4, 1, MAX_U32),
      passes: fields.uint(5, 1, MAX_U32),
      lanes: fields.uint(6, 1, MAX_U32),
    },
  };
}
