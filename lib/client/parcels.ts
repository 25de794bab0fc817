/** Envelopes for somebody who is no contact: encrypted once, kept, and sent until the relay has them. */
import { encrypt, parseSession, serializeSession } from "../signal/mod.ts";
import { queueId } from "../wire/mod.ts";
import { sealEnvelope } from "./content/mod.ts";
import type { Desk } from "./desk.ts";
import type { Parcel } from "./invitation_records.ts";
import { type Address, encodeAddress, parseAddress } from "./keys/mod.ts";
import type { Connection } from "./link/mod.ts";

const TRANSPORT_ID = 16;

/** Encrypts `plaintext` in a session, and seals it as a contact's messages are. */
export async function packed(
  desk: Desk,
  to: {
    readonly accountId: string;
    readonly deviceId: number;
    /** 33 bytes. */
    readonly identityKey: Uint8Array;
    readonly address: Address;
    /** As it is stored. */
    readonly session: Uint8Array;
  },
  plaintext: Uint8Array,
): Promise<{ parcel: Parcel; session: Uint8Array }> {
  const { account, clock } = desk;
  const { address, identityKey } = to;
  const { message, session } = await encrypt({
    local: account.local,
    remote: { serviceId: to.accountId, deviceId: to.deviceId },
    session: parseSession(to.session),
    identityKey,
    plaintext,
    now: clock.now(),
  });
  const queue = queueId(address.send.publicKey);
  const { sealKey } = address;
  return {
    parcel: newParcel(
      desk,
      address,
      sealEnvelope({ sealKey, queue }, account.device.id, message),
    ),
    session: serializeSession(session),
  };
}

/** An envelope under a transport id of its own. */
export function newParcel(
  { random }: Desk,
  address: Address,
  envelope: Uint8Array,
): Parcel {
  return {
    address: encodeAddress(address),
    id: random.bytes(TRANSPORT_ID),
    envelope,
  };
}

/**
 * Resolves when the relay of its queue has it, also if it had it before. `meeting`: what it is part of.
 * Rejects as `Connection.request` does.
 */
export async function deliver(
  { forwarding }: Desk,
  connection: Connection,
  parcel: Parcel,
  meeting: string,
): Promise<void> {
  const address = await parseAddress(parcel.address);
  const send = await forwarding.meetingWay(connection, address, meeting);
  await send(parcel);
}
