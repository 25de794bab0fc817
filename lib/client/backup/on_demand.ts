/** What is fetched when it is needed: how an account begins, is backed up, and comes back. */
export {
  deriveAccount,
  formatAccessKey,
  newAccessKey,
  parseAccessKey,
  wipeAccount,
} from "../keys/mod.ts";
export { Backup } from "./backup.ts";
export { comeBack, find } from "./come_back.ts";
export { removeDevice } from "./remove_device.ts";
export { anotherAccessKey } from "./another_access_key.ts";
export { backupKeys, createAccount } from "../new_device.ts";
