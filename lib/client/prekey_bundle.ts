import {
  generateKyberPreKey,
  generatePreKey,
  type PreKeyBundle,
} from "../signal/mod.ts";
import type { Entry } from "./ledger.ts";
import { type OwnAccount, SIGNED_PREKEY_ID } from "./own_account.ts";
import {
  countersTable,
  kyberPreKeyTable,
  preKeyTable,
  SELF,
  signedPreKeyTable,
} from "./records.ts";

/**
 * A bundle for one other device, with a one-time prekey of each kind that nobody else gets: its
 * private halves are in `entry`. A bundle is good for one session.
 */
export async function makeBundle(
  entry: Entry,
  account: OwnAccount,
): Promise<PreKeyBundle> {
  const counters = await entry.get(countersTable, SELF);
  const signedPreKey = await entry.get(
    signedPreKeyTable,
    String(SIGNED_PREKEY_ID),
  );
  if (!counters || !signedPreKey) throw new Error("the account has no prekeys");
  const { identity, registrationId, id: deviceId } = account.device;
  const id = counters.nextPreKey;
  const [preKey, kyberPreKey] = await Promise.all([
    generatePreKey(id),
    generateKyberPreKey(id, identity),
  ]);
  // Ids have 24 bits in Signal's clients, and an account is far from using them up.
  entry.put(countersTable, SELF, { ...counters, nextPreKey: id + 1 });
  entry.put(preKeyTable, String(id), preKey);
  entry.put(kyberPreKeyTable, String(id), kyberPreKey);
  return {
    registrationId,
    deviceId,
    identityKey: identity.publicKey,
    signedPreKey: {
      id: signedPreKey.id,
      publicKey: signedPreKey.keyPair.publicKey,
      signature: signedPreKey.signature,
    },
    kyberPreKey: {
      id,
      publicKey: kyberPreKey.publicKey,
      signature: kyberPreKey.signature,
    },
    preKey: { id, publicKey: preKey.keyPair.publicKey },
  };
}

/** Takes back the one-time prekeys of a bundle that nobody will use. */
export function discardBundle(entry: Entry, preKeyId: number): void {
  entry.delete(preKeyTable, String(preKeyId));
  entry.delete(kyberPreKeyTable, String(preKeyId));
}
