/**
 * What lies at the relay for who has a link, sealed under what follows from its secret and signed by
 * who gave it out. The signature is for those who have the link too: with the secret alone, and the
 * relay's help, one of them could otherwise pass for the inviter with the next.
 *
 * sealed = nonce 24 ‖ XChaCha20-Poly1305(seal key, nonce, signature 64 ‖ padded), AD = context
 * padded = length u16 ‖ message ‖ zeros                      signature over context ‖ padded
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import {
  type Ed25519Pair,
  signEd25519,
  verifyEd25519,
} from "../../wire/mod.ts";
import { MalformedError } from "../keys/mod.ts";

const NONCE = 24;
const TAG = 16;
const SIGNATURE = 64;
const LENGTH = 2;

/** Bytes that a sealed message is longer than its padding. */
export const SEALED_OVERHEAD = NONCE + TAG + SIGNATURE;

/** What is sealed, for which relay, under which name: nothing opens in another's place. */
export interface SealedContext {
  readonly what: "whose" | "place";
  /** 32 bytes. */
  readonly relayKey: Uint8Array;
  /** Of the blob or pool it lies in, 16 bytes. */
  readonly at: Uint8Array;
}

function contextBytes({ what, relayKey, at }: SealedContext): Uint8Array {
  return concatBytes(
    utf8ToBytes(`whisper invitation v1 ${what}`),
    relayKey,
    at,
  );
}

/** Throws `RangeError` for a message that `size` bytes, its length among them, do not take. */
export async function sealSigned(
  context: SealedContext,
  key: Uint8Array,
  own: Ed25519Pair,
  message: Uint8Array,
  size: number,
): Promise<Uint8Array> {
  const about = contextBytes(context);
  const padded = pad(message, size);
  const signature = await signEd25519(own, concatBytes(about, padded));
  const nonce = randomBytes(NONCE);
  const box = xchacha20poly1305(key, nonce, about);
  return concatBytes(nonce, box.encrypt(concatBytes(signature, padded)));
}

/** @throws {MalformedError} for what is not sealed under `key`, or not signed by `ownKey`, in this place */
export async function openSigned(
  context: SealedContext,
  key: Uint8Array,
  ownKey: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  const about = contextBytes(context);
  const opened = open(key, about, sealed);
  const signature = opened.subarray(0, SIGNATURE);
  const padded = opened.subarray(SIGNATURE);
  const signed = await verifyEd25519(
    ownKey,
    concatBytes(about, padded),
    signature,
  );
  if (!signed) throw new MalformedError("signature");
  return unpad(padded);
}

function open(
  key: Uint8Array,
  about: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  if (sealed.length < SEALED_OVERHEAD + LENGTH) {
    throw new MalformedError("length");
  }
  try {
    return xchacha20poly1305(key, sealed.subarray(0, NONCE), about)
      .decrypt(sealed.subarray(NONCE));
  } catch {
    throw new MalformedError("seal");
  }
}

/** length u16 ‖ message ‖ zeros, `size` bytes. Throws `RangeError` when it does not fit. */
export function pad(message: Uint8Array, size: number): Uint8Array {
  if (message.length + LENGTH > size) throw new RangeError("does not fit");
  const padded = new Uint8Array(size);
  padded.set([message.length >> 8, message.length & 0xff]);
  padded.set(message, LENGTH);
  return padded;
}

/** @throws {MalformedError} */
export function unpad(padded: Uint8Array): Uint8Array {
  const end = LENGTH + (padded[0] << 8 | padded[1]);
  if (end > padded.length) throw new MalformedError("length");
  if (padded.subarray(end).some((byte) => byte !== 0)) {
    throw new MalformedError("padding");
  }
  return padded.slice(LENGTH, end);
}
