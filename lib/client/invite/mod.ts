/** Invites: codes, and the handshake that turns a shared code into an exchange of cards. */
export {
  type Card,
  CARD_SIZES,
  type CardDevice,
  CardTooLargeError,
  encodeBundle,
  encodeCard,
  parseBundle,
  parseCard,
  publicKey,
} from "./card.ts";
export {
  advance,
  closedByPeer,
  expire,
  isPinned,
  offeredCode,
  type Outcome,
  outcomeOf,
  receive,
  sentMessages,
  type Step,
  wipeHandshake,
} from "./handshake.ts";
export {
  InviteRefusedError,
  startInviter,
  startJoiner,
} from "./handshake_start.ts";
export { parseHandshake, serializeHandshake } from "./handshake_codec.ts";
export type {
  Handshake,
  HandshakeFailure,
  InviterHandshake,
  JoinerHandshake,
  Message,
} from "./handshake_state.ts";
export {
  formatInviteCode,
  type InviteCode,
  type InviteCodeReading,
  parseInviteCode,
  relayUrlOf,
} from "./invite_code.ts";
