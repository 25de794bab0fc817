import { CLOSE, type RelaySocket, type SocketEvents } from "./socket.ts";

/** One end of a connection inside the process: what one end sends the other is told, in order, asynchronously. */
export class MemorySocket implements RelaySocket {
  // Set by `pair` before anybody has either end.
  #peer!: MemorySocket;
  #events: SocketEvents | undefined;
  #inbox: (Uint8Array | string)[] = [];
  #inboxBytes = 0;
  #paused = false;
  #scheduled = false;
  /** Set when this end must be told that it is over, after what is in its inbox. */
  #ending: { code: number; reason: string } | undefined;
  #open = true;

  /** Use `memorySocketPair`. */
  static pair(): { client: MemorySocket; relay: MemorySocket } {
    const client = new MemorySocket();
    const relay = new MemorySocket();
    client.#peer = relay;
    relay.#peer = client;
    return { client, relay };
  }

  get bufferedBytes(): number {
    return this.#peer.#inboxBytes;
  }

  listen(events: SocketEvents): void {
    this.#events = events;
    this.#schedule();
  }

  send(data: Uint8Array | string): void {
    if (!this.#open) return;
    this.#peer.#arrive(typeof data === "string" ? data : data.slice());
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#end(code, reason, false);
    this.#peer.#end(code, reason, true);
  }

  /** The network fails: nothing that is under way arrives, and both ends learn that they are alone. */
  cut(): void {
    this.#end(CLOSE.cut, "", false);
    this.#peer.#end(CLOSE.cut, "", false);
  }

  /** Stops reading, as a stalled peer does: what the other end sends piles up. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  #arrive(data: Uint8Array | string): void {
    if (!this.#open) return;
    this.#inbox.push(data);
    this.#inboxBytes += data.length;
    this.#schedule();
  }

  #end(code: number, reason: string, afterInbox: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    if (!afterInbox) {
      this.#inbox = [];
      this.#inboxBytes = 0;
    }
    this.#ending = { code, reason };
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const events = this.#events;
    if (events === undefined) return;
    const hadSome = this.#inbox.length > 0;
    while (!this.#paused) {
      const data = this.#inbox.shift();
      if (data === undefined) break;
      this.#inboxBytes -= data.length;
      events.message(data);
    }
    if (hadSome && this.#inbox.length === 0) this.#peer.#drained();
    // The end is told even to one who does not read, as a reset connection does.
    if (
      this.#ending !== undefined && (this.#inbox.length === 0 || this.#paused)
    ) {
      const { code, reason } = this.#ending;
      this.#ending = undefined;
      this.#events = undefined;
      events.close(code, reason);
    }
  }

  #drained(): void {
    if (this.#open) this.#events?.drained();
  }
}

/** A connection inside the process, for tests: both ends with the interface of a real one. */
export function memorySocketPair(): {
  client: MemorySocket;
  relay: MemorySocket;
} {
  return MemorySocket.pair();
}
