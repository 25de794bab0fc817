import { concatBytes, equalBytes } from "@noble/ciphers/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { SignalError } from "./errors.ts";

/*
 * The first messages that a last-resort key has answered. Whoever recorded one could let it begin its session a
 * second time, so each is remembered as long as the key is kept: as 16 bytes, all in one array.
 */

/** What one key answers. To forget would be to answer again, so a key that has answered these answers no more. */
export const MAX_ANSWERED = 2_000;
/** Bytes remembered of a first message. */
export const DIGEST_LENGTH = 16;

export function countAnswered(answered: Uint8Array): number {
  return answered.length / DIGEST_LENGTH;
}

/**
 * `answered` with one first message more.
 * @throws SignalError `duplicate` when it is among them, `unknown-prekey` when there are too many
 */
export function rememberAnswered(
  answered: Uint8Array,
  signedPreKeyId: number,
  baseKey: Uint8Array,
): Uint8Array {
  const digest = digestOf(signedPreKeyId, baseKey);
  for (let at = 0; at < answered.length; at += DIGEST_LENGTH) {
    if (equalBytes(digest, answered.subarray(at, at + DIGEST_LENGTH))) {
      throw new SignalError("duplicate");
    }
  }
  if (countAnswered(answered) >= MAX_ANSWERED) {
    throw new SignalError("unknown-prekey");
  }
  return concatBytes(answered, digest);
}

function digestOf(signedPreKeyId: number, baseKey: Uint8Array): Uint8Array {
  const input = new Uint8Array(4 + baseKey.length);
  new DataView(input.buffer).setUint32(0, signedPreKeyId);
  input.set(baseKey, 4);
  return sha256(input).subarray(0, DIGEST_LENGTH);
}
