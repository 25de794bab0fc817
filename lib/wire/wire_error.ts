/** Why bytes from the wire were refused. */
export type WireErrorCode =
  | "frame-size" // not one of the seven sizes
  | "malformed" // a command's body has the wrong shape, or padding is not zero
  | "unknown-command" // a type byte that version 1 does not define
  | "too-large" // what was to be sent fits no frame
  | "version" // HELLO of another protocol version
  | "signature"; // HELLO not signed by the key it names

/** Bytes that are not version 1 of the protocol. Carries no part of them. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
