/**
 * What a queue carries: a Signal message sealed once more, so that the relay
 * sees random bytes of one of seven lengths. docs/protocol.md § Envelopes.
 *
 * envelope = nonce 24 ‖ XChaCha20-Poly1305(seal key, inner), AD = "whisper envelope v1" ‖ queue id 16
 * inner    = kind u8 (1: whole) ‖ sender's device u8 ‖ length u16 ‖ type u8 ‖ Signal message ‖ zeros
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { ENVELOPE_SIZES } from "../../wire/mod.ts";

/** A Signal message as `lib/signal` makes and reads it: 2 in a session, 3 with a PreKey wrapping. */
export interface SignalMessage {
  readonly type: 2 | 3;
  readonly bytes: Uint8Array;
}

/** Not a Signal message but an announcement: see devices/announcement.ts. */
export const ANNOUNCEMENT = 9;

/** What an envelope carries. */
export type Carried =
  | SignalMessage
  | { readonly type: typeof ANNOUNCEMENT; readonly bytes: Uint8Array };

/** The queue it is for, and the symmetric key of that queue's address. */
export interface EnvelopeKey {
  /** 32 bytes. */
  readonly sealKey: Uint8Array;
  /** 16 bytes. */
  readonly queue: Uint8Array;
}

export interface OpenedEnvelope {
  /** 1..127. As the sender says: the Signal session, or a signature, is what proves it. */
  readonly senderDevice: number;
  readonly message: Carried;
}

export type EnvelopeErrorCode =
  /** Not one of the lengths of an envelope. */
  | "size"
  /** Not sealed with this key for this queue, or changed on the way. */
  | "unreadable"
  /** Sealed by a contact, and not as described here. */
  | "malformed"
  /** A kind of a later version. */
  | "unsupported";

/** An envelope that can't be opened. */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError";
  readonly code: EnvelopeErrorCode;

  constructor(code: EnvelopeErrorCode, options?: ErrorOptions) {
    super(`an envelope can't be opened: ${code}`, options);
    this.code = code;
  }
}

const LABEL = utf8ToBytes("whisper envelope v1");
const NONCE_LENGTH = 24;
const TAG_LENGTH = 16;
const HEADER_LENGTH = 5;
const WHOLE = 1;

/** Bytes of an envelope that are not Signal message: 45. */
export const ENVELOPE_WRAPPING = NONCE_LENGTH + TAG_LENGTH + HEADER_LENGTH;

/** The longest Signal message that an envelope takes: 32,691 bytes. */
export const MAX_SIGNAL_MESSAGE = Math.max(...ENVELOPE_SIZES) -
  ENVELOPE_WRAPPING;

/**
 * Seals a message into the smallest envelope that takes it.
 * @param senderDevice 1..127
 * @throws {RangeError} beyond `MAX_SIGNAL_MESSAGE`, which a content within its limits never reaches
 */
export function sealEnvelope(
  { sealKey, queue }: EnvelopeKey,
  senderDevice: number,
  message: Carried,
): Uint8Array {
  const { type, bytes } = message;
  const size = ENVELOPE_SIZES.find((size) =>
    size >= bytes.length + ENVELOPE_WRAPPING
  );
  if (size === undefined) {
    throw new RangeError("a Signal message is too long for an envelope");
  }
  const inner = new Uint8Array(size - NONCE_LENGTH - TAG_LENGTH);
  inner.set([
    WHOLE,
    senderDevice,
    bytes.length >> 8,
    bytes.length & 0xff,
    type,
  ]);
  inner.set(bytes, HEADER_LENGTH);
  const nonce = randomBytes(NONCE_LENGTH);
  const box = xchacha20poly1305(sealKey, nonce, concatBytes(LABEL, queue));
  return concatBytes(nonce, box.encrypt(inner));
}

/** @throws {EnvelopeError} */
export function openEnvelope(
  { sealKey, queue }: EnvelopeKey,
  envelope: Uint8Array,
): OpenedEnvelope {
  if (!ENVELOPE_SIZES.includes(envelope.length)) {
    throw new EnvelopeError("size");
  }
  const nonce = envelope.subarray(0, NONCE_LENGTH);
  let inner: Uint8Array;
  try {
    inner = xchacha20poly1305(sealKey, nonce, concatBytes(LABEL, queue))
      .decrypt(envelope.subarray(NONCE_LENGTH));
  } catch (cause) {
    throw new EnvelopeError("unreadable", { cause });
  }
  const [kind, senderDevice, high, low, type] = inner;
  if (kind !== WHOLE) throw new EnvelopeError("unsupported");
  const end = HEADER_LENGTH + (high << 8 | low);
  const wellFormed = senderDevice >= 1 && senderDevice <= 127 &&
    end <= inner.length &&
    inner.subarray(end).every((byte) => byte === 0);
  const known = type === 2 || type === 3 || type === ANNOUNCEMENT;
  if (!wellFormed || !known) throw new EnvelopeError("malformed");
  return {
    senderDevice,
    message: { type, bytes: inner.slice(HEADER_LENGTH, end) },
  };
}
