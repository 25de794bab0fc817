/** What reaches other relays by way of the own one: fetched when somebody is at another. */
export { joinRemote } from "./remote_place.ts";
export { RemoteRelay } from "./remote_relay.ts";
export { Remotes } from "./remotes.ts";
