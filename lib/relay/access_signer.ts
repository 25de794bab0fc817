import { ed25519Signer, type Signer } from "../wire/mod.ts";
import { accessSeed } from "../wire/access_seed.ts";

/** The signer that a password stands for at the relay with this key. See `accessSeed`. */
export async function accessSigner(
  password: string,
  relayKey: Uint8Array, /* 32 */
): Promise<Signer> {
  return await ed25519Signer(await accessSeed(password, relayKey));
}
