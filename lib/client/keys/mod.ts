/** Keys: the access key and what it derives, devices and their signed list, queues and addresses. */
export {
  type AccessKey,
  type AccessKeyReading,
  formatAccessKey,
  newAccessKey,
  parseAccessKey,
} from "./access_key.ts";
export {
  type Account,
  type BackupSecrets,
  deriveAccount,
  wipeAccount,
} from "./account.ts";
export {
  accountIdFromBytes,
  accountIdOf,
  accountIdToBytes,
} from "./account_id.ts";
export {
  type Address,
  addressOf,
  checkOrigin,
  encodeAddress,
  parseAddress,
} from "./address.ts";
export { randomSymbols, readSymbols, writeSymbols } from "./crockford.ts";
export {
  type Device,
  encodeOwnDevice,
  newDevice,
  type OwnDevice,
  parseOwnDevice,
  publicDevice,
} from "./device.ts";
export {
  compareClaim,
  compareDeviceLists,
  type DeviceList,
  type DeviceListClaim,
  type DeviceListContent,
  DeviceListError,
  type DeviceListOrder,
  isListedIn,
  MAX_DEVICES,
  verifyDeviceList,
} from "./device_list.ts";
export { isOwnAddress, signOwnAddress } from "./own_address.ts";
export { type Ed25519Pair, ed25519PairOf } from "../../wire/mod.ts";
export { Fields, MalformedError, writeMessage } from "./protobuf.ts";
export {
  encodeQueue,
  newQueue,
  parseQueue,
  type QueueCredentials,
  REMOVE_KEY_PURPOSE,
  sealRemoveKey,
  wipeQueue,
} from "./queue.ts";
export {
  openSealed,
  SEALED_BOX_OVERHEAD,
  SealedBoxError,
  sealToKey,
} from "./sealed_box.ts";
export { signDeviceList } from "./sign_device_list.ts";
export {
  accountIdBy,
  MAX_SUCCESSIONS,
  signSuccession,
  successorOf,
} from "./succession.ts";
export { wipe } from "./wipe.ts";
