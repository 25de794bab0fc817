/**
 * Seals what is forwarded, to the X25519 key of the day of the relay that is to open it, and its answer back.
 *
 * The keys come from HKDF over the shared secret with both public keys as salt, and the relay's key and its
 * challenge as info: they hold for one relay, one challenge and one ephemeral key, which is used once. So
 * nothing else needs authenticating, and what was sealed opens on no other connection.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";

/** What a sealed command begins with: the ephemeral public key. */
export const FORWARD_EPHEMERAL = 32;
export const FORWARD_TAG = 16;

const KEY = 32;
const NONCE = 24;
const LABEL = new TextEncoder().encode("whisper forward v1");

/** What a seal is good for: of the HELLO of the relay that is to open it, 32 bytes each. */
export type ForwardBinding = {
  dayKey: Uint8Array;
  relayKey: Uint8Array;
  challenge: Uint8Array;
};

/** One command on its way to another relay, and the answer to it: each is sealed once. */
export class ForwardSeal {
  readonly #ephemeral: Uint8Array;
  readonly #keys: Uint8Array;

  /** `secret`: X25519 of one private and the other public key (32), not all zeros. `ephemeral`: the public one (32). */
  constructor(
    secret: Uint8Array,
    ephemeral: Uint8Array,
    { dayKey, relayKey, challenge }: ForwardBinding,
  ) {
    const salt = concatBytes(ephemeral, dayKey);
    const info = concatBytes(LABEL, relayKey, challenge);
    this.#ephemeral = ephemeral;
    this.#keys = hkdf(sha256, secret, salt, info, 2 * (KEY + NONCE));
  }

  /** ephemeral key 32 ‖ ciphertext ‖ tag 16 */
  sealCommand(plain: Uint8Array): Uint8Array {
    return concatBytes(this.#ephemeral, this.#cipher(0).encrypt(plain));
  }

  /** Undefined when it does not open. */
  openCommand(sealed: Uint8Array): Uint8Array | undefined {
    return this.#open(0, sealed.subarray(FORWARD_EPHEMERAL));
  }

  /** ciphertext ‖ tag 16 */
  sealReply(plain: Uint8Array): Uint8Array {
    return this.#cipher(1).encrypt(plain);
  }

  /** Undefined when it does not open. */
  openReply(sealed: Uint8Array): Uint8Array | undefined {
    return this.#open(1, sealed);
  }

  #open(which: 0 | 1, box: Uint8Array): Uint8Array | undefined {
    try {
      return this.#cipher(which).decrypt(box);
    } catch {
      return undefined; // the cipher throws when the tag is wrong; that is the answer
    }
  }

  #cipher(which: 0 | 1) {
    const at = which * (KEY + NONCE);
    return xchacha20poly1305(
      this.#keys.subarray(at, at + KEY),
      this.#keys.subarray(at + KEY, at + KEY + NONCE),
    );
  }
}
