import { sha256 } from "@noble/hashes/sha2.js";
import {
  bytesToHex,
  concatBytes,
  hexToBytes,
  utf8ToBytes,
} from "@noble/hashes/utils.js";

/**
 * The account's UUID: SHA-256("whisper aci" ‖ first account key, 33 bytes),
 * its first 16 bytes with the version and variant bits of UUIDv8 (RFC 9562).
 */
export function accountIdOf(firstAccountKey: Uint8Array): string {
  const id = sha256(concatBytes(utf8ToBytes("whisper aci"), firstAccountKey))
    .slice(0, 16);
  id[6] = (id[6] & 0x0f) | 0x80;
  id[8] = (id[8] & 0x3f) | 0x80;
  return accountIdFromBytes(id);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;

/** 16 bytes to a lower-case hyphenated UUID. */
export function accountIdFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError("an account id is 16 bytes");
  const hex = bytesToHex(bytes);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

/** A lower-case hyphenated UUID to its 16 bytes. */
export function accountIdToBytes(accountId: string): Uint8Array {
  if (!UUID.test(accountId)) throw new RangeError("not an account id");
  return hexToBytes(accountId.replaceAll("-", ""));
}
