import { cbc } from "@noble/ciphers/aes.js";
import { equalBytes } from "@noble/ciphers/utils.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { SignalError } from "./errors.ts";
import { MAC_LENGTH } from "./messages.ts";

const INFO = utf8ToBytes("WhisperMessageKeys");

/** The keys of one message, out of its Double Ratchet seed and, as salt, its post-quantum key. */
export class MessageKeys {
  readonly #derived: Uint8Array;

  constructor(seed: Uint8Array, pqKey: Uint8Array) {
    this.#derived = hkdf(sha256, seed, pqKey, INFO, 80);
  }

  /** AES-256-CBC, PKCS#7. */
  encrypt(plaintext: Uint8Array): Uint8Array {
    return this.#cipher().encrypt(plaintext);
  }

  /** @throws SignalError `malformed` when the padding is wrong (only an authentic sender can cause that) */
  decrypt(ciphertext: Uint8Array): Uint8Array {
    try {
      return this.#cipher().decrypt(ciphertext);
    } catch {
      throw new SignalError("malformed", "padding");
    }
  }

  /** MAC (8) over sender's and receiver's identity keys and the encoded message. */
  mac(
    sender: Uint8Array,
    receiver: Uint8Array,
    encoded: Uint8Array,
  ): Uint8Array {
    const key = this.#derived.subarray(32, 64);
    return hmac.create(sha256, key).update(sender).update(receiver).update(
      encoded,
    ).digest()
      .subarray(0, MAC_LENGTH);
  }

  /** @throws SignalError `invalid-mac` */
  verify(
    mac: Uint8Array,
    sender: Uint8Array,
    receiver: Uint8Array,
    encoded: Uint8Array,
  ): void {
    if (!equalBytes(mac, this.mac(sender, receiver, encoded))) {
      throw new SignalError("invalid-mac");
    }
  }

  /** The keys of a message are used once. */
  wipe(): void {
    this.#derived.fill(0);
  }

  #cipher() {
    return cbc(this.#derived.subarray(0, 32), this.#derived.subarray(64));
  }
}
