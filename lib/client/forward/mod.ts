/** What reaches other relays by way of the own one: fetched when somebody is at another. */
export { joinRemote } from "./remote_place.ts";
export { hasQueue, openRemoteWay } from "./remote_queue.ts";
export { type Found, type RelayPlace, RemoteRelay } from "./remote_relay.ts";
