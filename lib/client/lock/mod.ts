/** The lock of this browser, and what it takes to open it. */
export { AutoLock } from "./auto_lock.ts";
export { Lock, type LockHost } from "./lock.ts";
export {
  MIN_PASSPHRASE,
  NoPasskeyError,
  type Passkeys,
  type Stretch,
} from "./secrets.ts";
