/** The backup key of an epoch. Devices have it in clear; the access key alone opens its box. docs/protocol.md § Backup. */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes, randomBytes } from "@noble/hashes/utils.js";
import { accountIdToBytes } from "../keys/mod.ts";
import { ByteWriter } from "../../wire/mod.ts";

export interface BackupKey {
  readonly epoch: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 72 bytes. */
  readonly box: Uint8Array;
}

const NONCE = 24;
/** nonce ‖ key ‖ tag */
export const BOX = NONCE + 32 + 16;
const LABEL = new TextEncoder().encode("whisper backup key v1");

/** A new key for an epoch, sealed under `sealKey` (32 bytes, from the access key). */
export function newBackupKey(
  accountId: string,
  sealKey: Uint8Array,
  epoch: number,
): BackupKey {
  const key = randomBytes(32);
  const nonce = randomBytes(NONCE);
  const sealed = cipherOf(accountId, sealKey, epoch, nonce).encrypt(key);
  return { epoch, key, box: concatBytes(nonce, sealed) };
}

/** The key in a box. Throws for a box of another account, epoch or access key, or one that was altered. */
export function openBox(
  accountId: string,
  sealKey: Uint8Array,
  epoch: number,
  box: Uint8Array,
): Uint8Array {
  const cipher = cipherOf(accountId, sealKey, epoch, box.slice(0, NONCE));
  return cipher.decrypt(box.slice(NONCE));
}

function cipherOf(
  accountId: string,
  sealKey: Uint8Array,
  epoch: number,
  nonce: Uint8Array,
) {
  const about = new ByteWriter(20).fixed(accountIdToBytes(accountId), 16)
    .u32(epoch).bytes;
  return xchacha20poly1305(sealKey, nonce, concatBytes(LABEL, about));
}
