import { concatBytes } from "@noble/ciphers/utils.js";
import { SignalError } from "./errors.ts";
import { x25519 } from "./x25519.ts";

/** A Curve25519 key pair as Signal writes it. */
export interface KeyPair {
  /** 33 bytes: 0x05 ‖ u. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
}

const CURVE25519 = 0x05;

/** Writes a u coordinate (32) as a Signal public key (33). */
export function encodePublicKey(u: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(CURVE25519), u);
}

/** The u coordinate (32) of a Signal public key (33). @throws SignalError `invalid-key` */
export function decodePublicKey(publicKey: Uint8Array): Uint8Array {
  if (!isPublicKey(publicKey)) throw new SignalError("invalid-key");
  return publicKey.subarray(1);
}

/** Whether the bytes have the form 0x05 ‖ u (33). */
export function isPublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === 33 && publicKey[0] === CURVE25519;
}

/** A new private key (32) from the platform's randomness, clamped (RFC 7748 section 5). */
export function generatePrivateKey(): Uint8Array {
  const privateKey = crypto.getRandomValues(new Uint8Array(32));
  privateKey[0] &= 248;
  privateKey[31] = (privateKey[31] & 127) | 64;
  return privateKey;
}

/** A new key pair from the platform's randomness. */
export async function generateKeyPair(): Promise<KeyPair> {
  return await keyPairOf(generatePrivateKey());
}

/** A key pair whose public half is still being computed. */
interface PendingKeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Promise<Uint8Array>;
}

/** At most one, in memory only, given once. */
let ahead: PendingKeyPair | undefined;

/** Begins the key pair of the next `generateAndAgree`, so that it does not wait for it. */
export function prepareKeyPair(): void {
  ahead ??= beginKeyPair();
}

function beginKeyPair(): PendingKeyPair {
  const privateKey = generatePrivateKey();
  const publicKey = x25519()
    .then((implementation) => implementation.publicKey(privateKey))
    .then(encodePublicKey);
  publicKey.catch(() => {}); // whoever takes the pair hears of it
  return { privateKey, publicKey };
}

/**
 * A new key pair and its shared secrets (32) with each of `theirs`, computed side by side.
 * @throws SignalError `invalid-key` for a malformed public key or an all-zero result
 */
export async function generateAndAgree(
  ...theirs: Uint8Array[]
): Promise<{ keyPair: KeyPair; secrets: Uint8Array[] }> {
  const pending = ahead ?? beginKeyPair();
  ahead = undefined;
  const { privateKey } = pending;
  const [publicKey, ...secrets] = await Promise.all([
    pending.publicKey,
    ...theirs.map((key) => agree(privateKey, key)),
  ]);
  return { keyPair: { privateKey, publicKey }, secrets };
}

/** The key pair of a private key (32). */
export async function keyPairOf(privateKey: Uint8Array): Promise<KeyPair> {
  const u = await (await x25519()).publicKey(privateKey);
  return { privateKey, publicKey: encodePublicKey(u) };
}

/**
 * Diffie-Hellman: 32 bytes.
 * @throws SignalError `invalid-key` for a malformed public key or an all-zero result
 */
export async function agree(
  privateKey: Uint8Array,
  publicKey: Uint8Array,
): Promise<Uint8Array> {
  const u = decodePublicKey(publicKey);
  if (privateKey.length !== 32) throw new SignalError("invalid-key");
  return await (await x25519()).agree(privateKey, u);
}
