import { x25519 } from "@noble/curves/ed25519.js";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";

/** RFC 8410: the PrivateKeyInfo of an X25519 key is this prefix and the 32 bytes. */
const PKCS8_PREFIX = hexToBytes("302e020100300506032b656e04220420");

/** The X25519 key of a day, which FWD is sealed to: private, and in memory for as long as a connection greeted with it. */
export class DayKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** ms since 1970; nobody is told to use it longer. */
  readonly validUntil: number;
  readonly #key: Promise<CryptoKey>;

  constructor(privateKey: Uint8Array, validUntil: number) {
    this.publicKey = x25519.getPublicKey(privateKey);
    this.validUntil = validUntil;
    this.#key = crypto.subtle.importKey(
      "pkcs8",
      concatBytes(PKCS8_PREFIX, privateKey).slice(),
      "X25519",
      false,
      ["deriveBits"],
    );
  }

  /** The secret (32) shared with a public key (32); undefined where that gives none. */
  async agree(publicKey: Uint8Array): Promise<Uint8Array | undefined> {
    const key = await this.#key;
    try {
      const other = await crypto.subtle.importKey(
        "raw",
        publicKey.slice(),
        "X25519",
        false,
        [],
      );
      const secret = await crypto.subtle.deriveBits(
        { name: "X25519", public: other },
        key,
        256,
      );
      return new Uint8Array(secret);
    } catch {
      return undefined; // a point of low order: WebCrypto refuses an all-zero secret
    }
  }
}
