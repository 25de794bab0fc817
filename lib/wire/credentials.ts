import { sha256 } from "@noble/hashes/sha2.js";
import { blobBodySize, type Unsigned, writeUnsigned } from "./blob_codec.ts";
import { ByteWriter } from "./byte_cursor.ts";
import { COMMAND_TYPES, type Role, ROLES } from "./command.ts";

const text = new TextEncoder();
const QUEUE = text.encode("whisper queue v1");
const BIND = text.encode("whisper bind v1");
const RENDEZVOUS = text.encode("whisper rendezvous v1");
const BLOB = text.encode("whisper blob v1");
const POOL = text.encode("whisper pool v1");

/** What the proof of a command that is complete in itself begins with. */
export const PROOF = text.encode("whisper proof v1");

/** A queue's 16-byte id: SHA-256("whisper queue v1" ‖ sendPublicKey)[0..16]. */
export function queueId(sendPublicKey: Uint8Array): Uint8Array {
  return nameOf(QUEUE, sendPublicKey);
}

/**
 * A blob's 16-byte id: SHA-256("whisper blob v1" ‖ read public key ‖ own public key)[0..16]. So
 * nobody else can make a blob of this name, whoever knows how to read it.
 */
export function blobId(
  readPublicKey: Uint8Array, /* 32 */
  ownPublicKey: Uint8Array, /* 32 */
): Uint8Array {
  return nameOf(BLOB, readPublicKey, ownPublicKey);
}

/** A prekey pool's 16-byte id: SHA-256("whisper pool v1" ‖ take public key ‖ own public key)[0..16]. */
export function poolId(
  takePublicKey: Uint8Array, /* 32 */
  ownPublicKey: Uint8Array, /* 32 */
): Uint8Array {
  return nameOf(POOL, takePublicKey, ownPublicKey);
}

function nameOf(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest().slice(0, 16);
}

/**
 * What PUT, GET, DROP and TAKE are signed over: everything they say, good for this relay and this
 * challenge only.
 */
export function proofMessage(
  challenge: Uint8Array, /* 32 */
  relayKey: Uint8Array, /* 32 */
  command: Unsigned,
): Uint8Array {
  const size = PROOF.length + 65 + blobBodySize(command) - 64;
  const writer = new ByteWriter(size).raw(PROOF).fixed(challenge, 32)
    .fixed(relayKey, 32).u8(COMMAND_TYPES[command.type]);
  writeUnsigned(writer, command);
  return writer.bytes;
}

/**
 * What the credential of a role signs to BIND: only good for this relay and
 * this connection, so that nothing seen on the wire can be used again.
 */
export function bindMessage(
  challenge: Uint8Array, /* 32 */
  relayKey: Uint8Array, /* 32 */
  queue: Uint8Array, /* 16 */
  role: Role,
  generation: number,
): Uint8Array {
  return new ByteWriter(BIND.length + 85).raw(BIND).fixed(challenge, 32).fixed(
    relayKey,
    32,
  ).fixed(queue, 16)
    .u8(ROLES[role]).u32(generation).bytes;
}

/** What the key of a party signs to OPEN (nameplate 0) or JOIN a rendezvous. */
export function rendezvousMessage(
  challenge: Uint8Array, /* 32 */
  relayKey: Uint8Array, /* 32 */
  side: "open" | "join",
  nameplate: number,
  publicKey: Uint8Array, /* 32 */
): Uint8Array {
  return new ByteWriter(RENDEZVOUS.length + 101).raw(RENDEZVOUS).fixed(
    challenge,
    32,
  ).fixed(relayKey, 32)
    .u8(side === "open" ? 0 : 1).u32(nameplate).fixed(publicKey, 32).bytes;
}
