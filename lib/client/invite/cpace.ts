/**
 * CPace over ristretto255 with SHA-512 (draft-irtf-cfrg-cpace-21), in the
 * initiator-responder setting. A wrong password gives both sides different
 * keys and nobody anything to search on.
 */
import { ristretto255, ristretto255_hasher } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, randomBytes } from "@noble/hashes/utils.js";
import { wipe } from "../keys/mod.ts";

const { Point } = ristretto255;
const utf8 = (text: string) => new TextEncoder().encode(text);
const DSI = utf8("CPaceRistretto255");
const DSI_ISK = utf8("CPaceRistretto255_ISK");
/** Input block of SHA-512: the password is padded to fill the first one. */
const BLOCK = 128;

/** The draft's prepend_len: the length as LEB128, then the bytes. */
export function prependLength(bytes: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  let rest = bytes.length;
  do {
    prefix.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    rest >>>= 7;
  } while (rest > 0);
  return concatBytes(Uint8Array.from(prefix), bytes);
}

/** The draft's lv_cat: every part with its length before it, so that no two lists of parts read alike. */
export function lvCat(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts.map(prependLength));
}

/** The draft's generator_string for this suite. */
export function generatorString(
  password: Uint8Array,
  channel: Uint8Array,
  sessionId: Uint8Array,
): Uint8Array {
  const padding = BLOCK - 1 - prependLength(password).length -
    prependLength(DSI).length;
  return lvCat(
    DSI,
    password,
    new Uint8Array(Math.max(0, padding)),
    channel,
    sessionId,
  );
}

/** The draft's calculate_generator: the point that password, channel (CI) and session (sid) name. */
export function calculateGenerator(
  password: Uint8Array,
  channel: Uint8Array,
  sessionId: Uint8Array,
): InstanceType<typeof Point> {
  const hash = sha512(generatorString(password, channel, sessionId));
  // Optional in noble's type, which serves curves that have no such map.
  const point = ristretto255_hasher.deriveToCurve?.(hash);
  if (point === undefined) throw new Error("no map to ristretto255");
  return point;
}

/** A uniformly random scalar other than 0: 32 bytes, little-endian. */
export function newScalar(): Uint8Array {
  while (true) {
    // 512 bits reduced mod the 252-bit order: the bias is below 2^-250.
    const wide = randomBytes(64);
    const scalar = Point.Fn.create(fromLittleEndian(wide));
    wipe(wide);
    if (scalar !== 0n) return Point.Fn.toBytes(scalar);
  }
}

/** Y = scalar · generator: what this side sends, 32 bytes. */
export function publicShare(
  generator: InstanceType<typeof Point>,
  scalar: Uint8Array,
): Uint8Array {
  return generator.multiply(Point.Fn.fromBytes(scalar)).toBytes();
}

/**
 * The draft's scalar_mult_vfy: K, 32 bytes, or undefined where the draft
 * demands to abort: the share is no canonical encoding, or is the identity.
 */
export function sharedPoint(
  scalar: Uint8Array,
  share: Uint8Array,
): Uint8Array | undefined {
  const point = decode(share);
  if (point === undefined || point.is0()) return undefined;
  // The group has prime order: a scalar that is not 0 can't lead to the identity.
  return point.multiply(Point.Fn.fromBytes(scalar)).toBytes();
}

function decode(
  share: Uint8Array,
): InstanceType<typeof Point> | undefined {
  try {
    return Point.fromBytes(share);
  } catch {
    return undefined; // not a ristretto255 encoding (RFC 9496, section 4.3.1)
  }
}

/** Both shares with their associated data; a is the initiator. */
export interface CpaceTranscript {
  readonly ya: Uint8Array;
  readonly ada: Uint8Array;
  readonly yb: Uint8Array;
  readonly adb: Uint8Array;
}

/** ISK: 64 bytes, the same on both sides exactly when everything they put in was. */
export function sessionKey(
  sessionId: Uint8Array,
  shared: Uint8Array,
  { ya, ada, yb, adb }: CpaceTranscript,
): Uint8Array {
  const input = concatBytes(
    lvCat(DSI_ISK, sessionId, shared),
    lvCat(ya, ada),
    lvCat(yb, adb),
  );
  const key = sha512(input);
  wipe(input);
  return key;
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
}
