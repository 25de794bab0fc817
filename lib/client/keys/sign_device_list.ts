/** Making a device list: apart from its reading, because few do it, and it takes more arithmetic. */
import { concatBytes } from "@noble/hashes/utils.js";
import { type KeyPair, sign } from "../../signal/mod.ts";
import type { Device } from "./device.ts";
import {
  believed,
  type DeviceList,
  DeviceListError,
  encodeContent,
  parseContent,
  SIGNATURE_LABEL,
} from "./device_list.ts";
import { writeMessage } from "./protobuf.ts";

/**
 * Signs the list that follows `before` (or the first one) with the account
 * key. Devices may come in any order.
 * @throws {MalformedError} when the devices break a rule of the list
 */
export function signDeviceList(options: {
  accountId: string;
  accountKey: KeyPair;
  devices: readonly Device[];
  before?: DeviceList;
}): DeviceList {
  const { accountId, accountKey, before } = options;
  if (before && before.accountId !== accountId) {
    throw new DeviceListError("other-account");
  }
  const encoded = encodeContent({
    accountId,
    version: before ? before.version + 1 : 1,
    previous: before?.hash,
    devices: options.devices.toSorted((a, b) => a.id - b.id),
  });
  const content = parseContent(encoded);
  const signature = sign(
    accountKey.privateKey,
    concatBytes(SIGNATURE_LABEL, encoded),
  );
  const bytes = writeMessage((writer) => {
    writer.writeBytesField(1, encoded);
    writer.writeBytesField(2, signature);
  });
  return believed(content, encoded, bytes);
}
