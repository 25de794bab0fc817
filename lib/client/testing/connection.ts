/** A connection whose other end is the test's. */
import type { Hello } from "../../wire/mod.ts";
import type { Clock } from "../clock.ts";
import { Connection } from "../link/mod.ts";

export const HELLO: Hello = {
  features: 0,
  relayKey: new Uint8Array(32),
  challenge: new Uint8Array(32),
  time: 0,
  workBits: 0,
  limits: {
    queuesPerConnection: 1,
    messagesPerQueue: 1,
    bytesPerQueue: 1,
    messageLifetime: 1,
  },
  dayKey: new Uint8Array(32),
  dayKeyValidUntil: 0,
  url: "https://relay.example",
};

/** `send` has each frame that goes out. */
export function connectionTo(
  clock: Clock,
  send: (frame: Uint8Array, connection: Connection) => void = () => {},
  hello: Hello = HELLO,
): Connection {
  const connection: Connection = new Connection(
    { send: (frame) => send(frame, connection), close: () => {} },
    hello,
    clock,
    () => connection.closed(),
  );
  return connection;
}
