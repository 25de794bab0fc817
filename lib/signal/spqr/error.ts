/** What went wrong, as far as a caller can act on it. */
export type SpqrErrorCode =
  /** Bytes that are no message, or no state, of this protocol. */
  | "malformed"
  /** The peer wants to go without post-quantum keys (version 0), or the stored state is of a newer format. */
  | "version"
  /** The key of this message was given out before. */
  | "duplicate"
  /** The key of this message was too far behind and has been erased. */
  | "expired"
  /** The message lies further ahead than we are willing to compute. */
  | "too-far-ahead"
  /** An epoch that cannot follow from what both sides have exchanged. */
  | "unknown-epoch"
  /** A header or ciphertext that the peer's authenticator did not make. */
  | "invalid-mac"
  /** An encapsulation key that is not the announced one or not a valid one. */
  | "invalid-key";

/** The only error this folder throws on account of what it was given. Its message holds no secret. */
export class SpqrError extends Error {
  override readonly name = "SpqrError";

  constructor(readonly code: SpqrErrorCode, message: string) {
    super(message);
  }
}
