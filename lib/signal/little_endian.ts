import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";

/** Little-endian bytes as a number. */
export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x0${bytesToHex(bytes.toReversed())}`);
}

/** A number below 2^256 as 32 little-endian bytes. */
export function toBytes32(value: bigint): Uint8Array {
  return hexToBytes(value.toString(16).padStart(64, "0")).reverse();
}
