/** Tor: its control port, a `tor` of our own, onion services, and connections through it. */
export { type ClientKey, newClientKey } from "./client_key.ts";
export { clientFile, parseClientFile } from "./client_key.ts";
export { connectThroughTor } from "./connect.ts";
export { ControlError } from "./control_error.ts";
export type { HostAndPort } from "./control_port.ts";
export {
  newOnionKey,
  type OnionKey,
  onionKeyText,
  parseOnionKey,
} from "./onion_key.ts";
export { NEW_CIRCUITS_EVERY_MS, newCircuits } from "./new_circuits.ts";
export { readControlPort } from "./tor_program.ts";
export { type OnionService, type Publication, publish } from "./publish.ts";
export {
  TorKeeper,
  type TorKeeperOptions,
  type TorState,
} from "./tor_keeper.ts";
export {
  DEFENDING,
  isOlder,
  openTor,
  progressOf,
  type TorSession,
  type TorSource,
} from "./tor_session.ts";
