/** A place in an invitation: what one person who uses it needs to ask, and nobody else gets. */
import type { Ed25519Pair } from "../../wire/mod.ts";
import { encodeBundle, parseBundle, publicKey } from "../invite/mod.ts";
import {
  type Address,
  type Device,
  type DeviceList,
  encodeAddress,
  Fields,
  MalformedError,
  parseAddress,
  writeMessage,
} from "../keys/mod.ts";
import type { PreKeyBundle } from "../../signal/mod.ts";
import { openSigned, SEALED_OVERHEAD, sealSigned } from "./sealed.ts";
import { sealKey } from "./secrets.ts";

export interface Place {
  /** The device that gave the invitation out, and hears who asks. */
  readonly device: Device;
  /** Where it hears of this one, and of no other. */
  readonly address: Address;
  /** For the one session in which is asked. */
  readonly bundle: PreKeyBundle;
  /** X25519, 33 bytes: what is asked is sealed to it, so that who else has the link can't read it. */
  readonly boxKey: Uint8Array;
}

const PADDED = 2_304;
/** What it measures at the relay. */
export const PLACE_SIZE = SEALED_OVERHEAD + PADDED;

/** Protobuf: 1 version, 2 device id, 3 address, 4 bundle, 5 box key. `pool`: the one it will lie in. */
export async function sealPlace(
  relayKey: Uint8Array,
  secret: Uint8Array,
  pool: Uint8Array,
  own: Ed25519Pair,
  place: Place,
): Promise<Uint8Array> {
  const message = writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeVarintField(2, place.device.id);
    writer.writeBytesField(3, encodeAddress(place.address));
    writer.writeBytesField(4, encodeBundle(place.bundle));
    writer.writeBytesField(5, place.boxKey);
  });
  return await sealSigned(
    { what: "place", relayKey, at: pool },
    sealKey(secret),
    own,
    message,
    PADDED,
  );
}

/** @throws {MalformedError} for whatever is wrong with it */
export async function openPlace(
  relayKey: Uint8Array,
  secret: Uint8Array,
  pool: Uint8Array,
  { ownKey, deviceList }: { ownKey: Uint8Array; deviceList: DeviceList },
  sealed: Uint8Array,
): Promise<Place> {
  const fields = new Fields(
    await openSigned(
      { what: "place", relayKey, at: pool },
      sealKey(secret),
      ownKey,
      sealed,
    ),
  );
  fields.uint(1, 1, 1);
  const id = fields.uint(2, 1, 127);
  const device = deviceList.devices.find((listed) => listed.id === id);
  if (!device) throw new MalformedError("device");
  return {
    device,
    address: await parseAddress(fields.bytes(3)),
    bundle: parseBundle(fields.bytes(4), device),
    boxKey: publicKey(fields.bytes(5, 33)),
  };
}
