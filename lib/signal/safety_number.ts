import { PbfWriter } from "pbf";
import { concatBytes } from "@noble/ciphers/utils.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { SignalError } from "./errors.ts";
import { isPublicKey } from "./keys.ts";

/** Hashes per party: makes a key with chosen digits costly to find. */
const ITERATIONS = 5200;
/** Between two of these many hashes (2 to 3 ms; 10 on a slow phone) other work gets its turn, so that nothing janks. */
const ITERATIONS_PER_TURN = 325;
/** Fixed, whatever the version of the scannable form. */
const FINGERPRINT_VERSION = new Uint8Array(2);
const SCANNABLE_VERSION = 2;
const GROUPS = 6;

export interface SafetyNumberOptions {
  /** Names both sides know each other by, the same on both (a hyphenated UUID). */
  readonly localId: string;
  readonly localKey: Uint8Array;
  readonly remoteId: string;
  readonly remoteKey: Uint8Array;
  /** Ends the computation at its next turn, with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface SafetyNumber {
  /** 60 digits, the same on both sides. */
  readonly displayable: string;
  /** For a QR code; the other side's has the two halves exchanged. */
  readonly scannable: Uint8Array;
}

/**
 * The safety number of two identity keys (33), as libsignal computes it. About 0.2 s, in turns of a few milliseconds.
 * @throws SignalError `invalid-key`; the reason of `signal`
 */
export async function safetyNumber(
  options: SafetyNumberOptions,
): Promise<SafetyNumber> {
  const { localId, localKey, remoteId, remoteKey, signal } = options;
  const local = await fingerprint(localId, localKey, signal);
  const remote = await fingerprint(remoteId, remoteKey, signal);
  const writer = new PbfWriter();
  writer.writeVarintField(1, SCANNABLE_VERSION);
  for (const [tag, half] of [[2, local], [3, remote]] as const) {
    writer.writeMessage(
      tag,
      (bytes, w) => w.writeBytesField(1, bytes),
      half.subarray(0, 32),
    );
  }
  return {
    displayable: [digits(local), digits(remote)].sort().join(""),
    scannable: Uint8Array.from(writer.finish()),
  };
}

async function fingerprint(
  id: string,
  key: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (!isPublicKey(key)) throw new SignalError("invalid-key");
  const name = utf8ToBytes(id);
  let hash = sha512(concatBytes(FINGERPRINT_VERSION, key, name, key));
  const input = concatBytes(hash, key);
  for (let i = 1; i < ITERATIONS; i++) {
    if (i % ITERATIONS_PER_TURN === 0) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    input.set(hash);
    hash = sha512(input);
  }
  return hash;
}

/** 30 digits: six groups of 5 bytes, each modulo 100,000. */
function digits(hash: Uint8Array): string {
  const view = new DataView(hash.buffer, hash.byteOffset);
  return Array.from({ length: GROUPS }, (_, group) => {
    const number = view.getUint8(5 * group) * 2 ** 32 +
      view.getUint32(5 * group + 1);
    return String(number % 100_000).padStart(5, "0");
  }).join("");
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
