import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { RelaySocket, SocketEvents } from "./socket.ts";

/** A connection of the `ws` library. */
export class WsConnection implements RelaySocket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  #corked = false;
  #events: SocketEvents | undefined;
  /** What happened before anybody listened. */
  readonly #early: ((events: SocketEvents) => void)[] = [];
  #sent: ((error?: Error | null) => void) | undefined;

  /** `stream` is what the socket writes to. */
  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
    // Without a listener an error would end the process; "close" follows and tells the relay.
    socket.on("error", () => socket.terminate());
    socket.on("message", (data, isBinary) => {
      const message = isBinary ? asBytes(data) : "text";
      this.#tell((events) => events.message(message));
    });
    socket.on("close", (code, reason) => {
      this.#tell((events) => events.close(code, reason.toString()));
    });
  }

  #tell(tell: (events: SocketEvents) => void): void {
    if (this.#events) tell(this.#events);
    else this.#early.push(tell);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  listen(events: SocketEvents): void {
    const socket = this.#socket;
    this.#events = events;
    for (const tell of this.#early.splice(0)) tell(events);
    this.#sent = () => {
      if (socket.bufferedAmount === 0) events.drained();
    };
  }

  send(frame: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#corked) this.#cork();
    this.#socket.send(frame, this.#sent);
  }

  /** What is sent in one turn leaves in one call of the system: each costs as much as all else about a frame. */
  #cork(): void {
    this.#corked = true;
    this.#stream.cork();
    queueMicrotask(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }
}

function asBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
