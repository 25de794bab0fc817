import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter } from "./byte_cursor.ts";
import { type Role, ROLES } from "./command.ts";

const text = new TextEncoder();
const QUEUE = text.encode("whisper queue v1");
const BIND = text.encode("whisper bind v1");
const RENDEZVOUS = text.encode("whisper rendezvous v1");

/** A queue's 16-byte id: SHA-256("whisper queue v1" ‖ sendPublicKey)[0..16]. */
export function queueId(sendPublicKey: Uint8Array): Uint8Array {
  return sha256.create().update(QUEUE).update(sendPublicKey).digest().slice(
    0,
    16,
  );
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
