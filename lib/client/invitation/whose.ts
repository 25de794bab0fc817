/** Whose an invitation is: what everybody who has the link may know before they ask for anything. */
import { blobId, type Ed25519Pair } from "../../wire/mod.ts";
import { isDisplayName } from "../display_name.ts";
import { publicKey } from "../invite/mod.ts";
import {
  accountIdBy,
  type DeviceList,
  DeviceListError,
  Fields,
  MalformedError,
  MAX_SUCCESSIONS,
  verifyDeviceList,
  writeMessage,
} from "../keys/mod.ts";
import type { InvitationLink } from "./link_text.ts";
import { openSigned, SEALED_OVERHEAD, sealSigned } from "./sealed.ts";
import { readPair, sealKey } from "./secrets.ts";

export interface Whose {
  readonly displayName: string;
  readonly accountId: string;
  /** 33 bytes. */
  readonly accountKey: Uint8Array;
  /** How the account came to this key from its first one; see keys/succession.ts. */
  readonly successions: readonly Uint8Array[];
  readonly deviceList: DeviceList;
  /** Until when it is good: ms since the epoch, by the relay's clock. */
  readonly expiresAt: number;
  /** The pools that hold its places, 16 bytes each. */
  readonly pools: readonly Uint8Array[];
}

const OWN_KEY = 32;
const PADDED = 4_096;
/** What it measures at the relay, whatever it says. */
export const WHOSE_SIZE = OWN_KEY + SEALED_OVERHEAD + PADDED;
export const MAX_POOLS = 16;

/**
 * own public key 32 ‖ sealed. The blob's id is of that key, so the link names who may have signed it.
 * Protobuf: 1 version, 2 expires, 3 name, 4 account key, 5 signed device list, 6 pool id (repeated),
 * 7 succession (repeated).
 * Throws `RangeError` when there are too many devices for it.
 */
export async function sealWhose(
  relayKey: Uint8Array,
  { blob, secret }: InvitationLink,
  own: Ed25519Pair,
  whose: Omit<Whose, "accountId">,
): Promise<Uint8Array> {
  const message = writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeVarintField(2, whose.expiresAt);
    writer.writeStringField(3, whose.displayName);
    writer.writeBytesField(4, whose.accountKey);
    writer.writeBytesField(5, whose.deviceList.bytes);
    for (const pool of whose.pools) writer.writeBytesField(6, pool);
    for (const statement of whose.successions) {
      writer.writeBytesField(7, statement);
    }
  });
  const sealed = await sealSigned(
    { what: "whose", relayKey, at: blob },
    sealKey(secret),
    own,
    message,
    PADDED,
  );
  const bytes = new Uint8Array(WHOSE_SIZE);
  bytes.set(own.publicKey);
  bytes.set(sealed, OWN_KEY);
  return bytes;
}

/**
 * Reads what lay at the relay under the id that the link names.
 * @returns also the key that signed it, 32 bytes: the invitation's places are signed by it too
 * @throws {MalformedError} for whatever is wrong with it
 */
export async function openWhose(
  relayKey: Uint8Array,
  { blob, secret }: InvitationLink,
  bytes: Uint8Array,
): Promise<Whose & { ownKey: Uint8Array }> {
  const ownKey = bytes.slice(0, OWN_KEY);
  const { publicKey: readKey } = await readPair(secret);
  const id = ownKey.length === OWN_KEY ? blobId(readKey, ownKey) : undefined;
  if (!id?.every((byte, i) => byte === blob[i])) {
    throw new MalformedError("own key");
  }
  const message = await openSigned(
    { what: "whose", relayKey, at: blob },
    sealKey(secret),
    ownKey,
    bytes.subarray(OWN_KEY),
  );
  const fields = new Fields(message);
  fields.uint(1, 1, 1);
  const displayName = fields.text(3);
  if (!isDisplayName(displayName)) throw new MalformedError("name");
  const accountKey = publicKey(fields.bytes(4, 33));
  const successions = fields.repeated(7, MAX_SUCCESSIONS);
  const accountId = await accountIdBy(accountKey, successions);
  const pools = fields.repeated(6, MAX_POOLS);
  if (pools.length === 0 || pools.some(({ length }) => length !== 16)) {
    throw new MalformedError("pools");
  }
  return {
    displayName,
    accountId,
    accountKey,
    successions,
    deviceList: await believe(fields.bytes(5), accountId, accountKey),
    expiresAt: fields.uint(2, 1, Number.MAX_SAFE_INTEGER),
    pools,
    ownKey,
  };
}

async function believe(
  bytes: Uint8Array,
  accountId: string,
  accountKey: Uint8Array,
): Promise<DeviceList> {
  try {
    return await verifyDeviceList(bytes, { accountId, accountKey });
  } catch (error) {
    if (error instanceof DeviceListError) throw new MalformedError("list");
    throw error;
  }
}
