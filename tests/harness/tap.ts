/** A port that leads to another one, and keeps what goes through as WebSocket messages. */
import { Buffer } from "node:buffer";

export class Tap {
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #passed: Uint8Array[] = [];
  #callers = 0;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #done: Promise<void>;
  /** Where it leads. */
  target = 0;

  constructor() {
    this.port = this.#listener.addr.port;
    this.#done = this.#serve();
  }

  /** Everything that went through, both ways, unmasked. */
  get passed(): Buffer {
    return Buffer.concat(this.#passed);
  }

  /** How many connected. */
  get callers(): number {
    return this.#callers;
  }

  async stop(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) end(connection);
    await this.#done;
  }

  async #serve(): Promise<void> {
    const carrying: Promise<unknown>[] = [];
    for await (const near of this.#listener) {
      this.#callers++;
      const hostname = "127.0.0.1";
      const far = await Deno.connect({ hostname, port: this.target })
        .catch(() => undefined);
      if (!far) {
        end(near);
        continue;
      }
      this.#connections.add(near).add(far);
      carrying.push(this.#carry(near, far), this.#carry(far, near));
    }
    await Promise.all(carrying);
  }

  async #carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    let unread: Buffer = Buffer.alloc(0);
    let begun = false;
    const chunk = new Uint8Array(65_536);
    try {
      for (let n; (n = await from.read(chunk)) !== null;) {
        const bytes = chunk.slice(0, n);
        unread = Buffer.concat([unread, bytes]);
        if (!begun) {
          const at = unread.indexOf("\r\n\r\n");
          if (at >= 0) {
            begun = true;
            this.#passed.push(unread.subarray(0, at + 4));
            unread = unread.subarray(at + 4);
          }
        }
        if (begun) unread = this.#messages(unread);
        for (let sent = 0; sent < n;) {
          sent += await to.write(bytes.subarray(sent));
        }
      }
    } catch {
      // One side went away: the other is ended too.
    }
    end(from);
    end(to);
  }

  /** Keeps the messages that are whole (RFC 6455 section 5.2); gives what is not yet. */
  #messages(bytes: Buffer): Buffer {
    while (bytes.length >= 2) {
      const masked = (bytes[1] & 0x80) !== 0;
      const short = bytes[1] & 0x7f;
      const head = 2 + (short === 126 ? 2 : 0) + (masked ? 4 : 0);
      if (bytes.length < head) break;
      const length = short === 126 ? bytes.readUInt16BE(2) : short;
      if (bytes.length < head + length) break;
      const payload = Buffer.from(bytes.subarray(head, head + length));
      if (masked) {
        const mask = bytes.subarray(head - 4, head);
        for (let i = 0; i < length; i++) payload[i] ^= mask[i & 3];
      }
      this.#passed.push(payload);
      bytes = bytes.subarray(head + length);
    }
    return bytes;
  }
}

function end(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
