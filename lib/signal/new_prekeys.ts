import { generateKeyPair, type KeyPair } from "./keys.ts";
import { generateKyberKeyPair } from "./kyber.ts";
import type { KyberPreKey, PreKey, SignedPreKey } from "./prekeys.ts";
import { sign } from "./xeddsa_noble.ts";

export async function generatePreKey(id: number): Promise<PreKey> {
  return { id, keyPair: await generateKeyPair() };
}

export async function generateSignedPreKey(
  id: number,
  identity: KeyPair,
): Promise<SignedPreKey> {
  const keyPair = await generateKeyPair();
  return {
    id,
    keyPair,
    signature: sign(identity.privateKey, keyPair.publicKey),
  };
}

export async function generateKyberPreKey(
  id: number,
  identity: KeyPair,
): Promise<KyberPreKey> {
  const pair = await generateKyberKeyPair();
  return { id, ...pair, signature: sign(identity.privateKey, pair.publicKey) };
}
