import { concatBytes, equalBytes } from "@noble/ciphers/utils.js";
import {
  type Address,
  checkAddresses,
  encodeAddresses,
  sameAccount,
} from "./address.ts";
import {
  type Header,
  MAX_FORWARD_JUMPS,
  receiveStep,
  sendStep,
} from "./double_ratchet.ts";
import { IdentityChangedError, SignalError } from "./errors.ts";
import type { KeyPair } from "./keys.ts";
import { MessageKeys } from "./message_keys.ts";
import {
  type CiphertextMessage,
  encodePreKeyMessage,
  encodeSignalMessage,
  parsePreKeyMessage,
  parseSignalMessage,
  PREKEY,
  type PreKeyMessage,
  type ReceivedSignalMessage,
  WHISPER,
} from "./messages.ts";
import { initiate, respond } from "./pqxdh.ts";
import type { PreKeyBundle, PreKeySource } from "./prekeys.ts";
import {
  advance,
  findByBaseKey,
  promote,
  type Session,
  succeed,
} from "./session.ts";
import {
  parseState,
  type SessionState,
  type Unanswered,
} from "./session_state.ts";
import {
  receive as spqrReceive,
  send as spqrSend,
  SpqrError,
} from "./spqr/mod.ts";

/** How long a session we began may stay unanswered before it sends no more. */
export const MAX_UNANSWERED_MS = 30 * 24 * 60 * 60 * 1000;

/** This device. */
export interface LocalDevice {
  readonly identity: KeyPair;
  /** 14 bits. */
  readonly registrationId: number;
  readonly address: Address;
}

