/**
 * The one record in clear: how the vault key is wrapped, and the schema.
 *
 * "WVLT" ‖ schema u16 ‖ migrating from u16 ‖ device wrapping ‖ recovery box ‖ lock ‖ former keys
 *   ‖ SHA-256 of all before, first 8 bytes
 *
 * The four in the middle each have their length, a u16, in front; what is not there has none. Until
 * schema 3 there was neither lock nor former keys. Magic and schema stay where they are in every
 * later version, so that an older program can always say "newer" instead of "damaged".
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { DamagedError, NewerVersionError } from "./errors.ts";
import { encodeLock, type Lock, parseLock } from "./lock.ts";

export interface VaultHeader {
  readonly schema: number;
  /** Lower than `schema` while a migration is under way; else equal. */
  readonly migratingFrom: number;
  /** The vault key, wrapped by the device key; undefined when logged out or locked. */
  readonly deviceWrapping: Uint8Array | undefined;
  /** The vault key, sealed to the recovery public key. */
  readonly recoveryBox: Uint8Array;
  /** The vault key, wrapped under what the person knows or has. */
  readonly lock: Lock | undefined;
  /** While records are moved from one vault key to the next: the keys before, sealed under the new one. */
  readonly formerKeys: Uint8Array | undefined;
}

/** Longer than a blinded key, so it can't be one. */
export const HEADER_KEY = utf8ToBytes("whisper vault header");

const MAGIC = utf8ToBytes("WVLT");
const CHECK_LENGTH = 8;
const PARTS_START = 8;
/** The first schema whose header can have a lock and former keys. */
const WITH_LOCK = 3;

export function encodeHeader(header: VaultHeader): Uint8Array {
  const { deviceWrapping, recoveryBox, lock, formerKeys } = header;
  const body = concatBytes(
    MAGIC,
    u16(header.schema),
    u16(header.migratingFrom),
    lengthPrefixed(deviceWrapping),
    lengthPrefixed(recoveryBox),
    ...header.schema < WITH_LOCK
      ? []
      : [lengthPrefixed(lock && encodeLock(lock)), lengthPrefixed(formerKeys)],
  );
  return concatBytes(body, check(body));
}

/**
 * @param schema the newest schema this program knows
 * @throws {NewerVersionError} {@link DamagedError}
 */
export function parseHeader(bytes: Uint8Array, schema: number): VaultHeader {
  if (
    bytes.length < PARTS_START + CHECK_LENGTH ||
    !MAGIC.every((byte, i) => bytes[i] === byte)
  ) {
    throw new DamagedError("the vault's header is not one");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stored = view.getUint16(4);
  if (stored > schema) throw new NewerVersionError();
  const bodyEnd = bytes.length - CHECK_LENGTH;
  const expected = check(bytes.subarray(0, bodyEnd));
  if (!expected.every((byte, i) => bytes[bodyEnd + i] === byte)) {
    throw new DamagedError("the vault's header was changed");
  }
  const [deviceWrapping, recoveryBox, lock, formerKeys] = parts(
    bytes.subarray(PARTS_START, bodyEnd),
    stored < WITH_LOCK ? 2 : 4,
  );
  if (!recoveryBox) throw new DamagedError("the vault's recovery box is gone");
  return {
    schema: stored,
    migratingFrom: view.getUint16(6),
    deviceWrapping,
    recoveryBox,
    lock: lock && parseLock(lock),
    formerKeys,
  };
}

/** `count` byte strings with their lengths in front, exactly; undefined for those of no length. */
function parts(bytes: Uint8Array, count: number): (Uint8Array | undefined)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: (Uint8Array | undefined)[] = [];
  let at = 0;
  for (let i = 0; i < count && at + 2 <= bytes.length; i++) {
    const end = at + 2 + view.getUint16(at);
    const part = bytes.slice(at + 2, end);
    found.push(part.length > 0 ? part : undefined);
    at = end;
  }
  if (found.length !== count || at !== bytes.length) {
    throw new DamagedError("the vault's header does not add up");
  }
  return found;
}

function check(body: Uint8Array): Uint8Array {
  return sha256(body).subarray(0, CHECK_LENGTH);
}

function lengthPrefixed(bytes: Uint8Array = new Uint8Array()): Uint8Array {
  return concatBytes(u16(bytes.length), bytes);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
