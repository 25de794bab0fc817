/**
 * Proves that headers and ciphertexts of the key exchange come from the one
 * who holds every epoch's secret so far.
 */
import { authenticate, cut, derive, label, withEpoch } from "./kdf.ts";

export type Authenticator = {
  readonly root: Uint8Array;
  readonly mac: Uint8Array;
};

export const MAC_LENGTH = 32;

const UPDATE = label("Signal_PQCKA_V1_MLKEM768:Authenticator Update");
const HEADER = label("Signal_PQCKA_V1_MLKEM768:ekheader");
const CIPHERTEXT = label("Signal_PQCKA_V1_MLKEM768:ciphertext");

/** The authenticator of epoch 1, from the 32-byte secret that the handshake yields. */
export function startAuthenticator(secret: Uint8Array): Authenticator {
  return advanceRoot(new Uint8Array(32), 1, secret);
}

/** Mixes an epoch's secret in; before it, the authenticator vouches for that epoch's header, after it for its ciphertext. */
export function updateAuthenticator(
  authenticator: Authenticator,
  epoch: number,
  secret: Uint8Array,
): Authenticator {
  return advanceRoot(authenticator.root, epoch, secret);
}

/** MAC (32 bytes) of an encapsulation key's 64-byte header. */
export function headerMac(
  authenticator: Authenticator,
  epoch: number,
  header: Uint8Array,
): Uint8Array {
  return authenticate(authenticator.mac, withEpoch(HEADER, epoch), header);
}

/** MAC (32 bytes) of a ciphertext, given in its two parts. */
export function ciphertextMac(
  authenticator: Authenticator,
  epoch: number,
  ct1: Uint8Array,
  ct2: Uint8Array,
): Uint8Array {
  return authenticate(
    authenticator.mac,
    withEpoch(CIPHERTEXT, epoch),
    ct1,
    ct2,
  );
}

function advanceRoot(
  from: Uint8Array,
  epoch: number,
  secret: Uint8Array,
): Authenticator {
  const input = new Uint8Array(from.length + secret.length);
  input.set(from);
  input.set(secret, from.length);
  const [root, mac] = cut(derive(input, withEpoch(UPDATE, epoch), 64));
  input.fill(0);
  return { root, mac };
}
