import { concatBytes, equalBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { SignalError } from "./errors.ts";

/** One device of one account. */
export interface Address {
  /** Hyphenated UUID. */
  readonly serviceId: string;
  /** 1..127. */
  readonly deviceId: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Kind of name: an account identity (libsignal's ACI). */
const ACCOUNT = 0;

/** kind (1) ‖ UUID (16) ‖ device (1). @throws SignalError `wrong-address` */
function encodeAddress({ serviceId, deviceId }: Address): Uint8Array {
  if (!UUID.test(serviceId)) {
    throw new SignalError("wrong-address", "not a UUID");
  }
  if (!Number.isInteger(deviceId) || deviceId < 1 || deviceId > 127) {
    throw new SignalError("wrong-address", "device outside 1..127");
  }
  const uuid = hexToBytes(serviceId.replaceAll("-", ""));
  return concatBytes(Uint8Array.of(ACCOUNT), uuid, Uint8Array.of(deviceId));
}

/** What a message is bound to: sender then recipient, 36 bytes. @throws SignalError `wrong-address` */
export function encodeAddresses(
  sender: Address,
  recipient: Address,
): Uint8Array {
  return concatBytes(encodeAddress(sender), encodeAddress(recipient));
}

/** A message without addresses is accepted; one with any must name exactly these. @throws SignalError `wrong-address` */
export function checkAddresses(
  found: Uint8Array | undefined,
  sender: Address,
  recipient: Address,
): void {
  if (
    found !== undefined &&
    !equalBytes(found, encodeAddresses(sender, recipient))
  ) {
    throw new SignalError("wrong-address");
  }
}

/** Whether two addresses are of one account. */
export function sameAccount(a: Address, b: Address): boolean {
  return a.serviceId.toLowerCase() === b.serviceId.toLowerCase();
}
