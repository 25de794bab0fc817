/**
 * What crosses the wire between a client and a relay: frames, commands, and
 * what the credentials sign. No I/O, no state. docs/protocol.md § Relay.
 */
export * from "./answers.ts";
export {
  type Command,
  COMMAND_TYPES,
  type CommandBody,
  type CommandType,
  type Role,
  ROLES,
} from "./command.ts";
export { bindMessage, queueId, rendezvousMessage } from "./credentials.ts";
export { ed25519Signer, type Signer, verifyEd25519 } from "./ed25519.ts";
export { ERROR_CODES, type ErrorName } from "./error_code.ts";
export { decodeFrame, encodeFrame } from "./frame.ts";
export {
  encodeHello,
  FEATURES,
  type Hello,
  MAX_URL,
  parseHello,
  PROTOCOL_VERSION,
} from "./hello.ts";
export {
  COMMAND_HEADER,
  ENVELOPE_OVERHEAD,
  ENVELOPE_SIZES,
  FRAME_SIZES,
  MAX_FRAME,
  MAX_PASS,
} from "./sizes.ts";
export { WireError, type WireErrorCode } from "./wire_error.ts";
export { checkWork, solveWork, type WorkTask } from "./work.ts";
