/** AES-256-GCM under a CryptoKey whose bytes no code can read: nonce 12 ‖ ciphertext and tag. */
import { concatBytes } from "@noble/hashes/utils.js";

const NONCE_LENGTH = 12;
const AD = new TextEncoder().encode("whisper vault device v1");

export function newDeviceKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

export async function wrapWith(
  key: CryptoKey,
  secret: Uint8Array,
): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_LENGTH));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: AD },
    key,
    secret.slice(),
  );
  return concatBytes(iv, new Uint8Array(sealed));
}

/** undefined when this key did not wrap it. */
export async function unwrapWith(
  key: CryptoKey,
  wrapped: Uint8Array,
): Promise<Uint8Array | undefined> {
  const iv = wrapped.slice(0, NONCE_LENGTH);
  try {
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData: AD },
      key,
      wrapped.slice(NONCE_LENGTH),
    );
    return new Uint8Array(opened);
  } catch (error) {
    if (error instanceof DOMException && error.name === "OperationError") {
      return undefined;
    }
    throw error;
  }
}
