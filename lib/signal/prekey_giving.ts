import { kyberPublicKeyOf } from "./kyber.ts";
import { MAX_GIVEN, type PreKeyStock } from "./prekey_stock.ts";
import type { PreKeyBundle, SignedPreKey } from "./prekeys.ts";
import { publicKeyOf } from "./public_key.ts";
import type { LocalDevice } from "./session_cipher.ts";
import { sign } from "./xeddsa_noble.ts";

/* What a stock gives out. Apart from it, because it takes signing, and to be written to does not. */

/**
 * A bundle with one-time prekeys that nobody else gets, and the stock that knows so: to be stored before the bundle
 * is published. Undefined when none is ready or too many are out: then the last resort has to do.
 */
export function giveBundle(
  stock: PreKeyStock,
  local: LocalDevice,
): { stock: PreKeyStock; bundle: PreKeyBundle } | undefined {
  const [pair, ...ready] = stock.ready;
  if (pair === undefined || stock.given.length >= MAX_GIVEN) return undefined;
  const { signed } = stock.standing[0];
  const given = [...stock.given, { ...pair, signedPreKeyId: signed.id }];
  const { id, privateKey, seed } = pair;
  const bundle = {
    ...bundleOf(local, signed, id, seed),
    preKey: { id, publicKey: publicKeyOf(privateKey) },
  };
  return { stock: { ...stock, ready, given }, bundle };
}

/** The bundle for whoever comes when no other is left; anybody may be given it. */
export function lastResortBundle(
  { standing: [{ signed, seed }] }: PreKeyStock,
  local: LocalDevice,
): PreKeyBundle {
  return bundleOf(local, signed, signed.id, seed);
}

function bundleOf(
  { identity, registrationId, address }: LocalDevice,
  { id, keyPair, signature }: SignedPreKey,
  kyberId: number,
  seed: Uint8Array,
): PreKeyBundle {
  const kyberKey = kyberPublicKeyOf(seed);
  return {
    registrationId,
    deviceId: address.deviceId,
    identityKey: identity.publicKey,
    signedPreKey: { id, publicKey: keyPair.publicKey, signature },
    kyberPreKey: {
      id: kyberId,
      publicKey: kyberKey,
      signature: sign(identity.privateKey, kyberKey),
    },
  };
}
