import { ed25519 } from "@noble/curves/ed25519.js";

// PKCS#8 around a raw seed (RFC 8410): WebCrypto imports private keys no other way.
const PKCS8 = Uint8Array.from([
  0x30,
  0x2e,
  2,
  1,
  0,
  0x30,
  5,
  6,
  3,
  0x2b,
  0x65,
  0x70,
  4,
  0x22,
  4,
  0x20,
]);

let supported: Promise<boolean> | undefined;

/** Whether WebCrypto knows Ed25519: asked once. Without it (older browsers) noble computes. */
function native(): Promise<boolean> {
  supported ??= crypto.subtle.importKey(
    "raw",
    new Uint8Array(32).fill(1),
    "Ed25519",
    false,
    ["verify"],
  )
    .then(() => true, (error: unknown) => {
      // Any other key error would still mean that the algorithm is there.
      return !(error instanceof DOMException &&
        error.name === "NotSupportedError");
    });
  return supported;
}

export type Signer = {
  publicKey: Uint8Array /* 32 */;
  sign(message: Uint8Array): Promise<Uint8Array /* 64 */>;
};

/** A signer for a 32-byte private seed (RFC 8032). */
export async function ed25519Signer(seed: Uint8Array): Promise<Signer> {
  const publicKey = ed25519.getPublicKey(seed);
  if (!await native()) {
    const own = seed.slice();
    return {
      publicKey,
      sign: (message) => Promise.resolve(ed25519.sign(message, own)),
    };
  }
  const pkcs8 = new Uint8Array(48);
  pkcs8.set(PKCS8);
  pkcs8.set(seed, 16);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, [
    "sign",
  ]);
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign("Ed25519", key, message.slice())),
  };
}

/** Whether `signature` (64 bytes) over `message` is of `publicKey` (32 bytes). Never throws for bad input. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (!await native()) {
    try {
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false; // noble throws where the encoding is no point or scalar: that is "no"
    }
  }
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey(
      "raw",
      publicKey.slice(),
      "Ed25519",
      false,
      ["verify"],
    );
  } catch {
    return false; // some engines refuse at import what is no point: that is "no"
  }
  return await crypto.subtle.verify(
    "Ed25519",
    key,
    signature.slice(),
    message.slice(),
  );
}
