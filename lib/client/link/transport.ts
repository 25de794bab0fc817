/**
 * What carries frames to the relay: a WebSocket, in a test a pair of memory pipes, later a circuit.
 * It moves whole binary messages and knows nothing of what is in them.
 */
export interface Transport {
  /** Begins to connect to `url` (ws: or wss:). Never throws: what fails is told by `closed`. */
  connect(url: string, events: SocketEvents): Socket;
}

export interface SocketEvents {
  open(): void;
  message(frame: Uint8Array): void;
  /** Once, also when the socket never opened; nothing follows it. */
  closed(): void;
}

export interface Socket {
  /** Hands over one message. What is sent to a closed socket is lost, as on the wire. */
  send(frame: Uint8Array): void;
  close(): void;
}

/** Whether the device has a network, as far as its system can tell. A hint, not a fact. */
export interface Network {
  online(): boolean;
  /** Calls `changed` on every change; returns what ends that. */
  watch(changed: (online: boolean) => void): () => void;
}

/** For devices that cannot tell: always hopeful. */
export const unknownNetwork: Network = {
  online: () => true,
  watch: () => () => {},
};
