/**
 * What reads and writes messages: the Signal Protocol's sessions. That is a third of the program. Conversations are
 * shown without it, so it is fetched beside them; nothing is received before it is there.
 */
export {
  decrypt,
  encrypt,
  parsePreKeyStock,
  parseSession,
  preKeySourceOf,
  serializePreKeyStock,
  serializeSession,
  usePreKeys,
} from "../signal/mod.ts";
