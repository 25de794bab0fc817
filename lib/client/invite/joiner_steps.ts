/** What the joiner computes: its proof, and the inviter's proof and card. */
import { equalBytes } from "@noble/ciphers/utils.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { wipe } from "../keys/mod.ts";
import {
  calculateGenerator,
  publicShare,
  sessionKey,
  sharedPoint,
} from "./cpace.ts";
import {
  associatedData,
  cardKey,
  channelOf,
  confirmationTag,
  openCard,
  readAnswer,
  readOpening,
  sealCard,
  transcript,
} from "./handshake_keys.ts";
import {
  commonOf,
  type HandshakeFailure,
  type JoinerHandshake,
} from "./handshake_state.ts";

type At<Name extends JoinerHandshake["at"]> = Extract<
  JoinerHandshake,
  { at: Name }
>;

/** The joiner's share, ML-KEM-768 key and proof that it knows the code. */
export function proveCode(
  state: At<"invited">,
): At<"proved"> | HandshakeFailure {
  const { run } = state;
  const [opening] = state.received;
  const context = readOpening(opening);
  const channel = channelOf(state.relayKey, state.nameplate);
  const shared = sharedPoint(run.scalar, context.share);
  if (shared === undefined) return "misbehaved";
  const share = publicShare(
    calculateGenerator(
      new TextEncoder().encode(run.secret),
      channel,
      context.sessionId,
    ),
    run.scalar,
  );
  const isk = sessionKey(context.sessionId, shared, {
    ya: context.share,
    ada: associatedData("inviter", context),
    yb: share,
    adb: associatedData("joiner", context),
  });
  wipe(shared);
  const kem = ml_kem768.keygen(run.kemSeed);
  wipe(kem.secretKey);
  const tag = confirmationTag(
    isk,
    "joiner",
    transcript(channel, opening, share, kem.publicKey),
  );
  return {
    ...commonOf(state),
    at: "proved",
    isk,
    // Copies: the caller wipes the state before once this one is on disk.
    kemSeed: run.kemSeed.slice(),
    card: run.card.slice(),
    sent: [concatBytes(share, kem.publicKey, tag)],
    received: [opening],
  };
}

/** Checks the inviter's proof. If it holds: their card, padded, and the own one sealed for them. */
export function openAnswer(
  state: At<"confirmed">,
): { peerCard: Uint8Array; sealedCard: Uint8Array } | HandshakeFailure {
  const [opening, answer] = state.received;
  const [proof] = state.sent;
  const { kemCiphertext, tag, sealedCard } = readAnswer(answer);
  const channel = channelOf(state.relayKey, state.nameplate);
  const said = transcript(channel, opening, proof, kemCiphertext);
  const expected = confirmationTag(state.isk, "inviter", said);
  if (!equalBytes(expected, tag)) return "wrong";

  const kem = ml_kem768.keygen(state.kemSeed);
  const kemSecret = ml_kem768.decapsulate(kemCiphertext, kem.secretKey);
  const peerKey = cardKey(state.isk, kemSecret, "inviter", said);
  const peerCard = openCard(peerKey, sealedCard);
  const ownKey = cardKey(
    state.isk,
    kemSecret,
    "joiner",
    transcript(channel, opening, proof, answer),
  );
  const sealed = sealCard(ownKey, state.card);
  wipe(kem.secretKey, kemSecret, peerKey, ownKey);
  return peerCard === undefined
    ? "misbehaved"
    : { peerCard, sealedCard: sealed };
}
