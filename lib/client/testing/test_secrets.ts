/** What a lock is opened with, in a test. */
import { argon2id } from "@noble/hashes/argon2.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import { NoPasskeyError, type Passkeys, type Stretch } from "../lock/mod.ts";

/** Argon2id at the least it can cost: as good a function, and no second of waiting. */
export const quickStretch: Stretch = (passphrase, salt, { lanes }) =>
  Promise.resolve(
    argon2id(passphrase, salt, { m: 8 * lanes, t: 1, p: lanes, dkLen: 32 }),
  );

/** An authenticator in memory, which computes what the PRF extension promises: a keyed function of the salt. */
export class TestPasskeys implements Passkeys {
  readonly #keys = new Map<string, Uint8Array>();
  /** While true, whoever is asked calls it off. */
  callsOff = false;

  create(salt: Uint8Array) {
    const credential = randomBytes(16);
    this.#keys.set(bytesToHex(credential), randomBytes(32));
    return this.secret(credential, salt).then((secret) => ({
      credential,
      secret,
    }));
  }

  secret(credential: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
    const key = this.#keys.get(bytesToHex(credential));
    return this.callsOff || !key
      ? Promise.reject(new NoPasskeyError())
      : Promise.resolve(hmac(sha256, key, salt));
  }
}
