/**
 * Where a device receives from the other devices of its account, as it signs that itself: all of them can
 * write the backup, and one that is in somebody else's hands must not lead the others astray.
 * docs/protocol.md § Backup.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { sign, verify } from "../../signal/mod.ts";
import { accountIdToBytes } from "./account_id.ts";
import type { Device, OwnDevice } from "./device.ts";

const LABEL = new TextEncoder().encode("whisper own address v1");

/** `address`: as `encodeAddress` gives it. 64 bytes. */
export function signOwnAddress(
  { id, identity }: OwnDevice,
  accountId: string,
  address: Uint8Array,
): Uint8Array {
  return sign(identity.privateKey, statement(id, accountId, address));
}

/** Whether that device of the account has signed it. */
export async function isOwnAddress(
  { id, identityKey }: Device,
  accountId: string,
  address: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const message = statement(id, accountId, address);
  return signature.length === 64 &&
    await verify(identityKey, message, signature);
}

function statement(
  id: number,
  accountId: string,
  address: Uint8Array,
): Uint8Array {
  const account = accountIdToBytes(accountId);
  return concatBytes(LABEL, account, Uint8Array.of(id), address);
}
