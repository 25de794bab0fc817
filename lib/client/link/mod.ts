/** The connection to the relay. */
export { backoff } from "./backoff.ts";
export {
  ANSWER_TIMEOUT_MS,
  Connection,
  ConnectionLostError,
  type Push,
  RelayError,
  type Request,
} from "./connection.ts";
export { Link, type LinkOptions } from "./link.ts";
export {
  type Network,
  type Socket,
  type SocketEvents,
  type Transport,
  unknownNetwork,
} from "./transport.ts";
export { webSocketTransport } from "./web_socket.ts";
