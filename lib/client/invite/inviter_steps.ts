/** What the inviter computes: the answer to a proof, and the joiner's card. */
import { equalBytes } from "@noble/ciphers/utils.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { wipe } from "../keys/mod.ts";
import { sessionKey, sharedPoint } from "./cpace.ts";
import {
  associatedData,
  cardKey,
  channelOf,
  confirmationTag,
  openCard,
  readOpening,
  readProof,
  sealCard,
  transcript,
} from "./handshake_keys.ts";
import {
  commonOf,
  type HandshakeFailure,
  type InviterHandshake,
} from "./handshake_state.ts";

type At<Name extends InviterHandshake["at"]> = Extract<
  InviterHandshake,
  { at: Name }
>;

/** Checks the joiner's proof. If it holds: own proof and card, sealed for the joiner. */
export function answerProof(
  state: At<"challenged">,
): At<"answered"> | HandshakeFailure {
  const [opening] = state.sent;
  const [proof] = state.received;
  const { sessionId, share: ownShare, ...rest } = readOpening(opening);
  const { share, kemPublicKey, tag } = readProof(proof);
  const shared = equalBytes(share, ownShare)
    ? undefined // our own share, sent back
    : sharedPoint(state.run.scalar, share);
  if (shared === undefined) return "misbehaved";

  const channel = channelOf(state.relayKey, state.nameplate);
  const context = { sessionId, share: ownShare, ...rest };
  const isk = sessionKey(sessionId, shared, {
    ya: ownShare,
    ada: associatedData("inviter", context),
    yb: share,
    adb: associatedData("joiner", context),
  });
  wipe(shared);
  try {
    const expected = confirmationTag(
      isk,
      "joiner",
      transcript(channel, opening, share, kemPublicKey),
    );
    if (!equalBytes(expected, tag)) return "wrong";

    const kem = encapsulate(kemPublicKey, state.run.kemSeed);
    if (kem === undefined) return "misbehaved";
    const said = transcript(channel, opening, proof, kem.cipherText);
    const ownCardKey = cardKey(isk, kem.sharedSecret, "inviter", said);
    const answer = concatBytes(
      kem.cipherText,
      confirmationTag(isk, "inviter", said),
      sealCard(ownCardKey, state.run.card),
    );
    const peerCardKey = cardKey(
      isk,
      kem.sharedSecret,
      "joiner",
      transcript(channel, opening, proof, answer),
    );
    wipe(kem.sharedSecret, ownCardKey);
    return {
      ...commonOf(state),
      at: "answered",
      peerCardKey,
      sent: [opening, answer],
      received: [proof],
    };
  } finally {
    wipe(isk);
  }
}

/** undefined for a key that ML-KEM's own check refuses (FIPS 203, section 7.2). */
function encapsulate(publicKey: Uint8Array, seed: Uint8Array) {
  try {
    return ml_kem768.encapsulate(publicKey, seed);
  } catch {
    return undefined; // the tag holds, so the joiner itself sent a key that is none
  }
}

/** The joiner's card, padded, or undefined when it is not what the joiner sealed. */
export function openReturn(state: At<"returned">): Uint8Array | undefined {
  return openCard(state.peerCardKey, state.received[1]);
}
