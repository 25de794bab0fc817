import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToUtf8, utf8ToBytes } from "@noble/ciphers/utils.js";
import { type DoubleRatchet, receiveStep } from "../double_ratchet.ts";
import { SignalError } from "../errors.ts";
import { agree } from "../keys.ts";
import { MessageKeys } from "../message_keys.ts";
import { parseSignalMessage } from "../messages.ts";
import type { SessionState } from "../session_state.ts";
import { receiveKey } from "../spqr/chain.ts";
import { decodeMessage } from "../spqr/message.ts";
import { receive, send, SpqrError, type SpqrState } from "../spqr/mod.ts";

/** The private key of an X25519 public key; undefined for who has no quantum computer. */
export type BreakX25519 = (publicKey: Uint8Array) => Uint8Array | undefined;

/**
 * Somebody who has copied a device's session and listens to every message from then on, in order. With a quantum
 * computer he gets the private half of every X25519 key that shows; ML-KEM is beyond him.
 */
export class Thief {
  #ratchet: DoubleRatchet;
  #spqr: SpqrState;
  readonly #sender: Uint8Array;

  /** @param victim identity key (33) of the device */
  constructor(
    stolen: SessionState,
    readonly victim: Uint8Array,
    readonly breakX25519: BreakX25519,
  ) {
    this.#ratchet = stolen.ratchet;
    this.#spqr = stolen.spqr;
    this.#sender = stolen.remoteIdentityKey;
  }

  /** Hears what the victim sends (a whole SignalMessage). */
  async overhears(message: Uint8Array): Promise<void> {
    const { ratchetKey } = parseSignalMessage(message);
    await this.#answer(ratchetKey);
    // What the victim draws for ML-KEM now, the thief can only guess.
    this.#spqr = send(
      this.#spqr,
      (length) => crypto.getRandomValues(new Uint8Array(length)),
    ).state;
  }

  /**
   * Tries to read what is sent to the victim.
   * @param pqKey what SPQR contributes to this message, for a thief who was told
   */
  async reads(
    message: Uint8Array,
    pqKey?: Uint8Array,
  ): Promise<string | undefined> {
    try {
      return bytesToUtf8(await this.#open(message, pqKey));
    } catch (error) {
      if (error instanceof SignalError || error instanceof SpqrError) {
        return undefined;
      }
      throw error;
    }
  }

  async #open(message: Uint8Array, pqKey?: Uint8Array): Promise<Uint8Array> {
    const parsed = parseSignalMessage(message);
    const { ratchet, seed } = await receiveStep(this.#ratchet, parsed);
    const key = pqKey ?? this.#pqKey(parsed.pqRatchet, ratchet);
    const keys = new MessageKeys(seed, key);
    keys.verify(parsed.mac, this.#sender, this.victim, parsed.authenticated);
    return keys.decrypt(parsed.ciphertext);
  }

  /** Goes on in both ratchets as far as he can. */
  #pqKey(message: Uint8Array, ratchet: DoubleRatchet): Uint8Array {
    this.#ratchet = ratchet;
    const { epoch, index } = decodeMessage(message);
    const { chain, key } = receiveKey(this.#spqr.chain, epoch - 1, index);
    try {
      this.#spqr = receive(this.#spqr, message).state;
    } catch (error) {
      if (!(error instanceof SpqrError)) throw error;
      // The exchange has left him behind; the keys of the epochs he knows are still his.
      this.#spqr = { ...this.#spqr, chain };
    }
    return key;
  }

  /** The step of the Double Ratchet that the victim made to send, if its key can be broken. */
  async #answer(ratchetKey: Uint8Array): Promise<void> {
    const { sending, rootKey } = this.#ratchet;
    if (sending.kind === "ready") return;
    const privateKey = this.breakX25519(ratchetKey);
    if (privateKey === undefined) return;
    const secret = await agree(privateKey, sending.theirRatchetKey);
    const info = utf8ToBytes("WhisperRatchet");
    const derived = hkdf(sha256, secret, rootKey, info, 64);
    this.#ratchet = {
      ...this.#ratchet,
      rootKey: derived.slice(0, 32),
      sending: {
        kind: "ready",
        ratchetKeyPair: { privateKey, publicKey: Uint8Array.from(ratchetKey) },
        chain: { key: derived.slice(32), index: 0 },
      },
    };
  }
}
