/**
 * The one record in clear: how the vault key is wrapped, and the schema.
 *
 * "WVLT" ‖ schema u16 ‖ migrating from u16 ‖ device wrapping (u16 length ‖ bytes)
 *   ‖ recovery box (u16 length ‖ bytes) ‖ SHA-256 of all before, first 8 bytes
 *
 * Magic and schema stay where they are in every later version, so that an
 * older program can always say "newer" instead of "damaged".
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { DamagedError, NewerVersionError } from "./errors.ts";

export interface VaultHeader {
  readonly schema: number;
  /** Lower than `schema` while a migration is under way; else equal. */
  readonly migratingFrom: number;
  /** The vault key, wrapped by the device key; undefined when logged out. */
  readonly deviceWrapping: Uint8Array | undefined;
  /** The vault key, sealed to the recovery public key. */
  readonly recoveryBox: Uint8Array;
}

/** Longer than a blinded key, so it can't be one. */
export const HEADER_KEY = utf8ToBytes("whisper vault header");

const MAGIC = utf8ToBytes("WVLT");
const CHECK_LENGTH = 8;

export function encodeHeader(header: VaultHeader): Uint8Array {
  const body = concatBytes(
    MAGIC,
    u16(header.schema),
    u16(header.migratingFrom),
    lengthPrefixed(header.deviceWrapping ?? new Uint8Array()),
    lengthPrefixed(header.recoveryBox),
  );
  return concatBytes(body, check(body));
}

/**
 * @param schema the newest schema this program knows
 * @throws {NewerVersionError} {@link DamagedError}
 */
export function parseHeader(bytes: Uint8Array, schema: number): VaultHeader {
  if (
    bytes.length < 8 + CHECK_LENGTH ||
    !MAGIC.every((byte, i) => bytes[i] === byte)
  ) {
    throw new DamagedError("the vault's header is not one");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(4) > schema) throw new NewerVersionError();
  const bodyEnd = bytes.length - CHECK_LENGTH;
  const expected = check(bytes.subarray(0, bodyEnd));
  if (!expected.every((byte, i) => bytes[bodyEnd + i] === byte)) {
    throw new DamagedError("the vault's header was changed");
  }
  const wrappingEnd = 10 + view.getUint16(8);
  const deviceWrapping = bytes.slice(10, wrappingEnd);
  return {
    schema: view.getUint16(4),
    migratingFrom: view.getUint16(6),
    deviceWrapping: deviceWrapping.length > 0 ? deviceWrapping : undefined,
    recoveryBox: bytes.slice(wrappingEnd + 2, bodyEnd),
  };
}

function check(body: Uint8Array): Uint8Array {
  return sha256(body).subarray(0, CHECK_LENGTH);
}

function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  return concatBytes(u16(bytes.length), bytes);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
