/** What messages say, how they are wrapped for the relay, and the log that they make. */
export { MalformedError } from "../keys/mod.ts";
export {
  type Body,
  type Content,
  type ContentFields,
  type HeardClaim,
  type KnownBody,
  MAX_TIME,
  newContent,
  newContentId,
  parseContent,
} from "./content.ts";
export {
  ANNOUNCEMENT,
  type Carried,
  EnvelopeError,
  type EnvelopeErrorCode,
  type EnvelopeKey,
  MAX_SIGNAL_MESSAGE,
  type OpenedEnvelope,
  openEnvelope,
  sealEnvelope,
  type SignalMessage,
} from "./envelope.ts";
export {
  MAX_EMOJI_BYTES,
  MAX_RECEIPT_IDS,
  MAX_TEXT_BYTES,
  textBytes,
  TextTooLongError,
} from "./limits.ts";
export {
  type Appended,
  ConversationLog,
  emptyLog,
  type Page,
  type Summary,
} from "./log.ts";
export {
  clearLog,
  clearUpTo,
  eraseCleared,
  removeLog,
  unerased,
} from "./log_clearing.ts";
export { type Editing, PAGE_SIZE } from "./log_records.ts";
export {
  type PastEntry,
  pastOf,
  restore,
  type Restored,
} from "./log_history.ts";
export { MAX_PART_BYTES, parsePart, partsOfPast } from "./past_codec.ts";
export type { MessageKey, Progress } from "./message_state.ts";
export { compareRanks } from "./placing.ts";
export type { Row, RowBody, RowState } from "./row.ts";
