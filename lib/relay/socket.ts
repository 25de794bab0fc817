/** What a socket tells the relay. Nothing is told before `listen`, and nothing after `close`. */
export interface SocketEvents {
  /** One whole WebSocket message; a string for a text message. */
  message(data: Uint8Array | string): void;
  /** The connection is over, however it ended. Told once. */
  close(code: number, reason: string): void;
  /** Everything handed to `send` has left for the network. */
  drained(): void;
}

/** One WebSocket, whatever carries it. */
export interface RelaySocket {
  /** Bytes handed to `send` that have not left for the network. */
  readonly bufferedBytes: number;
  /** Called once; what arrived before is told then. */
  listen(events: SocketEvents): void;
  /** After the end of the connection this does nothing: `close` has told. */
  send(frame: Uint8Array): void;
  /** What was sent before still leaves. */
  close(code: number, reason: string): void;
}

/** WebSocket close codes (RFC 6455 § 7.4.1) that the relay uses. */
export const CLOSE = {
  goingAway: 1001,
  cut: 1006,
  policy: 1008,
  tooLarge: 1009,
  fault: 1011,
  tryLater: 1013,
} as const;
