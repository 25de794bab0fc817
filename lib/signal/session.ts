import { equalBytes } from "@noble/ciphers/utils.js";
import { SignalError } from "./errors.ts";
import { readFields } from "./fields.ts";
import { KeptBuffer } from "./kept_buffer.ts";
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
  /** Whether `current` only receives. */
  readonly closed?: true;
}

/** What may be known about a session from outside. */
export interface SessionInfo {
  /** The other device's identity key (33). */
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  /** While we wait for the first answer to a session we began: since when (ms). */
  readonly unansweredSince?: number;
  readonly archivedStates: number;
  /** Whether nothing can be sent until a message arrives or a new session is begun. */
  readonly closed: boolean;
}

export function describeSession(session: Session): SessionInfo {
  const { current, archived, closed = false } = session;
  return {
    identityKey: Uint8Array.from(current.remoteIdentityKey),
    registrationId: current.remoteRegistrationId,
    unansweredSince: current.unanswered?.since,
    archivedStates: archived.length,
    closed,
  };
}

/**
 * The session as one that sends no more, because the other side said that it lost its half: what is under way still
 * arrives, and with it the session is open again. A new one is begun with `initiateSession`.
 */
export function closeSession({ current, archived }: Session): Session {
  // Whoever can't answer needs no PreKey wrapper.
  return {
    current: { ...current, unanswered: undefined },
    archived,
    closed: true,
  };
}

/** Puts `state`, which a message has just proved alive, in the place of the current one it continues. */
export function advance({ archived }: Session, state: SessionState): Session {
  return { current: state, archived };
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

/** Version 1 knew no closed sessions. */
const VERSION = 2;
const READABLE: readonly number[] = [1, VERSION];

const buffer = new KeptBuffer(16_384);

/** version (1 byte) ‖ Session { 1 current State, 2 archived State*, 3 closed (1)? }: to be stored encrypted. */
export function serializeSession(session: Session): Uint8Array {
  const current = serializeState(session.current);
  return buffer.write((writer) => {
    writer.writeVarint(VERSION); // one byte
    writer.writeBytesField(1, current);
    for (const state of session.archived) writer.writeBytesField(2, state);
    if (session.closed) writer.writeVarintField(3, 1);
  });
}

/** Reads every version there was; what is written next is of the newest. @throws SignalError `version`, `malformed` */
export function parseSession(bytes: Uint8Array): Session {
  if (!READABLE.includes(bytes[0])) throw new SignalError("version");
  const fields = readFields(new Uint8Array(bytes).subarray(1));
  const archived = fields.all(2);
  if (archived.length > MAX_ARCHIVED_STATES) {
    throw new SignalError("malformed", "archived states");
  }
  const closed = fields.optionalNumber(3, 1) === 1;
  return {
    current: parseState(fields.bytes(1)),
    archived,
    ...(closed && { closed }),
  };
}
