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
export { findElsewhere, moveHere } from "./move_here.ts";
export { readServer } from "./read_server.ts";
export { anotherAccessKey } from "./another_access_key.ts";
export { backupKeys, createAccount } from "../new_device.ts";
