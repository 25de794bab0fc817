/**
 * Sealing to a public X25519 key whose private half is not at hand: vault
 * keys and remove keys are sealed to the recovery key, and opened by whoever
 * enters the access key.
 *
 * Box = version 1 (1) ‖ ephemeral public key (32) ‖ XChaCha20-Poly1305
 * ciphertext ‖ tag (16). Key and nonce come from HKDF over the shared secret
 * with both public keys as salt; a fresh ephemeral key makes them single-use.
 * The sender is not authenticated: anyone can seal to a public key.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { agree, generateKeyPair, type KeyPair } from "../../signal/mod.ts";
import { wipe } from "./wipe.ts";

/** A box that does not open: not for this key, not for this purpose, or changed on the way. */
export class SealedBoxError extends Error {
  constructor() {
    super("the sealed box does not open with this key");
    this.name = "SealedBoxError";
  }
}

const VERSION = 1;
const HEADER = 33;
const TAG = 16;
/** The type byte of a Curve25519 key in Signal's form; the box leaves it out. */
const KEY_TYPE = 0x05;

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Bytes that a box is longer than what it seals. */
export const SEALED_BOX_OVERHEAD = HEADER + TAG;

/**
 * Seals `plaintext` to `recipient` (33 bytes).
 * @param purpose names what is inside; a box opens only under the same purpose, so that one can't be passed off as another
 */
export async function sealToKey(
  recipient: Uint8Array,
  plaintext: Uint8Array,
  purpose: string,
): Promise<Uint8Array> {
  const ephemeral = await generateKeyPair();
  const secret = await agree(ephemeral.privateKey, recipient);
  const header = concatBytes(
    Uint8Array.of(VERSION),
    ephemeral.publicKey.subarray(1),
  );
  const okm = boxKeys(secret, ephemeral.publicKey, recipient, purpose);
  const sealed = cipher(okm, header).encrypt(plaintext);
  wipe(ephemeral.privateKey, secret, okm);
  return concatBytes(header, sealed);
}

/**
 * Opens a box sealed to `recipient`.
 * @throws {SealedBoxError}
 */
export async function openSealed(
  recipient: KeyPair,
  box: Uint8Array,
  purpose: string,
): Promise<Uint8Array> {
  if (box.length < SEALED_BOX_OVERHEAD || box[0] !== VERSION) {
    throw new SealedBoxError();
  }
  const header = box.subarray(0, HEADER);
  const ephemeral = concatBytes(Uint8Array.of(KEY_TYPE), header.subarray(1));
  let secret: Uint8Array;
  try {
    secret = await agree(recipient.privateKey, ephemeral);
  } catch {
    // agree refuses an ephemeral key of low order; no honest sender makes one.
    throw new SealedBoxError();
  }
  const okm = boxKeys(secret, ephemeral, recipient.publicKey, purpose);
  try {
    return cipher(okm, header).decrypt(box.subarray(HEADER));
  } catch {
    throw new SealedBoxError();
  } finally {
    wipe(secret, okm);
  }
}

/** 32-byte key ‖ 24-byte nonce. */
function boxKeys(
  secret: Uint8Array,
  ephemeral: Uint8Array,
  recipient: Uint8Array,
  purpose: string,
): Uint8Array {
  const salt = concatBytes(ephemeral, recipient);
  const info = utf8(`whisper sealed box v1 ${purpose}`);
  return hkdf(sha256, secret, salt, info, 32 + 24);
}

function cipher(okm: Uint8Array, header: Uint8Array) {
  return xchacha20poly1305(okm.subarray(0, 32), okm.subarray(32), header);
}
