/**
 * The invite handshake: pure, for both roles. It does no I/O; its caller
 * carries messages over a rendezvous and keeps the state on disk.
 *
 *     step = receive(state, message, now)      pins what came; commit step.state
 *     if (isPinned(step.state)) {
 *       step = await advance(step.state)       looks at it; commit step.state
 *       if (step.send) PASS step.send
 *     }
 *
 * The order matters. What came is committed before it is looked at, so that a
 * relay that makes a client crash or reload between the two can't put a second
 * guess to the same run. What is sent is sent after the commit.
 *
 * A run gives a guesser one try on either side: a wrong proof ends it.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { MalformedError, wipe } from "../keys/mod.ts";
import { type Card, parseCard, startsSessions } from "./card.ts";
import {
  hasMessageLength,
  INVITE_VERSION,
  readOpening,
} from "./handshake_keys.ts";
import {
  commonOf,
  failed,
  type Handshake,
  type HandshakeFailure,
  type Message,
} from "./handshake_state.ts";
import type { InviteCode } from "./invite_code.ts";
import { openAnswer, proveCode } from "./joiner_steps.ts";
import { answerProof, openReturn } from "./inviter_steps.ts";

/** What a step leads to. `send` goes out after `state` is on disk. */
export interface Step {
  readonly state: Handshake;
  readonly send?: Message;
  /** Present in the step that ends the run. */
  readonly outcome?: Outcome;
}

export type Outcome =
  /** Both know the code. Handle the card as it is now: it is not kept for long. */
  | { readonly met: Card }
  | { readonly failed: HandshakeFailure };

/**
 * Takes what the other side passed, and pins it: the first message of each
 * index is the only one. Looks at nothing secret. A message that is there
 * already changes nothing; another one under its index ends the run.
 * @param now ms since the epoch by the relay's clock, like the expiry
 */
export function receive(
  state: Handshake,
  message: Message,
  now: number,
): Step {
  if (state.at === "met" || state.at === "failed") return { state };
  const pinned: readonly Uint8Array[] = "received" in state
    ? state.received
    : [];
  const first: Uint8Array | undefined = pinned[message.index];
  if (first !== undefined) {
    return equalBytes(first, message.bytes)
      ? { state }
      : end(state, "misbehaved");
  }
  const sender = state.role === "inviter" ? "joiner" : "inviter";
  const expected = expectedIndex(state);
  if (
    expected === undefined || message.index !== expected ||
    !hasMessageLength(sender, expected, message.bytes.length)
  ) return end(state, "misbehaved");
  return pin(state, message.bytes.slice(), now);
}

/** The index a state waits for; undefined when it has something pinned to look at first. */
function expectedIndex(state: Handshake): 0 | 1 | undefined {
  if (state.at === "offered" || state.at === "joining") return 0;
  if (state.at === "answered" || state.at === "proved") return 1;
  return undefined;
}

function pin(state: Handshake, bytes: Uint8Array, now: number): Step {
  switch (state.at) {
    case "offered":
      if (now >= state.expiresAt) return end(state, "expired");
      return { state: { ...state, at: "challenged", received: [bytes] } };
    case "joining": {
      const { version, expiresAt } = readOpening(bytes);
      if (version !== INVITE_VERSION) return end(state, "version");
      if (now >= expiresAt) return end(state, "expired");
      return {
        state: { ...state, at: "invited", expiresAt, received: [bytes] },
      };
    }
    // From here on both have met in time; a card that comes late still counts.
    case "answered":
      return {
        state: {
          ...state,
          at: "returned",
          received: [state.received[0], bytes],
        },
      };
    case "proved":
      return {
        state: {
          ...state,
          at: "confirmed",
          received: [state.received[0], bytes],
        },
      };
    default:
      return { state };
  }
}

/** Whether `advance` has something to look at: also true after a reload at that point. */
export function isPinned(state: Handshake): boolean {
  return state.at === "challenged" || state.at === "returned" ||
    state.at === "invited" || state.at === "confirmed";
}

/**
 * Looks at what was pinned. Doing it again from the same state gives the same
 * state and the same bytes. A state with nothing pinned comes back as it is.
 */
