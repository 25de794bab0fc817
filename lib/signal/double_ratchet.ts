import { equalBytes } from "@noble/ciphers/utils.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { SignalError } from "./errors.ts";
import {
  agree,
  generateAndAgree,
  type KeyPair,
  prepareKeyPair,
} from "./keys.ts";

/*
 * The Double Ratchet: which key belongs to which message. Encryption, authentication and the post-quantum
 * ratchet are not its concern. Every function takes a state and returns a new one.
 */

/** How many messages may be missing before the one that arrives. */
export const MAX_FORWARD_JUMPS = 25_000;
/** Keys kept for messages of one chain that have not arrived yet; the oldest go first. */
export const MAX_SKIPPED_KEYS = 2_000;
/** Receiving chains kept; the oldest goes first. */
export const MAX_RECEIVING_CHAINS = 5;

export interface ChainKey {
  readonly key: Uint8Array;
  /** Counter of the next message of the chain. */
  readonly index: number;
}

/** The seed of a message not arrived yet. The seed, not the keys: those need its post-quantum key too. */
export interface SkippedKey {
  readonly counter: number;
  readonly seed: Uint8Array;
}

export interface ReceivingChain {
  readonly ratchetKey: Uint8Array;
  readonly chain: ChainKey;
  /** Oldest first. */
  readonly skipped: readonly SkippedKey[];
}

/**
 * `due`: the other side has a new ratchet key and our answer to it, a key pair and a chain, is made when the
 * next message is sent. That spares the receiver a Diffie-Hellman and changes nothing on the wire.
 */
export type SendingChain =
  | {
    readonly kind: "ready";
    readonly ratchetKeyPair: KeyPair;
    readonly chain: ChainKey;
  }
  | { readonly kind: "due"; readonly theirRatchetKey: Uint8Array };

export interface DoubleRatchet {
  readonly rootKey: Uint8Array;
  readonly sending: SendingChain;
  readonly previousCounter: number;
  /** Oldest first. */
  readonly receiving: readonly ReceivingChain[];
}

/** Where a message stands. */
export interface Header {
  readonly ratchetKey: Uint8Array;
  readonly counter: number;
}

/** The seed (32) of the next message to send, its header, and the state after it. */
export async function sendStep(
  ratchet: DoubleRatchet,
): Promise<{ ratchet: DoubleRatchet; header: Header; seed: Uint8Array }> {
  const { rootKey, sending } = ratchet.sending.kind === "ready"
    ? { rootKey: ratchet.rootKey, sending: ratchet.sending }
    : await answer(ratchet.rootKey, ratchet.sending.theirRatchetKey);
  const { ratchetKeyPair, chain } = sending;
  return {
    ratchet: {
      ...ratchet,
      rootKey,
      sending: { kind: "ready", ratchetKeyPair, chain: advance(chain) },
    },
    header: { ratchetKey: ratchetKeyPair.publicKey, counter: chain.index },
    seed: messageSeed(chain),
  };
}

/**
 * The seed (32) of a received message and the state after it. Nothing is authentic yet: the caller keeps the
 * new state only once the message has proved itself.
 * @param maxJumps how many messages may be missing before it: what walking the chain may cost
 * @throws SignalError `duplicate`, `too-far-ahead`, `invalid-mac`, `invalid-key`
 */
export async function receiveStep(
  ratchet: DoubleRatchet,
  header: Header,
  maxJumps: number = MAX_FORWARD_JUMPS,
): Promise<{ ratchet: DoubleRatchet; seed: Uint8Array }> {
  const known = ratchet.receiving.findIndex((c) =>
    equalBytes(c.ratchetKey, header.ratchetKey)
  );
  const stepped = known >= 0
    ? ratchet
    : await follow(ratchet, header.ratchetKey);
  const position = known >= 0 ? known : stepped.receiving.length - 1;
  const { chain, seed } = takeSeed(
    stepped.receiving[position],
    header.counter,
    maxJumps,
  );
  return {
    ratchet: { ...stepped, receiving: stepped.receiving.with(position, chain) },
    seed,
  };
}

