/** Why the Signal layer refused. A caller acts on the code; the message is for a person. */
export type SignalErrorCode =
  /** Bytes that do not parse, or a value outside its range. */
  | "malformed"
  /** A message or stored session of a version this code does not speak (X3DH included). */
  | "version"
  /** A key of the wrong form, of low order, or not the identity the session was made with. */
  | "invalid-key"
  /** A signature in a prekey bundle does not verify. */
  | "invalid-signature"
  /** No held state of the session can open this message. */
  | "invalid-mac"
  /** This message was decrypted before (or its key is no longer kept). */
  | "duplicate"
  /** More messages are missing before this one than may be skipped. */
  | "too-far-ahead"
  /** The post-quantum ratchet part of the message does not continue this session. */
  | "pq-ratchet"
  /** There is no session with this device. */
  | "no-session"
  /** 30 days without an answer to a session we began: a fresh bundle is needed. */
  | "unanswered"
  /** A prekey named by the message is not (or no longer) held. */
  | "unknown-prekey"
  /** The other device has another identity key than expected: see `IdentityChangedError`. */
  | "identity-changed"
  /** The message names another sender or recipient, or an address is not usable. */
  | "wrong-address";

const MESSAGES: Record<SignalErrorCode, string> = {
  "malformed": "the message or record is malformed",
  "version": "the message or record has an unsupported version",
  "invalid-key": "a key is not acceptable",
  "invalid-signature": "a prekey signature does not verify",
  "invalid-mac": "the message is not authentic in any held session state",
  "duplicate": "the message was already received",
  "too-far-ahead": "the message is too far ahead of the last one received",
  "pq-ratchet": "the post-quantum ratchet cannot follow the message",
  "no-session": "there is no session with this device",
  "unanswered": "the session stayed unanswered for too long",
  "unknown-prekey": "the message uses a prekey that is not held",
  "identity-changed": "the device has another identity key than expected",
  "wrong-address": "the message is for or from another address",
};

/** Every failure of this layer. Neither the message nor the cause ever holds key material or content. */
export class SignalError extends Error {
  override readonly name = "SignalError";

  constructor(readonly code: SignalErrorCode, detail?: string) {
    super(
      detail === undefined ? MESSAGES[code] : `${MESSAGES[code]}: ${detail}`,
    );
  }
}

/**
 * The other device has another identity key than the caller expects or its session was made with: someone began
 * anew there, or sits in between. Nothing has changed by it. Whether to trust the key is the caller's decision; who
 * does calls again with it as `identityKey`.
 */
export class IdentityChangedError extends SignalError {
  /** `identityKey`: 33 bytes. Who wrote the message, or signed the bundle, has proved to hold its private half. */
  constructor(readonly identityKey: Uint8Array) {
    super("identity-changed");
  }
}
