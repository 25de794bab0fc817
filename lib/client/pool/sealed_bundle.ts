/**
 * A bundle as it lies in a pool: the relay sees random bytes of one length, whatever is in it.
 *
 * sealed = nonce 24 ‖ XChaCha20-Poly1305(seal key, nonce, padded), AD = label ‖ relay key 32 ‖ pool 16
 * padded = length u16 ‖ bundle ‖ zeros
 *
 * Its prekeys are signed by the identity key that the signed device list names, so it needs no signature.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { PreKeyBundle } from "../../signal/mod.ts";
import { pad, unpad } from "../invitation/sealed.ts";
import { encodeBundle, parseBundle } from "../invite/mod.ts";
import { type Device, MalformedError } from "../keys/mod.ts";
import { poolSealKey, type PoolWay } from "./pool_way.ts";

const NONCE = 24;
const PADDED = 1_920;
/** What it measures at the relay. */
export const SEALED_BUNDLE_SIZE = NONCE + PADDED + 16;

/** `relayKey`: of the relay where the pool is, 32 bytes. */
export function sealBundle(
  relayKey: Uint8Array,
  { id, secret }: PoolWay,
  bundle: PreKeyBundle,
): Uint8Array {
  const nonce = randomBytes(NONCE);
  const box = xchacha20poly1305(
    poolSealKey(secret),
    nonce,
    placeOf(relayKey, id),
  );
  return concatBytes(nonce, box.encrypt(pad(encodeBundle(bundle), PADDED)));
}

/**
 * The form of a bundle of `device`. Its signatures are checked where a session starts from it.
 * @throws {MalformedError} for what is not sealed under the pool's secret, for it and its relay
 */
export function openBundle(
  relayKey: Uint8Array,
  { id, secret }: PoolWay,
  device: Device,
  sealed: Uint8Array,
): PreKeyBundle {
  if (sealed.length !== SEALED_BUNDLE_SIZE) throw new MalformedError("length");
  const nonce = sealed.subarray(0, NONCE);
  const box = xchacha20poly1305(
    poolSealKey(secret),
    nonce,
    placeOf(relayKey, id),
  );
  let padded: Uint8Array;
  try {
    padded = box.decrypt(sealed.subarray(NONCE));
  } catch {
    throw new MalformedError("seal");
  }
  return parseBundle(unpad(padded), device);
}

function placeOf(relayKey: Uint8Array, pool: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes("whisper contact pool v1"), relayKey, pool);
}
