/** What a lock is opened with, from a browser: loaded together with the messenger. */
export { passkeys } from "./web_passkeys.ts";
export { workerStretch as stretch } from "./worker_stretch.ts";
