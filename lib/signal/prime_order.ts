import { ed25519 } from "@noble/curves/ed25519.js";
import {
  bytesToNumberLE,
  equalBytes,
  numberToBytesLE,
} from "@noble/curves/utils.js";
import { SignalError } from "./errors.ts";
import { x25519 } from "./x25519.ts";

const { Fp, Fn } = ed25519.Point;

/*
 * 5 L − 1, L the prime order of the curve's large subgroup. It has the form of a clamped private key (a multiple
 * of 8 between 2^254 and 2^255), and it is −1 modulo L. So X25519 with it gives −P, and with that the same u, for
 * P of order L. Of any other point it takes away the small-order part, or, on the twist, whose order shares no
 * factor with 5 L or 5 L − 2, moves it to another u.
 */
const MINUS_ONE = numberToBytesLE(5n * Fn.ORDER - 1n, 32);

/**
 * Whether a u coordinate (32) is canonical and in the prime-order subgroup of the curve (not of its twist): what a
 * responder demands of the base key of a first message. One X25519, where multiplying by L in plain arithmetic
 * takes a millisecond.
 */
export async function isCanonicalPoint(u: Uint8Array): Promise<boolean> {
  if (bytesToNumberLE(u) >= Fp.ORDER) return false;
  try {
    return equalBytes(await (await x25519()).agree(MINUS_ONE, u), u);
  } catch (error) {
    if (error instanceof SignalError) return false; // a point of small order
    throw error;
  }
}
