import { SignalError } from "./errors.ts";
import { isPublicKey, type KeyPair } from "./keys.ts";
import { isKyberPublicKey } from "./kyber.ts";
import { verify } from "./xeddsa.ts";

/** A one-time prekey. */
export interface PreKey {
  readonly id: number;
  readonly keyPair: KeyPair;
}

/** A signed prekey: XEdDSA by the identity key over the public key (33). */
export interface SignedPreKey {
  readonly id: number;
  readonly keyPair: KeyPair;
  readonly signature: Uint8Array;
}

/** A Kyber1024 prekey, one-time or last-resort: the owner decides how often it answers. */
export interface KyberPreKey {
  readonly id: number;
  /** 1569 bytes: 0x08 ‖ key. */
  readonly publicKey: Uint8Array;
  /** The 64-byte seed d ‖ z of FIPS 203; the 3168-byte key is expanded when it is used. */
  readonly secretKey: Uint8Array;
  /** XEdDSA by the identity key over `publicKey`. */
  readonly signature: Uint8Array;
}

/** What a device publishes so that someone can begin a session with it. */
export interface PreKeyBundle {
  readonly registrationId: number;
  readonly deviceId: number;
  readonly identityKey: Uint8Array;
  readonly signedPreKey: {
    readonly id: number;
    readonly publicKey: Uint8Array;
    readonly signature: Uint8Array;
  };
  readonly kyberPreKey: {
    readonly id: number;
    readonly publicKey: Uint8Array;
    readonly signature: Uint8Array;
  };
  readonly preKey?: { readonly id: number; readonly publicKey: Uint8Array };
}

/** The half of a Kyber prekey that its owner needs to answer with. */
export type KyberSecret = Pick<KyberPreKey, "id" | "secretKey">;

/** Where a device looks up its own prekeys while it decrypts a first message. */
export interface PreKeySource {
  preKey(id: number): Promise<PreKey | undefined>;
  signedPreKey(id: number): Promise<SignedPreKey | undefined>;
  kyberPreKey(id: number): Promise<KyberSecret | undefined>;
}

/** Form and both signatures of a bundle. @throws SignalError `invalid-key`, `invalid-signature` */
export async function verifyBundle(bundle: PreKeyBundle): Promise<void> {
  const { identityKey, signedPreKey, kyberPreKey, preKey } = bundle;
  if (
    !isPublicKey(identityKey) || !isPublicKey(signedPreKey.publicKey) ||
    !isKyberPublicKey(kyberPreKey.publicKey) ||
    (preKey !== undefined && !isPublicKey(preKey.publicKey))
  ) {
    throw new SignalError("invalid-key");
  }
  const verified = await Promise.all([
    verify(identityKey, signedPreKey.publicKey, signedPreKey.signature),
    verify(identityKey, kyberPreKey.publicKey, kyberPreKey.signature),
  ]);
  if (verified.includes(false)) throw new SignalError("invalid-signature");
}
