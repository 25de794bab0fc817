/**
 * The states of one invite handshake. Each is a value: a step makes a new one
 * and leaves the old as it was. All randomness of a run is drawn when it
 * starts and kept in the state, so that doing a step again, after a crash or
 * a reload, sends the identical bytes.
 */

/** One message of the rendezvous: each side numbers its own 0 and 1. */
export interface Message {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/**
 * Why a run ended without a contact.
 * - `wrong`: the two sides used different codes, or someone guessed; the code is burnt
 * - `expired`: nobody (or not everything) came in time
 * - `own`: both ends are the same account
 * - `version`: the inviter speaks another version
 * - `misbehaved`: bytes that no honest client sends through an honest relay
 */
export type HandshakeFailure =
  | "wrong"
  | "expired"
  | "own"
  | "version"
  | "misbehaved";

/** What every state knows. */
interface Common {
  /** The relay's Ed25519 identity, 32 bytes. */
  readonly relayKey: Uint8Array;
  /** 20 bits. */
  readonly nameplate: number;
  /** The own account, to notice an invite to oneself. */
  readonly accountId: string;
  /** ms since the epoch by the relay's clock. For a joiner: a bound until the inviter's message tells. */
  readonly expiresAt: number;
}

/** What a side draws at the start. Gone from the state as soon as the password has been used. */
export interface RunSecrets {
  /** The six symbols of the code. */
  readonly secret: string;
  /** CPace scalar, 32 bytes. */
  readonly scalar: Uint8Array;
  /** Inviter: the 32 bytes that encapsulation draws. Joiner: the 64-byte seed of the ML-KEM-768 key pair. */
  readonly kemSeed: Uint8Array;
  /** The own card, padded. */
  readonly card: Uint8Array;
}

type InviterState =
  /** Waits for the joiner's first message. */
  | { at: "offered"; run: RunSecrets; sent: [Uint8Array] }
  /** Has it, pinned; whoever guessed has had the one guess. */
  | {
    at: "challenged";
    run: RunSecrets;
    sent: [Uint8Array];
    received: [Uint8Array];
  }
  /** The joiner knew the code and has our card; waits for theirs. */
  | {
    at: "answered";
    peerCardKey: Uint8Array;
    sent: [Uint8Array, Uint8Array];
    received: [Uint8Array];
  }
  /** Has it, pinned. */
  | {
    at: "returned";
    peerCardKey: Uint8Array;
    sent: [Uint8Array, Uint8Array];
    received: [Uint8Array, Uint8Array];
  };

type JoinerState =
  /** Waits for the inviter's first message. */
  | { at: "joining"; run: RunSecrets }
  /** Has it, pinned. */
  | { at: "invited"; run: RunSecrets; received: [Uint8Array] }
  /** Has proved to know the code; waits for the inviter to do so. */
  | {
    at: "proved";
    /** CPace's ISK, 64 bytes. */
    isk: Uint8Array;
    kemSeed: Uint8Array;
    card: Uint8Array;
    sent: [Uint8Array];
    received: [Uint8Array];
  }
  /** Has the inviter's proof and card, pinned. */
  | {
    at: "confirmed";
    isk: Uint8Array;
    kemSeed: Uint8Array;
    card: Uint8Array;
    sent: [Uint8Array];
    received: [Uint8Array, Uint8Array];
  };

type EndState =
  /** Both proved; `peerCard` is theirs, padded. */
  | {
    at: "met";
    sent: [Uint8Array, Uint8Array];
    peerCard: Uint8Array;
  }
  | { at: "failed"; reason: HandshakeFailure };

export type InviterHandshake = Readonly<
  & Common
  & { role: "inviter" }
  & (InviterState | EndState)
>;
export type JoinerHandshake = Readonly<
  & Common
  & { role: "joiner" }
  & (JoinerState | EndState)
>;
export type Handshake = InviterHandshake | JoinerHandshake;

/** The fields of `Common`, to carry from one state to the next. */
export function commonOf<Role extends Handshake["role"]>(
  handshake: Handshake & { role: Role },
): Common & { role: Role } {
  const { role, relayKey, nameplate, accountId, expiresAt } = handshake;
  return { role, relayKey, nameplate, accountId, expiresAt };
}

/** The same run, ended. */
export function failed(
  handshake: Handshake,
  reason: HandshakeFailure,
): Handshake {
  return handshake.role === "inviter"
    ? { ...commonOf(handshake), at: "failed", reason }
    : { ...commonOf(handshake), at: "failed", reason };
}
