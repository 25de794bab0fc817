import { PbfWriter } from "pbf";
import { concatBytes, equalBytes } from "@noble/ciphers/utils.js";
import { SignalError } from "./errors.ts";
import { readFields } from "./fields.ts";
import {
  parseState,
  serializeState,
  type SessionState,
} from "./session_state.ts";

/** Superseded states kept for messages that were under way; the oldest go first. */
export const MAX_ARCHIVED_STATES = 40;

/**
 * Everything shared with one device of someone: opaque and immutable. Every call that advances it returns a new
 * one; the old one stays valid until the new one is stored. Holds secrets.
 */
export interface Session {
  readonly current: SessionState;
  /** Newest first, serialised: rarely looked at, and cheap to store again. */
  readonly archived: readonly Uint8Array[];
}

/** What may be known about a session from outside. */
export interface SessionInfo {
  /** The other device's identity key (33). */
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  /** While we wait for the first answer to a session we began: since when (ms). */
  readonly unansweredSince?: number;
  readonly archivedStates: number;
}

export function describeSession({ current, archived }: Session): SessionInfo {
  return {
    identityKey: Uint8Array.from(current.remoteIdentityKey),
    registrationId: current.remoteRegistrationId,
    unansweredSince: current.unanswered?.since,
    archivedStates: archived.length,
  };
}

/** Makes `state` current. The state before it, if any, is archived. */
export function succeed(
  session: Session | undefined,
  state: SessionState,
): Session {
  if (session === undefined) return { current: state, archived: [] };
  return {
    current: state,
    archived: archive(session.current, session.archived),
  };
}

/** Makes `state`, which continues the archived one at `position`, current. */
export function promote(
  session: Session,
  position: number,
  state: SessionState,
): Session {
  const others = session.archived.toSpliced(position, 1);
  return { current: state, archived: archive(session.current, others) };
}

function archive(
  state: SessionState,
  archived: readonly Uint8Array[],
): Uint8Array[] {
  // An archived state never sends, so it needs no PreKey wrapper (1.6 kB).
  const bytes = serializeState({ ...state, unanswered: undefined });
  return [bytes, ...archived].slice(0, MAX_ARCHIVED_STATES);
}

/** A state that a first message belongs to, and where it was found. */
export function findByBaseKey(
  session: Session,
  baseKey: Uint8Array,
): { state: SessionState; position: number | "current" } | undefined {
  if (equalBytes(session.current.baseKey, baseKey)) {
    return { state: session.current, position: "current" };
  }
  for (const [position, bytes] of session.archived.entries()) {
    const state = parseState(bytes);
    if (equalBytes(state.baseKey, baseKey)) return { state, position };
  }
  return undefined;
}

const VERSION = 1;

/** version (1 byte) ‖ Session { 1 current State, 2 archived State* }: to be stored encrypted. */
export function serializeSession({ current, archived }: Session): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(8192));
  writer.writeBytesField(1, serializeState(current));
  for (const state of archived) writer.writeBytesField(2, state);
  return concatBytes(Uint8Array.of(VERSION), writer.finish());
}

/** @throws SignalError `version`, `malformed` */
export function parseSession(bytes: Uint8Array): Session {
  if (bytes[0] !== VERSION) throw new SignalError("version");
  const fields = readFields(Uint8Array.from(bytes.subarray(1)));
  const archived = fields.all(2);
  if (archived.length > MAX_ARCHIVED_STATES) {
    throw new SignalError("malformed", "archived states");
  }
  return { current: parseState(fields.bytes(1)), archived };
}
