/** The credentials of one queue at a relay, as its owner keeps them. */
import { randomBytes } from "@noble/hashes/utils.js";
import {
  type Ed25519Pair,
  ed25519PairOf,
  newEd25519Pair,
} from "../../wire/mod.ts";
import { Fields, writeMessage } from "./protobuf.ts";
import { sealToKey } from "./sealed_box.ts";
import { wipe } from "./wipe.ts";

/** Everything the owner of a queue holds. */
export interface QueueCredentials {
  /** Proves the right to read. */
  readonly receive: Ed25519Pair;
  /** Proves the right to send; its seed goes into the address. */
  readonly send: Ed25519Pair;
  /** Proves the right to delete. */
  readonly remove: Ed25519Pair;
  /** 32 bytes, XChaCha20-Poly1305: envelopes are sealed under it, so that the relay sees random bytes. */
  readonly sealKey: Uint8Array;
}

/** New random credentials; the queue exists once the relay has answered NEW for them. */
export async function newQueue(): Promise<QueueCredentials> {
  const [receive, send, remove] = await Promise.all([
    newEd25519Pair(),
    newEd25519Pair(),
    newEd25519Pair(),
  ]);
  return { receive, send, remove, sealKey: randomBytes(32) };
}

/** For the vault. Protobuf: 1 version, 2 receive seed, 3 send seed, 4 remove seed, 5 seal key. */
export function encodeQueue(queue: QueueCredentials): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeBytesField(2, queue.receive.seed);
    writer.writeBytesField(3, queue.send.seed);
    writer.writeBytesField(4, queue.remove.seed);
    writer.writeBytesField(5, queue.sealKey);
  });
}

/** @throws {MalformedError} */
export async function parseQueue(bytes: Uint8Array): Promise<QueueCredentials> {
  const fields = new Fields(bytes);
  fields.uint(1, 1, 1);
  const sealKey = fields.bytes(5, 32);
  const [receive, send, remove] = await Promise.all(
    [2, 3, 4].map((tag) => ed25519PairOf(fields.bytes(tag, 32))),
  );
  return { receive, send, remove, sealKey };
}

/** What a remove key is sealed for: `openSealed` takes it as purpose and gives the 32-byte seed. */
export const REMOVE_KEY_PURPOSE = "remove key";

/**
 * The remove key, sealed to the recovery key (33 bytes) for the backup: who
 * enters the access key can delete this queue without the device that made it.
 */
export async function sealRemoveKey(
  recoveryPublicKey: Uint8Array,
  queue: QueueCredentials,
): Promise<Uint8Array> {
  return await sealToKey(
    recoveryPublicKey,
    queue.remove.seed,
    REMOVE_KEY_PURPOSE,
  );
}

/** Wipes everything that lets anyone use the queue. */
export function wipeQueue(queue: QueueCredentials): void {
  wipe(queue.receive.seed, queue.send.seed, queue.remove.seed, queue.sealKey);
}
