import { sha256 } from "@noble/hashes/sha2.js";
import { COMMAND_TYPES } from "./command.ts";

/** What anonymous commands cost: a nonce that makes a hash small. */
export type WorkTask = {
  challenge: Uint8Array /* 32, of HELLO */;
  type: "NEW" | "OPEN" | "JOIN" | "PUT" | "FWD" | "ACCESS";
  key:
    Uint8Array /* 32: sendKey of NEW, publicKey of OPEN and JOIN, ownKey of PUT, greetingKey of FWD, the signature's first half of ACCESS */;
  bits: number /* leading zero bits asked for */;
};

const LABEL = new TextEncoder().encode("whisper work v1");

/** Tries between two pauses: about 10 ms on a phone, so that a page stays responsive. */
const TRIES = 1_000;

function input(
  task: WorkTask,
): { bytes: Uint8Array; view: DataView; nonceAt: number } {
  const nonceAt = LABEL.length + 65;
  const bytes = new Uint8Array(nonceAt + 8);
  bytes.set(LABEL);
  bytes.set(task.challenge, LABEL.length);
  bytes[LABEL.length + 32] = COMMAND_TYPES[task.type];
  bytes.set(task.key, LABEL.length + 33);
  return { bytes, view: new DataView(bytes.buffer), nonceAt };
}

function zeroBits(hash: Uint8Array): number {
  for (let i = 0; i < hash.length; i++) {
    if (hash[i] !== 0) return i * 8 + Math.clz32(hash[i]) - 24;
  }
  return hash.length * 8;
}

/** Finds a nonce, giving way to other work as it goes. Rejects with the signal's reason when aborted. */
export async function solveWork(
  task: WorkTask,
  signal?: AbortSignal,
): Promise<bigint> {
  const { bytes, view, nonceAt } = input(task);
  for (let nonce = 0;; nonce++) {
    view.setUint32(nonceAt + 4, nonce % 0x1_0000_0000);
    view.setUint32(nonceAt, Math.floor(nonce / 0x1_0000_0000));
    if (zeroBits(sha256(bytes)) >= task.bits) return BigInt(nonce);
    if (nonce % TRIES === TRIES - 1) {
      await new Promise((resume) => setTimeout(resume));
      signal?.throwIfAborted();
    }
  }
}

/** Whether `nonce` does what `task` asks. */
export function checkWork(task: WorkTask, nonce: bigint): boolean {
  const { bytes, view, nonceAt } = input(task);
  view.setBigUint64(nonceAt, nonce);
  return zeroBits(sha256(bytes)) >= task.bits;
}
