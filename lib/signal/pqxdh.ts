import { concatBytes } from "@noble/ciphers/utils.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { SignalError } from "./errors.ts";
import {
  agree,
  decodePublicKey,
  generateAndAgree,
  type KeyPair,
} from "./keys.ts";
import { kyberDecapsulate, kyberEncapsulate } from "./kyber.ts";
import type { PreKeyMessage } from "./messages.ts";
import {
  type KyberSecret,
  type PreKey,
  type PreKeyBundle,
  type SignedPreKey,
  verifyBundle,
} from "./prekeys.ts";
import { isCanonicalPoint } from "./prime_order.ts";
import type { SessionState } from "./session_state.ts";
import { initialState } from "./spqr/mod.ts";

/*
 * PQXDH: both sides of a new session agree on its first root key, chain key and post-quantum secret.
 *   secret = FF*32 ‖ DH(IK_I, SPK) ‖ DH(EK, IK_R) ‖ DH(EK, SPK) ‖ [DH(EK, OPK)] ‖ KEM secret
 */

const INFO = utf8ToBytes("WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024");
const DISCONTINUITY = new Uint8Array(32).fill(0xff);

/**
 * The initiator's state of a new session.
 * @param now milliseconds since 1970
 * @throws SignalError `invalid-key`, `invalid-signature`
 */
export async function initiate(
  identity: KeyPair,
  bundle: PreKeyBundle,
  now: number,
): Promise<SessionState> {
  await verifyBundle(bundle);
  const { identityKey, signedPreKey, kyberPreKey, preKey } = bundle;
  const [kem, byIdentity, { keyPair: base, secrets }] = await Promise.all([
    kyberEncapsulate(kyberPreKey.publicKey),
    agree(identity.privateKey, signedPreKey.publicKey),
    generateAndAgree(
      identityKey,
      signedPreKey.publicKey,
      ...(preKey ? [preKey.publicKey] : []),
    ),
  ]);
  base.privateKey.fill(0); // only ever needed here
  const agreements = [byIdentity, ...secrets];
  const { rootKey, chainKey, pqSecret } = derive(agreements, kem.secret);
  const signedKey = Uint8Array.from(signedPreKey.publicKey);
  return {
    baseKey: base.publicKey,
    remoteIdentityKey: Uint8Array.from(identityKey),
    remoteRegistrationId: bundle.registrationId,
    ratchet: {
      rootKey,
      // Our first ratchet key answers the signed prekey, as it would any other ratchet key of theirs.
      sending: { kind: "due", theirRatchetKey: signedKey },
      previousCounter: 0,
      receiving: [{
        ratchetKey: signedKey,
        chain: { key: chainKey, index: 0 },
        skipped: [],
      }],
    },
    spqr: initialState(pqSecret, "A2B"),
    unanswered: {
      preKeyId: preKey?.id,
      signedPreKeyId: signedPreKey.id,
      kyberPreKeyId: kyberPreKey.id,
      kyberCiphertext: kem.ciphertext,
      since: now,
    },
  };
}

/** The responder's own keys that a first message names. */
export interface ResponderKeys {
  readonly identity: KeyPair;
  readonly signedPreKey: SignedPreKey;
  readonly kyberPreKey: KyberSecret;
  readonly preKey?: PreKey;
}

/**
 * The responder's state of a new session, before the message inside has proved it.
 * @throws SignalError `invalid-key`, `malformed`
 */
export async function respond(
  { identity, signedPreKey, kyberPreKey, preKey }: ResponderKeys,
  message: PreKeyMessage,
): Promise<SessionState> {
  const { baseKey, identityKey } = message;
  const [canonical, kemSecret, ...agreements] = await Promise.all([
    isCanonicalPoint(decodePublicKey(baseKey)),
    kyberDecapsulate(kyberPreKey.secretKey, message.kyberCiphertext),
    agree(signedPreKey.keyPair.privateKey, identityKey),
    agree(identity.privateKey, baseKey),
    agree(signedPreKey.keyPair.privateKey, baseKey),
    ...(preKey ? [agree(preKey.keyPair.privateKey, baseKey)] : []),
  ]);
  const { rootKey, chainKey, pqSecret } = derive(agreements, kemSecret);
  // A key with a second encoding or a small-order part would let one session have two names.
  if (!canonical) throw new SignalError("invalid-key");
  return {
    baseKey: Uint8Array.from(baseKey),
    remoteIdentityKey: Uint8Array.from(identityKey),
    remoteRegistrationId: message.registrationId,
    ratchet: {
      rootKey,
      sending: {
        kind: "ready",
        ratchetKeyPair: signedPreKey.keyPair,
        chain: { key: chainKey, index: 0 },
      },
      previousCounter: 0,
      receiving: [],
    },
    spqr: initialState(pqSecret, "B2A"),
  };
}

/** Wipes its inputs. */
function derive(agreements: Uint8Array[], kemSecret: Uint8Array) {
  const secret = concatBytes(DISCONTINUITY, ...agreements, kemSecret);
  const derived = hkdf(sha256, secret, undefined, INFO, 96);
  for (const bytes of [secret, kemSecret, ...agreements]) bytes.fill(0);
  return {
    rootKey: derived.slice(0, 32),
    chainKey: derived.slice(32, 64),
    pqSecret: derived.slice(64),
  };
}