export async function advance(state: Handshake): Promise<Step> {
  switch (state.at) {
    case "challenged": {
      const answered = answerProof(state);
      if (typeof answered === "string") return end(state, answered);
      return { state: answered, send: { index: 1, bytes: answered.sent[1] } };
    }
    case "returned": {
      const peerCard = openReturn(state);
      if (peerCard === undefined) return end(state, "misbehaved");
      return await meet(state, state.sent, peerCard);
    }
    case "invited": {
      const proved = proveCode(state);
      if (typeof proved === "string") return end(state, proved);
      return { state: proved, send: { index: 0, bytes: proved.sent[0] } };
    }
    case "confirmed": {
      const opened = openAnswer(state);
      if (typeof opened === "string") return end(state, opened);
      return await meet(
        state,
        [state.sent[0], opened.sealedCard],
        opened.peerCard,
      );
    }
    default:
      return { state };
  }
}

/** The last step of both roles: reads the other's card. */
async function meet(
  state: Handshake,
  sent: [Uint8Array, Uint8Array],
  peerCard: Uint8Array,
): Promise<Step> {
  const card = await readPeerCard(peerCard);
  if (card === undefined) return end(state, "misbehaved");
  if (card.accountId === state.accountId) return end(state, "own");
  if (state.role === "joiner" && !startsSessions(card)) {
    return end(state, "misbehaved");
  }
  const met = { at: "met" as const, sent, peerCard };
  return {
    state: state.role === "inviter"
      ? { ...commonOf(state), ...met }
      : { ...commonOf(state), ...met },
    // The joiner's card is its last message; the inviter has sent all it has.
    send: state.role === "joiner" ? { index: 1, bytes: sent[1] } : undefined,
    outcome: { met: card },
  };
}

async function readPeerCard(bytes: Uint8Array): Promise<Card | undefined> {
  try {
    return await parseCard(bytes);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/**
 * What the run has sent so far, to PASS again after a reload or a reconnect.
 * The relay takes the same bytes under the same index as done.
 */
export function sentMessages(state: Handshake): Message[] {
  const sent: readonly Uint8Array[] = "sent" in state ? state.sent : [];
  return sent.map((bytes, index) => ({ index, bytes }));
}

/** How the run ended, if it has: for a client that reloaded before it acted on the step that said so. */
export async function outcomeOf(
  state: Handshake,
): Promise<Outcome | undefined> {
  if (state.at === "failed") return { failed: state.reason };
  if (state.at === "met") return { met: await parseCard(state.peerCard) };
  return undefined;
}

/** The code to show, while it can still be used; undefined from the first joiner on. */
export function offeredCode(state: Handshake): InviteCode | undefined {
  return state.role === "inviter" && state.at === "offered"
    ? { nameplate: state.nameplate, secret: state.run.secret }
    : undefined;
}

/** Ends a run that still waits when its time is over; any other comes back as it is. */
export function expire(state: Handshake, now: number): Step {
  const waits = expectedIndex(state) !== undefined;
  return waits && now >= state.expiresAt ? end(state, "expired") : { state };
}

/**
 * Ends a run whose rendezvous the other side closed. An inviter closes after
 * a wrong proof, and says nothing else: to a joiner who proved, closing means
 * that the code was wrong.
 */
export function closedByPeer(state: Handshake): Step {
  switch (state.at) {
    case "met":
    case "failed":
      return { state };
    case "offered":
    case "joining":
    case "invited":
      return end(state, "expired");
    case "proved":
      return end(state, "wrong");
    // What was pinned before the closing is still to be looked at.
    case "challenged":
    case "returned":
    case "confirmed":
      return { state };
    case "answered":
      return end(state, "misbehaved");
  }
}

/** Wipes the secrets of a state that a committed one has replaced. */
export function wipeHandshake(state: Handshake): void {
  if ("run" in state) wipe(state.run.scalar, state.run.kemSeed, state.run.card);
  if ("isk" in state) wipe(state.isk, state.kemSeed, state.card);
  if ("peerCardKey" in state) wipe(state.peerCardKey);
  if ("peerCard" in state) wipe(state.peerCard);
}

function end(state: Handshake, reason: HandshakeFailure): Step {
  return { state: failed(state, reason), outcome: { failed: reason } };
}
