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

/** An address, and who says that and when. */
export interface OwnAddress {
  readonly accountId: string;
  /** As `encodeAddress` gives it. */
  readonly address: Uint8Array;
  /** The version of the account's list by which the device went: of two addresses the one of the later list counts. */
  readonly since: number;
}

/** 64 bytes. */
export function signOwnAddress(
  { id, identity }: OwnDevice,
  said: OwnAddress,
): Uint8Array {
  return sign(identity.privateKey, statement(id, said));
}

/** Whether that device has signed it. */
export async function isOwnAddress(
  { id, identityKey }: Device,
  said: OwnAddress,
  signature: Uint8Array,
): Promise<boolean> {
  return signature.length === 64 &&
    await verify(identityKey, statement(id, said), signature);
}

function statement(
  id: number,
  { accountId, address, since }: OwnAddress,
): Uint8Array {
  return concatBytes(
    LABEL,
    accountIdToBytes(accountId),
    Uint8Array.of(id),
    u32(since),
    address,
  );
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
