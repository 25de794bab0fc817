import { type MemorySocket, memorySocketPair } from "../memory_socket.ts";
import {
  type DialOptions,
  type PeerDialler,
  PeerForbiddenError,
  PeerUnreachableError,
} from "../peer_dialler.ts";
import type { Relay } from "../relay.ts";
import type { RelaySocket } from "../socket.ts";

/** Reaches relays inside the process, by their URLs. Frames that go by it are kept. */
export class MemoryDialler implements PeerDialler {
  readonly relays = new Map<string, Relay>();
  /** Origins and labels, in the order in which they were dialled. */
  readonly dialled: { origin: string; isolation: string }[] = [];
  /** Frames that who dialled sent, and got, in order. */
  readonly sent: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  /** The last connection that was made. */
  last: MemorySocket | undefined;
  /** Its other end, which is the relay's. */
  lastFar: MemorySocket | undefined;
  /** When set, a dial waits for it. */
  hold: Promise<void> | undefined;
  forbidden = false;
  /** Told of every frame either way. */
  onFrame: () => void = () => {};

  constructor(public perLabel = false) {}

  isolates(): boolean {
    return this.perLabel;
  }

  async dial(origin: URL, options: DialOptions): Promise<RelaySocket> {
    const { isolation, signal } = options;
    this.dialled.push({ origin: origin.origin, isolation });
    if (this.forbidden) throw new PeerForbiddenError("never");
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve())
    );
    if (this.hold !== undefined) await Promise.race([this.hold, stopped]);
    const relay = this.relays.get(origin.origin);
    if (relay === undefined || signal.aborted) {
      throw new PeerUnreachableError("nobody is there");
    }
    const pair = memorySocketPair();
    this.last = pair.client;
    this.lastFar = pair.relay;
    relay.accept(pair.relay);
    const { sent, received } = this;
    const { client } = pair;
    return {
      get bufferedBytes() {
        return client.bufferedBytes;
      },
      listen: (events) =>
        client.listen({
          ...events,
          message: (data) => {
            if (typeof data !== "string") received.push(data);
            this.onFrame();
            events.message(data);
          },
        }),
      send: (frame) => {
        sent.push(frame.slice());
        this.onFrame();
        client.send(frame);
      },
      close: (code, reason) => client.close(code, reason),
    };
  }
}
