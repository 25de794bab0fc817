/** How a run begins, on either side: everything random in it is drawn here. */
import { equalBytes } from "@noble/ciphers/utils.js";
import { randomBytes } from "@noble/hashes/utils.js";
import { MalformedError } from "../keys/mod.ts";
import { type Card, encodeCard, startsSessions } from "./card.ts";
import { calculateGenerator, newScalar, publicShare } from "./cpace.ts";
import {
  channelOf,
  encodeOpening,
  INVITE_VERSION,
  KEM_SEED,
  SESSION_ID,
} from "./handshake_keys.ts";
import type {
  Handshake,
  InviterHandshake,
  JoinerHandshake,
  Message,
} from "./handshake_state.ts";
import {
  type InviteCode,
  MAX_NAMEPLATE,
  newInviteSecret,
} from "./invite_code.ts";

/** A code that must not be joined; nothing was sent. */
export class InviteRefusedError extends Error {
  constructor(
    /** `own`: one's own offer. `used`: this code was tried before, and there is one try. */
    readonly reason: "own" | "used",
  ) {
    super(`invite refused: ${reason}`);
    this.name = "InviteRefusedError";
  }
}

/**
 * Starts as the one who invites, once the relay has given a nameplate. Commit
 * the state, then PASS `send`; show `code`.
 * @param options.expiresAt as the relay said, ms since the epoch by its clock
 * @throws {MalformedError | CardTooLargeError} for a card that can't be handed over, or without a bundle for each device
 */
export function startInviter(options: {
  relayKey: Uint8Array;
  nameplate: number;
  expiresAt: number;
  card: Card;
}): { state: InviterHandshake; send: Message; code: InviteCode } {
  const { relayKey, nameplate, expiresAt, card } = options;
  if (!startsSessions(card)) throw new MalformedError("bundles");
  checkNameplate(nameplate);
  const code = { nameplate, secret: newInviteSecret() };
  const scalar = newScalar();
  const sessionId = randomBytes(SESSION_ID);
  const generator = calculateGenerator(
    new TextEncoder().encode(code.secret),
    channelOf(relayKey, nameplate),
    sessionId,
  );
  const opening = encodeOpening({
    version: INVITE_VERSION,
    sessionId,
    share: publicShare(generator, scalar),
    expiresAt,
  });
  return {
    code,
    send: { index: 0, bytes: opening },
    state: {
      role: "inviter",
      at: "offered",
      relayKey,
      nameplate,
      expiresAt,
      accountId: card.accountId,
      run: {
        secret: code.secret,
        scalar,
        kemSeed: randomBytes(KEM_SEED.inviter),
        card: encodeCard(card),
      },
      sent: [opening],
    },
  };
}

/**
 * Starts as the one who typed a code. Commit the state before JOIN.
 * @param options.expiresAt until when this attempt counts as one; the inviter's own expiry replaces it
 * @param options.known this client's other runs, failed ones too; those that have expired by `now` don't count
 * @throws {InviteRefusedError} for an own code and for one tried before
 * @throws {MalformedError | CardTooLargeError} for a card that can't be handed over
 */
export function startJoiner(options: {
  relayKey: Uint8Array;
  code: InviteCode;
  expiresAt: number;
  card: Card;
  known: readonly Handshake[];
  now: number;
}): { state: JoinerHandshake } {
  const { relayKey, code, expiresAt, card, now } = options;
  checkNameplate(code.nameplate);
  // The relay gives a nameplate to one offer at a time, so this also catches a
  // slip in the secret half of an own code, and a second guess at a tried one.
  const same = options.known.find((other) =>
    other.nameplate === code.nameplate && now < other.expiresAt &&
    equalBytes(other.relayKey, relayKey)
  );
  if (same) {
    throw new InviteRefusedError(same.role === "inviter" ? "own" : "used");
  }
  return {
    state: {
      role: "joiner",
      at: "joining",
      relayKey,
      nameplate: code.nameplate,
      expiresAt,
      accountId: card.accountId,
      run: {
        secret: code.secret,
        scalar: newScalar(),
        kemSeed: randomBytes(KEM_SEED.joiner),
        card: encodeCard(card),
      },
    },
  };
}

function checkNameplate(nameplate: number): void {
  if (
    !Number.isInteger(nameplate) || nameplate < 0 || nameplate > MAX_NAMEPLATE
  ) throw new RangeError("a nameplate is 20 bits");
}
