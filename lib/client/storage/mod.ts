/**
 * What this device keeps, and who may write it: an encrypted vault of records
 * on IndexedDB (or in memory), held by one tab at a time.
 */
export {
  DamagedError,
  NewerVersionError,
  StorageFullError,
  StorageUnavailableError,
  TakenOverError,
  VaultClosedError,
  VaultStateError,
  WrongKeyError,
} from "./errors.ts";
export {
  type BrowserPlatformOptions,
  openBrowserPlatform,
} from "./idb_store.ts";
export { type CommitHook, MemoryDisk } from "./memory_store.ts";
export type {
  DeviceKey,
  Platform,
  Store,
  StoreChange,
  StoreEntry,
} from "./store.ts";
export {
  type Codec,
  type RecordId,
  type Table,
  table,
  type VaultChange,
} from "./table.ts";
export type {
  VaultReader,
  VaultTransaction,
  VaultWriter,
} from "./transaction.ts";
export type { Progress } from "./key_change.ts";
export {
  type Lock,
  type LockMeans,
  type NewLock,
  SALT_LENGTH,
  type StretchCost,
} from "./lock.ts";
export type { WrongSecret } from "./lock_try.ts";
export { type LockedVault, Vault } from "./vault.ts";
export { MemoryTabs } from "./memory_tabs.ts";
export type { OneTab } from "./one_tab.ts";
export { WebTab, type WebTabOptions } from "./web_tab.ts";
