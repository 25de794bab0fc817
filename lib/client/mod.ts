/** The messenger without a screen: what islands and the command line build on. */
export { type Adapters, NotReadyError } from "./adapters.ts";
export { Messenger } from "./messenger.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type Random, systemRandom } from "./random.ts";
export {
  type Network,
  type Socket,
  type SocketEvents,
  type Transport,
  unknownNetwork,
  webSocketTransport,
} from "./link/mod.ts";
export { TextTooLongError } from "./content/mod.ts";
export type * from "./view.ts";
