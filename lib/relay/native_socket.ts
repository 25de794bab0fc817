import { CLOSE, type RelaySocket, type SocketEvents } from "./socket.ts";
import type { Relay } from "./relay.ts";
import { MAX_FRAME } from "../wire/mod.ts";

/** How often a socket with a backlog is asked whether it has drained: the platform has no event for it. */
const POLL_MS = 50;

/** Deno's own WebSocket, where there is no Node server (Deno Deploy). It buffers a message before its size is known. */
class NativeSocket implements RelaySocket {
  readonly #socket: WebSocket;
  #events: SocketEvents | undefined;
  #polling = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  listen(events: SocketEvents): void {
    this.#events = events;
    this.#socket.addEventListener("message", ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return events.message("text");
      if (data.byteLength > MAX_FRAME) {
        return this.close(CLOSE.tooLarge, "too large");
      }
      events.message(new Uint8Array(data));
    });
    // "close" follows an "error" too.
    this.#socket.addEventListener(
      "close",
      ({ code, reason }) => events.close(code, reason),
    );
  }

  send(frame: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    // A copy: the type wants an ArrayBuffer of its own behind the view.
    this.#socket.send(frame.slice());
    if (!this.#polling) this.#poll();
  }

  close(code: number, reason: string): void {
    // The platform lets an application send 1000 and 3000 to 4999 only: ours move up there.
    this.#socket.close(code + 3_000, reason);
  }

  #poll(): void {
    this.#polling = true;
    setTimeout(() => {
      this.#polling = false;
      if (this.#socket.readyState !== WebSocket.OPEN) return;
      if (this.#socket.bufferedAmount > 0) this.#poll();
      else this.#events?.drained();
    }, POLL_MS);
  }
}

/** Answers an upgrade request by connecting it to the relay; the caller has checked path and Origin. */
export function upgradeToRelay(request: Request, relay: Relay): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 90,
  });
  const connected = new NativeSocket(socket);
  socket.addEventListener("open", () => relay.accept(connected));
  return response;
}