/** Our half of a ratchet step: a fresh key pair and the chain it begins. */
async function answer(rootKey: Uint8Array, theirRatchetKey: Uint8Array) {
  const { keyPair, secrets: [secret] } = await generateAndAgree(
    theirRatchetKey,
  );
  const step = rootStep(rootKey, secret);
  return {
    rootKey: step.rootKey,
    sending: {
      kind: "ready",
      ratchetKeyPair: keyPair,
      chain: step.chain,
    } as const,
  };
}

/** Their half of a ratchet step: a receiving chain for a ratchet key not seen before. */
async function follow(
  ratchet: DoubleRatchet,
  ratchetKey: Uint8Array,
): Promise<DoubleRatchet> {
  const { sending } = ratchet;
  // They change their key only after they have seen ours: while ours is still to be made, no new key is theirs.
  if (sending.kind === "due") throw new SignalError("invalid-mac");
  const { privateKey } = sending.ratchetKeyPair;
  const step = rootStep(ratchet.rootKey, await agree(privateKey, ratchetKey));
  prepareKeyPair(); // an answer is due now, and can wait for its key no longer than until it is written
  const theirRatchetKey = Uint8Array.from(ratchetKey);
  const chain = { ratchetKey: theirRatchetKey, chain: step.chain, skipped: [] };
  return {
    rootKey: step.rootKey,
    sending: { kind: "due", theirRatchetKey },
    previousCounter: Math.max(0, sending.chain.index - 1),
    receiving: [...ratchet.receiving, chain].slice(-MAX_RECEIVING_CHAINS),
  };
}

function takeSeed(
  receiving: ReceivingChain,
  counter: number,
  maxJumps: number,
): { chain: ReceivingChain; seed: Uint8Array } {
  const { chain, skipped } = receiving;
  if (counter < chain.index) {
    const position = skipped.findIndex((key) => key.counter === counter);
    if (position < 0) throw new SignalError("duplicate");
    return {
      chain: { ...receiving, skipped: skipped.toSpliced(position, 1) },
      seed: skipped[position].seed,
    };
  }
  if (counter - chain.index > maxJumps) {
    throw new SignalError("too-far-ahead");
  }
  const added: SkippedKey[] = [];
  const firstKept = counter - MAX_SKIPPED_KEYS;
  let current = chain;
  while (current.index < counter) {
    if (current.index >= firstKept) {
      added.push({ counter: current.index, seed: messageSeed(current) });
    }
    const next = advance(current);
    if (current !== chain) current.key.fill(0); // made here, seen by nobody
    current = next;
  }
  return {
    chain: {
      ...receiving,
      chain: advance(current),
      skipped: added.length === 0
        ? skipped
        : [...skipped, ...added].slice(-MAX_SKIPPED_KEYS),
    },
    seed: messageSeed(current),
  };
}

const ROOT_INFO = utf8ToBytes("WhisperRatchet");

/** root key ‖ chain key = HKDF(salt root key, DH). Wipes the secret. */
function rootStep(
  rootKey: Uint8Array,
  secret: Uint8Array,
): { rootKey: Uint8Array; chain: ChainKey } {
  const derived = hkdf(sha256, secret, rootKey, ROOT_INFO, 64);
  secret.fill(0);
  return {
    rootKey: derived.slice(0, 32),
    chain: { key: derived.slice(32), index: 0 },
  };
}

const SEED_INPUT = Uint8Array.of(1);
const NEXT_INPUT = Uint8Array.of(2);

function messageSeed(chain: ChainKey): Uint8Array {
  return hmac(sha256, chain.key, SEED_INPUT);
}

function advance(chain: ChainKey): ChainKey {
  return { key: hmac(sha256, chain.key, NEXT_INPUT), index: chain.index + 1 };
}
