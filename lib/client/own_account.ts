import type { LocalDevice } from "../signal/mod.ts";
import {
  type DeviceList,
  type OwnDevice,
  parseOwnDevice,
  verifyDeviceList,
} from "./keys/mod.ts";
import type { AccountRecord } from "./records.ts";

/** The account that is open here, and this device of it. */
export interface OwnAccount {
  readonly name: string;
  readonly accountId: string;
  readonly accountKey: Uint8Array;
  /** How the account came to this key from its first one; see keys/succession.ts. */
  readonly successions: readonly Uint8Array[];
  readonly recoveryKey: Uint8Array;
  readonly deviceList: DeviceList;
  readonly device: OwnDevice;
  /** The same device, as the Signal layer wants it. */
  readonly local: LocalDevice;
}

/** The open account of its record. Throws what `parseOwnDevice` and `verifyDeviceList` do. */
export async function openAccount(record: AccountRecord): Promise<OwnAccount> {
  const device = await parseOwnDevice(record.device);
  const deviceList = await verifyDeviceList(record.deviceList, record);
  return {
    name: record.name,
    accountId: record.accountId,
    accountKey: record.accountKey,
    successions: record.successions ?? [],
    recoveryKey: record.recoveryKey,
    deviceList,
    device,
    local: {
      identity: device.identity,
      registrationId: device.registrationId,
      address: { serviceId: record.accountId, deviceId: device.id },
    },
  };
}
