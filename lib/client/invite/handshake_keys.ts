/**
 * The messages of the handshake as bytes, and the keys that follow from them.
 * docs/protocol.md § Invite codes has the same in words.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { wipe } from "../keys/mod.ts";
import { CARD_SIZES } from "./card.ts";
import { lvCat } from "./cpace.ts";

export const INVITE_VERSION = 1;
export const SESSION_ID = 16;
export const SHARE = 32;
export const TAG = 32;
export const KEM_PUBLIC_KEY = 1184;
export const KEM_CIPHERTEXT = 1088;
export const KEM_SEED = { inviter: 32, joiner: 64 } as const;
export const ISK = 64;
/** A ChaCha key and an XChaCha nonce. */
export const CARD_KEY = 32 + 24;
const SEAL = 16;

const INVITER_0 = 1 + SESSION_ID + SHARE + 6;
const JOINER_0 = SHARE + KEM_PUBLIC_KEY + TAG;
const SEALED_CARDS = CARD_SIZES.map((size) => size + SEAL);

/** Whether a message can be what its sender and index say, by its length alone. */
export function hasMessageLength(
  sender: "inviter" | "joiner",
  index: 0 | 1,
  length: number,
): boolean {
  if (index === 0) {
    return length === (sender === "inviter" ? INVITER_0 : JOINER_0);
  }
  const before = sender === "inviter" ? KEM_CIPHERTEXT + TAG : 0;
  return SEALED_CARDS.includes(length - before);
}

/** Inviter's message 0: version (1) ‖ sid (16) ‖ Ya (32) ‖ expiry (6). */
export interface Opening {
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly share: Uint8Array;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

const EXPIRY_AT = 1 + SESSION_ID + SHARE;

export function encodeOpening(opening: Opening): Uint8Array {
  return concatBytes(
    Uint8Array.of(opening.version),
    opening.sessionId,
    opening.share,
    u48(opening.expiresAt),
  );
}

/** `bytes` must have the length that `hasMessageLength` asks for. */
export function readOpening(bytes: Uint8Array): Opening {
  return {
    version: bytes[0],
    sessionId: bytes.slice(1, 1 + SESSION_ID),
    share: bytes.slice(1 + SESSION_ID, EXPIRY_AT),
    expiresAt: bytes.subarray(EXPIRY_AT)
      .reduce((value, byte) => value * 256 + byte, 0),
  };
}

/** Joiner's message 0: Yb (32) ‖ ML-KEM-768 public key (1184) ‖ tag (32). */
export function readProof(bytes: Uint8Array) {
  return {
    share: bytes.slice(0, SHARE),
    kemPublicKey: bytes.slice(SHARE, SHARE + KEM_PUBLIC_KEY),
    tag: bytes.slice(SHARE + KEM_PUBLIC_KEY),
  };
}

/** Inviter's message 1: KEM ciphertext (1088) ‖ tag (32) ‖ sealed card. */
export function readAnswer(bytes: Uint8Array) {
  return {
    kemCiphertext: bytes.slice(0, KEM_CIPHERTEXT),
    tag: bytes.slice(KEM_CIPHERTEXT, KEM_CIPHERTEXT + TAG),
    sealedCard: bytes.slice(KEM_CIPHERTEXT + TAG),
  };
}

function u48(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes.subarray(2);
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** CI: the same code at another relay, or under another nameplate, is another password. */
export function channelOf(relayKey: Uint8Array, nameplate: number): Uint8Array {
  const plate = new Uint8Array(4);
  new DataView(plate.buffer).setUint32(0, nameplate);
  return concatBytes(
    utf8("whisper invite v1"),
    relayKey,
    plate,
  );
}

/** AD: role (0 inviter, 1 joiner) ‖ version ‖ expiry (6). */
export function associatedData(
  role: "inviter" | "joiner",
  opening: Opening,
): Uint8Array {
  return concatBytes(
    Uint8Array.of(role === "inviter" ? 0 : 1, opening.version),
    u48(opening.expiresAt),
  );
}

/** SHA-256 over the channel and what has been said so far, each part with its length. */
export function transcript(...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(lvCat(...parts));
}

/** A side's proof that it has the same ISK and saw the same transcript: 32 bytes. */
export function confirmationTag(
  isk: Uint8Array,
  role: "inviter" | "joiner",
  said: Uint8Array,
): Uint8Array {
  return hkdf(sha256, isk, said, utf8(`whisper invite v1 ${role} tag`), TAG);
}

/** The key and nonce of a side's card. One card is ever sealed under it: it follows from everything said before. */
export function cardKey(
  isk: Uint8Array,
  kemSecret: Uint8Array,
  role: "inviter" | "joiner",
  said: Uint8Array,
): Uint8Array {
  const both = concatBytes(isk, kemSecret);
  const info = utf8(`whisper invite v1 ${role} card`);
  const key = hkdf(sha256, both, said, info, CARD_KEY);
  wipe(both);
  return key;
}

export function sealCard(key: Uint8Array, card: Uint8Array): Uint8Array {
  return cardCipher(key).encrypt(card);
}

/** The card, padded, or undefined when it was not sealed under this key. */
export function openCard(
  key: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  try {
    return cardCipher(key).decrypt(sealed);
  } catch {
    return undefined; // noble throws for a tag that does not match
  }
}

function cardCipher(key: Uint8Array) {
  return xchacha20poly1305(key.subarray(0, 32), key.subarray(32));
}
