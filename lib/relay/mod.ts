/** The relay: queues and rendezvous on Deno KV, spoken to over WebSockets. docs/protocol.md § Relay. */
export {
  completeLimits,
  DEFAULT_LIMITS,
  LimitError,
  type Limits,
} from "./limits.ts";
export { dialWebSocket } from "./dial_web_socket.ts";
export { askGreeting, NoGreetingError } from "./greeting.ts";
export { type MemorySocket, memorySocketPair } from "./memory_socket.ts";
export { upgradeToRelay } from "./native_socket.ts";
export {
  type DialOptions,
  type PeerDialler,
  PeerForbiddenError,
  PeerUnreachableError,
} from "./peer_dialler.ts";
export { type ForwardOptions } from "./peers.ts";
export { Relay, type RelayOptions } from "./relay.ts";
export { CLOSE, type RelaySocket, type SocketEvents } from "./socket.ts";
export { readIdentity, type StoreIdentity } from "./store_identity.ts";
export { STORE_FORMAT, StoreFormatError } from "./store_format.ts";
export { isPublicAddress } from "./public_address.ts";
export {
  isWebPort,
  portOf,
  TcpDialler,
  type TcpDiallerOptions,
} from "./tcp_dialler.ts";
export type { Health, Totals } from "./totals.ts";
export type { Mutation, Store, StoreKey } from "./store.ts";
export { attachRelay, type ReachedBy } from "./ws_socket.ts";
