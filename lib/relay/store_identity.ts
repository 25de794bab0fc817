import { ed25519Signer } from "../wire/mod.ts";
import { IDENTITY_KEY } from "./relay_keys.ts";
import { FORMAT_KEY, parseFormat } from "./store_format.ts";
import type { StoreKey } from "./store.ts";

/** What a store says of itself, without a relay opened on it. */
export type StoreIdentity = {
  /** 1 before it was written down. */
  format: number;
  /** Ed25519 public key (32) of its relay. */
  relayKey: Uint8Array;
};

/**
 * Looks whose store it is; undefined when no relay was ever opened on it.
 * @throws {StoreFormatError} when its format can't be read.
 */
export async function readIdentity(
  get: (key: StoreKey) => Uint8Array | undefined,
): Promise<StoreIdentity | undefined> {
  const record = get(FORMAT_KEY);
  const format = record === undefined ? 1 : parseFormat(record);
  const seed = get(IDENTITY_KEY);
  if (seed === undefined) return undefined;
  return { format, relayKey: (await ed25519Signer(seed)).publicKey };
}
