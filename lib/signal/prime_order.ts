import { equalBytes } from "@noble/ciphers/utils.js";
import { SignalError } from "./errors.ts";
import { toBytes32, toNumber } from "./little_endian.ts";
import { x25519 } from "./x25519.ts";

/** The field of the curve, and the prime order of its large subgroup (RFC 7748 section 4.1). */
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 0x14def9dea2f79cd65812631a5cf5d3edn;

/*
 * 5 L − 1, L the prime order of the curve's large subgroup. It has the form of a clamped private key (a multiple
 * of 8 between 2^254 and 2^255), and it is −1 modulo L. So X25519 with it gives −P, and with that the same u, for
 * P of order L. Of any other point it takes away the small-order part, or, on the twist, whose order shares no
 * factor with 5 L or 5 L − 2, moves it to another u.
 */
const MINUS_ONE = toBytes32(5n * L - 1n);

/**
 * Whether a u coordinate (32) is canonical and in the prime-order subgroup of the curve (not of its twist): what a
 * responder demands of the base key of a first message. One X25519, where multiplying by L in plain arithmetic
 * takes a millisecond.
 */
export async function isCanonicalPoint(u: Uint8Array): Promise<boolean> {
  if (toNumber(u) >= P) return false;
  try {
    return equalBytes(await (await x25519()).agree(MINUS_ONE, u), u);
  } catch (error) {
    if (error instanceof SignalError) return false; // a point of small order
    throw error;
  }
}
