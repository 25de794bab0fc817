/** What is fetched when it is needed: how an account begins, is backed up, and comes back. */
export { Backup } from "./backup.ts";
export { comeBack, find } from "./come_back.ts";
export { backupKeys, createAccount } from "../new_device.ts";
