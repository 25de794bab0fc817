/**
 * The Signal Protocol between two devices, byte-compatible with libsignal: PQXDH, the Double Ratchet and SPQR.
 * Pure: bytes and state in, bytes and new state out. A call that throws has changed nothing. Knows no storage,
 * clock or network; randomness comes from the platform.
 */
export type { Address } from "./address.ts";
export {
  closeIfLost,
  decryptionErrorOf,
  encodeDecryptionError,
  encodePlaintextContent,
  parseDecryptionError,
  parsePlaintextContent,
  PLAINTEXT,
} from "./decryption_error.ts";
export type { DecryptionError } from "./decryption_error.ts";
export { IdentityChangedError, SignalError } from "./errors.ts";
export type { SignalErrorCode } from "./errors.ts";
export { agree, generateKeyPair, keyPairOf } from "./keys.ts";
export type { KeyPair } from "./keys.ts";
export { PREKEY, WHISPER } from "./messages.ts";
export type { CiphertextMessage } from "./messages.ts";
export {
  describePreKeyStock,
  preKeySourceOf,
  takeBack as takeBackPreKeys,
  usePreKeys,
} from "./prekey_stock.ts";
export { giveBundle, lastResortBundle } from "./prekey_giving.ts";
export type { PreKeyStock, PreKeyStockInfo } from "./prekey_stock.ts";
export {
  parsePreKeyStock,
  serializePreKeyStock,
} from "./prekey_stock_codec.ts";
export {
  createPreKeyStock,
  keepUp as keepUpPreKeyStock,
  KEPT_MS as PREKEYS_KEPT_MS,
  planUpkeep as planPreKeyUpkeep,
} from "./prekey_upkeep.ts";
export type {
  Upkeep as PreKeyUpkeep,
  UpkeepTimes as PreKeyUpkeepTimes,
} from "./prekey_upkeep.ts";
export {
  generateKyberPreKey,
  generatePreKey,
  generateSignedPreKey,
} from "./new_prekeys.ts";
export type {
  KyberPreKey,
  KyberSecret,
  PreKey,
  PreKeyBundle,
  PreKeySource,
  SignedPreKey,
} from "./prekeys.ts";
export {
  allowReset,
  confirmDelivered,
  decideResend,
  EMPTY_RESEND_LOG,
  prune as pruneResendLog,
  rememberSent,
} from "./resend.ts";
export { publicKeyOf } from "./public_key.ts";
export type {
  Forgotten,
  ListedDevice,
  ResendDecision,
  ResendLog,
  Sent,
} from "./resend.ts";
export { safetyNumber } from "./safety_number.ts";
export type { SafetyNumber, SafetyNumberOptions } from "./safety_number.ts";
export {
  closeSession,
  describeSession,
  parseSession,
  serializeSession,
} from "./session.ts";
export type { Session, SessionInfo } from "./session.ts";
export { decrypt, encrypt, initiateSession } from "./session_cipher.ts";
export type {
  Decrypted,
  DecryptOptions,
  EncryptOptions,
  InitiateOptions,
  LocalDevice,
  UsedPreKeys,
} from "./session_cipher.ts";
export { verify } from "./xeddsa.ts";
export { sign } from "./xeddsa_noble.ts";