export interface InitiateOptions {
  readonly local: LocalDevice;
  readonly remote: Address;
  readonly bundle: PreKeyBundle;
  /** What is held already with this device: it is archived. */
  readonly session?: Session;
  /** The identity key (33) that the device must have. By default that of `session`, without one any. */
  readonly identityKey?: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Begins a session with a device from its bundle. Nothing is sent: the first message carries it.
 * @throws SignalError `invalid-key`, `invalid-signature`, `wrong-address` (the bundle is another device's),
 *   `identity-changed`
 */
export async function initiateSession(
  options: InitiateOptions,
): Promise<Session> {
  const { local, remote, bundle, session, now } = options;
  if (bundle.deviceId !== remote.deviceId) {
    throw new SignalError("wrong-address");
  }
  const state = await initiate(local.identity, bundle, now);
  checkIdentity(options, state);
  return succeed(session, state);
}

/** What a call expects of the identity behind `state`, which has proved itself. @throws IdentityChangedError */
function checkIdentity(
  { session, identityKey = session?.current.remoteIdentityKey }: {
    readonly session?: Session;
    readonly identityKey?: Uint8Array;
  },
  { remoteIdentityKey }: SessionState,
): void {
  if (
    identityKey !== undefined && !equalBytes(identityKey, remoteIdentityKey)
  ) {
    throw new IdentityChangedError(Uint8Array.from(remoteIdentityKey));
  }
}

export interface EncryptOptions {
  readonly local: LocalDevice;
  readonly remote: Address;
  readonly session: Session;
  /** The identity key (33) that the session must have been made with. */
  readonly identityKey?: Uint8Array;
  readonly plaintext: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Encrypts for one device. Store `session` before the message leaves: a key must not be used twice.
 * @throws SignalError `unanswered`, `no-session` (it is closed), `identity-changed`, `wrong-address`,
 *   `pq-ratchet` (2^32 messages without an answer)
 */
export async function encrypt(
  options: EncryptOptions,
): Promise<{ session: Session; message: CiphertextMessage }> {
  const { local, remote, session, plaintext, now } = options;
  checkIdentity(options, session.current);
  if (session.closed) throw new SignalError("no-session");
  const { current } = session;
  const { unanswered } = current;
  if (unanswered !== undefined && now - unanswered.since > MAX_UNANSWERED_MS) {
    throw new SignalError("unanswered");
  }
  const { ratchet, header, seed } = await sendStep(current.ratchet);
  const pq = inSession(() => spqrSend(current.spqr, randomBytes));
  const keys = new MessageKeys(seed, pq.key);
  seed.fill(0);
  const encoded = encodeSignalMessage({
    ...header,
    previousCounter: ratchet.previousCounter,
    ciphertext: keys.encrypt(plaintext),
    pqRatchet: pq.message,
    // As libsignal does: only a first message names its parties. Later ones are bound by the session.
    addresses: unanswered && encodeAddresses(local.address, remote),
  });
  const mac = keys.mac(
    local.identity.publicKey,
    current.remoteIdentityKey,
    encoded,
  );
  keys.wipe();
  const state = { ...current, ratchet, spqr: pq.state };
  return {
    session: { ...session, current: state },
    message: wrap(local, state, unanswered, concatBytes(encoded, mac)),
  };
}

function wrap(
  local: LocalDevice,
  { baseKey }: SessionState,
  unanswered: Unanswered | undefined,
  bytes: Uint8Array,
): CiphertextMessage {
  if (unanswered === undefined) return { type: WHISPER, bytes };
  const wrapped = encodePreKeyMessage({
    registrationId: local.registrationId,
    preKeyId: unanswered.preKeyId,
    signedPreKeyId: unanswered.signedPreKeyId,
    kyberPreKeyId: unanswered.kyberPreKeyId,
    kyberCiphertext: unanswered.kyberCiphertext,
    baseKey,
    identityKey: local.identity.publicKey,
    message: bytes,
  });
  return { type: PREKEY, bytes: wrapped };
}

export interface DecryptOptions {
  readonly local: LocalDevice;
  readonly remote: Address;
  readonly session?: Session;
  /** The identity key (33) that the sender must have. By default that of `session`, without one any. */
  readonly identityKey?: Uint8Array;
  readonly message: CiphertextMessage;
  readonly preKeys: PreKeySource;
  /**
   * How many messages may be missing before this one: a header is believed only after so many steps of both
   * ratchets' chains. Lowers the protocol's 25,000 (about a second of work; none between devices of one account), never raises it.
   */
  readonly maxForwardJumps?: number;
}

export interface Decrypted {
  readonly session: Session;
  readonly plaintext: Uint8Array;
  /** The sender's identity key (33). */
  readonly identityKey: Uint8Array;
  /**
   * The prekeys that this message began a new session with. In the transaction that stores `session`: remove the
   * one-time ones; for a last-resort Kyber prekey remember (ids, baseKey) and refuse a repetition.
   */
  readonly used?: UsedPreKeys;
}

export interface UsedPreKeys {
  readonly preKeyId?: number;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  readonly baseKey: Uint8Array;
}

/**
 * Decrypts a message of one device. Store `session` together with the plaintext.
 * @throws SignalError (any code but `unanswered` and `invalid-signature`); the given session stays as it was
 */
export async function decrypt(options: DecryptOptions): Promise<Decrypted> {
  return options.message.type === PREKEY
    ? await decryptPreKeyMessage(options)
    : await decryptSignalMessage(options);
}

async function decryptSignalMessage(
  options: DecryptOptions,
): Promise<Decrypted> {
  const { session } = options;
  if (session === undefined) throw new SignalError("no-session");
  const message = parseSignalMessage(options.message.bytes);
  const opened = await open(options, session.current, message);
  if (opened.ok) {
    return decrypted(
      options,
      advance(session, opened.state),
      opened.plaintext,
    );
  }
  if (opened.error.code === "duplicate") throw opened.error;
  let refusal = opened.error;
  for (const [position, bytes] of session.archived.entries()) {
    const older = await open(options, parseState(bytes), message);
    if (older.ok) {
      return decrypted(
        options,
        promote(session, position, older.state),
        older.plaintext,
      );
    }
    if (older.error.code === "duplicate") throw older.error;
    // With a higher limit this one might have opened it.
    if (older.error.code === "too-far-ahead") refusal = older.error;
  }
  throw refusal;
}

async function decryptPreKeyMessage(
  options: DecryptOptions,
): Promise<Decrypted> {
  const { session } = options;
  const wrapper = parsePreKeyMessage(options.message.bytes);
  const message = parseSignalMessage(wrapper.message);
  const held = session && findByBaseKey(session, wrapper.baseKey);
  if (session === undefined || held === undefined) {
    return await beginSession(options, wrapper, message);
  }
  if (!equalBytes(held.state.remoteIdentityKey, wrapper.identityKey)) {
    throw new SignalError("invalid-key");
  }
  const opened = await open(options, held.state, message);
  if (!opened.ok) throw opened.error;
  const next = held.position === "current"
    ? advance(session, opened.state)
    : promote(session, held.position, opened.state);
  return decrypted(options, next, opened.plaintext);
}

async function beginSession(
  options: DecryptOptions,
  wrapper: PreKeyMessage,
  message: ReceivedSignalMessage,
): Promise<Decrypted> {
  const { local, preKeys, session } = options;
  const { preKeyId, signedPreKeyId, kyberPreKeyId } = wrapper;
  const [signedPreKey, kyberPreKey, preKey] = await Promise.all([
    preKeys.signedPreKey(signedPreKeyId),
    preKeys.kyberPreKey(kyberPreKeyId),
    preKeyId === undefined ? undefined : preKeys.preKey(preKeyId),
  ]);
  if (!signedPreKey || !kyberPreKey || (preKeyId !== undefined && !preKey)) {
    throw new SignalError("unknown-prekey");
  }
  const { identity } = local;
  const state = await respond(
    { identity, signedPreKey, kyberPreKey, preKey },
    wrapper,
  );
  const opened = await open(options, state, message);
  if (!opened.ok) throw opened.error;
  const { baseKey } = opened.state;
  return {
    ...decrypted(options, succeed(session, opened.state), opened.plaintext),
    used: { preKeyId, signedPreKeyId, kyberPreKeyId, baseKey },
  };
}

/**
 * Only now is the sender known: anyone can name any identity, but only its holder agrees on the keys.
 * @throws IdentityChangedError
 */
function decrypted(
  options: DecryptOptions,
  session: Session,
  plaintext: Uint8Array,
): Decrypted {
  checkIdentity(options, session.current);
  const identityKey = Uint8Array.from(session.current.remoteIdentityKey);
  return { session, plaintext, identityKey };
}

type Opened =
  | {
    readonly ok: true;
    readonly state: SessionState;
    readonly plaintext: Uint8Array;
  }
  | { readonly ok: false; readonly error: SignalError };

/** Tries one state. That it does not fit is a result, for another one may. */
async function open(
  options: DecryptOptions,
  state: SessionState,
  message: ReceivedSignalMessage,
): Promise<Opened> {
  try {
    return { ok: true, ...await openWith(options, state, message) };
  } catch (error) {
    if (error instanceof SignalError) return { ok: false, error };
    throw error;
  }
}

async function openWith(
  { local, remote, maxForwardJumps = Infinity }: DecryptOptions,
  state: SessionState,
  message: ReceivedSignalMessage,
): Promise<{ state: SessionState; plaintext: Uint8Array }> {
  const header: Header = message;
  const toSelf = sameAccount(local.address, remote) &&
    equalBytes(local.identity.publicKey, state.remoteIdentityKey);
  // Among the devices of one account the protocol sets no limit: they trust each other.
  const limit = toSelf ? Infinity : MAX_FORWARD_JUMPS;
  const maxJumps = Math.min(maxForwardJumps, limit);
  const { ratchet, seed } = await receiveStep(state.ratchet, header, maxJumps);
  // SPQR counts the message itself, against the same limit.
  const maxPqJump = Math.min(maxForwardJumps + 1, limit);
  const pq = inSession(() =>
    spqrReceive(state.spqr, message.pqRatchet, maxPqJump)
  );
  const keys = new MessageKeys(seed, pq.key);
  try {
    const sender = state.remoteIdentityKey;
    keys.verify(
      message.mac,
      sender,
      local.identity.publicKey,
      message.authenticated,
    );
    checkAddresses(message.addresses, remote, local.address);
    const plaintext = keys.decrypt(message.ciphertext);
    return {
      state: { ...state, ratchet, spqr: pq.state, unanswered: undefined },
      plaintext,
    };
  } finally {
    keys.wipe();
  }
}

/** A step of SPQR, its errors as ours. */
function inSession<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof SpqrError)) throw error;
    throw error.code === "too-far-ahead"
      ? new SignalError("too-far-ahead")
      : new SignalError("pq-ratchet", error.code);
  }
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
