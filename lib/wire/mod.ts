/**
 * What crosses the wire between a client and a relay: frames, commands, and
 * what the credentials sign. No I/O, no state. docs/protocol.md § Relay.
 * Not among it: access_seed.ts, which a page fetches when it is needed.
 */
export * from "./answers.ts";
export * from "./blob_answers.ts";
export { ByteReader, ByteWriter } from "./byte_cursor.ts";
export { type Unsigned } from "./blob_codec.ts";
export {
  type BlobCommand,
  type FillPool,
  type GetChunk,
  type GetState,
  type MakeBlob,
  type MakePool,
  type PutChunk,
} from "./blob_command.ts";
export {
  type Command,
  COMMAND_TYPES,
  type CommandBody,
  type CommandType,
  type Role,
  ROLES,
} from "./command.ts";
export {
  bindMessage,
  blobId,
  poolId,
  proofMessage,
  queueId,
  rendezvousMessage,
} from "./credentials.ts";
export { accessMessage } from "./access.ts";
export {
  type Ed25519Pair,
  ed25519PairOf,
  ed25519Signer,
  newEd25519Pair,
  signEd25519,
  type Signer,
  verifyEd25519,
} from "./ed25519.ts";
export { ERROR_CODES, type ErrorName } from "./error_code.ts";
export {
  type Act,
  type ForwardCommand,
  ONE_SHOTS,
  type OneShotCommand,
  type OneShotType,
} from "./forward_command.ts";
export * from "./forward_answers.ts";
export {
  greetingKey,
  oneShotMessage,
  type UnsignedOneShot,
} from "./one_shot_codec.ts";
export {
  decodeForwarded,
  decodeForwardedReply,
  encodeForwarded,
  encodeForwardedReply,
  type ForwardedCommand,
  type ForwardedReply,
} from "./forwarded.ts";
export {
  FORWARD_EPHEMERAL,
  type ForwardBinding,
  ForwardSeal,
} from "./forward_seal.ts";
export { decodeFrame, encodeFrame } from "./frame.ts";
export {
  decodeUrl,
  encodeHello,
  FEATURES,
  type Hello,
  parseHello,
  PROTOCOL_VERSION,
} from "./hello.ts";
export { encodeUrl, MAX_URL } from "./relay_url.ts";
export {
  chunkCount,
  chunkSize,
  COMMAND_HEADER,
  ENVELOPE_OVERHEAD,
  ENVELOPE_SIZES,
  FRAME_SIZES,
  MAX_CHUNK,
  MAX_FRAME,
  MAX_PASS,
  SEALED_SIZES,
} from "./sizes.ts";
export { WireError, type WireErrorCode } from "./wire_error.ts";
export { checkWork, solveWork, type WorkTask } from "./work.ts";
