/** The network between a browser and the relay, in the hands of a test. */
import { connectAsAsked } from "./support_socks.ts";
import { decodeFrame } from "../../lib/wire/mod.ts";
import type { Command } from "../../lib/wire/mod.ts";

/** "up" is towards the relay. */
export type Direction = "up" | "down";

/** One WebSocket frame of the relay's protocol, as it crosses. */
export interface WireFrame {
  readonly direction: Direction;
  /** Unmasked. */
  readonly payload: Uint8Array;
  /** Bytes it takes on the wire: header, mask and payload. */
  readonly length: number;
  readonly commands: readonly Command[];
}

/** undefined lets a frame through; a number lets so many of its bytes through, then cuts the connection. */
export type Verdict = number | undefined;

/** Asked about every frame, one after the other in each direction; what waits for a promise is held. */
export type Rule = (frame: WireFrame) => Verdict | Promise<Verdict>;

const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const RELAY_REQUEST = new TextEncoder().encode("GET /relay ");

/** A proxy on a free port of this machine, which a browser goes through to the relay. */
export class Wire {
  rule: Rule | undefined;
  /** Every frame that reached this point, delivered or not. */
  readonly frames: WireFrame[] = [];
  /** Messages of the WebSocket that are no frames of the protocol. */
  readonly oddities: string[] = [];
  /** Everything that was no frame: requests and responses, and the heads of WebSockets. */
  readonly plain: Uint8Array[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving: Promise<void>;
  readonly #connections = new Set<Connection>();

  constructor() {
    this.#serving = this.#serve();
  }

  /** As a browser is told of it. */
  get server(): string {
    return `socks5://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends every connection to the relay, at once. */
  cut(): void {
    for (const connection of this.#connections) {
      if (connection.toRelay) connection.end();
    }
  }

  async stop(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.end();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const client of this.#listener) {
      const work = this.#carry(client).finally(() => running.delete(work));
      running.add(work);
    }
    await Promise.all(running);
  }

  async #carry(client: Deno.TcpConn): Promise<void> {
    const server = await connectAsAsked(client).catch(ignoreGone);
    if (!server) return client.close();
    const connection = new Connection(client, server, this);
    this.#connections.add(connection);
    await connection.run();
    this.#connections.delete(connection);
  }
}

function ignoreGone(error: unknown): undefined {
  if (!isGone(error)) throw error;
}

/** The other side of a connection went away: that is what this is for. */
function isGone(error: unknown): boolean {
  return [
    Deno.errors.ConnectionReset,
    Deno.errors.ConnectionAborted,
    Deno.errors.BrokenPipe,
  ].some((cause) => error instanceof cause);
}

/** A browser's connection and ours to the relay, ended together. */
class Connection {
  toRelay = false;
  readonly #wire: Wire;
  /** Where bytes of a direction go to. */
  readonly #ends: Record<Direction, Deno.TcpConn>;
  #over = false;

  constructor(client: Deno.TcpConn, server: Deno.TcpConn, wire: Wire) {
    this.#ends = { up: server, down: client };
    this.#wire = wire;
  }

  async run(): Promise<void> {
    await Promise.all([this.#carry("up"), this.#carry("down")]);
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ends.up.close();
    this.#ends.down.close();
  }

  async #carry(direction: Direction): Promise<void> {
    const from = this.#ends[direction === "up" ? "down" : "up"];
    const buffer = new Uint8Array(65_536);
    let bytes: Uint8Array = new Uint8Array();
    let begun = false;
    try {
      while (!this.#over) {
        const count = await from.read(buffer);
        if (count === null) break;
        bytes = concat(bytes, buffer.subarray(0, count));
        if (!begun) {
          const head = indexOf(bytes, HEAD_END) + HEAD_END.length;
          if (head < HEAD_END.length) continue;
          begun = true;
          this.toRelay ||= startsWith(bytes, RELAY_REQUEST);
          await this.#plain(direction, bytes.subarray(0, head));
          bytes = bytes.subarray(head);
        }
        if (this.toRelay) bytes = await this.#framed(direction, bytes);
        else {
          await this.#plain(direction, bytes);
          bytes = new Uint8Array();
        }
      }
    } catch (error) {
      if (!this.#over && !isGone(error)) throw error;
    } finally {
      this.end();
    }
  }

  #plain(direction: Direction, bytes: Uint8Array): Promise<void> {
    this.#wire.plain.push(bytes.slice());
    return this.#write(direction, bytes);
  }

  /** Passes on the messages that are whole; gives what is not yet. */
  async #framed(direction: Direction, bytes: Uint8Array): Promise<Uint8Array> {
    let message;
    while ((message = readMessage(bytes))) {
      const { length } = message;
      const verdict = await this.#judge(direction, message);
      await this.#write(direction, bytes.subarray(0, verdict ?? length));
      if (verdict !== undefined) this.end();
      bytes = bytes.subarray(length);
    }
    return bytes;
  }

  #judge(
    direction: Direction,
    { opcode, payload, length }: Message,
  ): Verdict | Promise<Verdict> {
    if (opcode > 7) return undefined; // ping, pong, close: the library's own
    let commands: Command[];
    try {
      if (opcode !== BINARY) throw new Error(`opcode ${opcode}`);
      commands = decodeFrame(payload);
    } catch (error) {
      // The test asks for these; what comes of them is the relay's business.
      this.#wire.oddities.push(`${direction}, ${payload.length} B: ${error}`);
      return undefined;
    }
    const frame = { direction, payload, length, commands };
    this.#wire.frames.push(frame);
    return this.#wire.rule?.(frame);
  }

  async #write(direction: Direction, bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      at += await this.#ends[direction].write(bytes.subarray(at));
    }
  }
}

const BINARY = 2;

interface Message {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly length: number;
}

/** The first WebSocket message in `bytes` (RFC 6455 section 5.2), unless it is not whole yet. */
function readMessage(bytes: Uint8Array): Message | undefined {
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const short = bytes[1] & 0x7f;
  const masked = (bytes[1] & 0x80) !== 0;
  const sizeEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
  const start = sizeEnd + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const size = short === 126
    ? view.getUint16(2)
    : short === 127
    ? Number(view.getBigUint64(2))
    : short;
  if (bytes.length < start + size) return undefined;
  const payload = bytes.slice(start, start + size);
  if (masked) {
    for (let i = 0; i < size; i++) payload[i] ^= bytes[sizeEnd + i % 4];
  }
  // A message in several pieces has one that does not end it, or goes on: no frame of ours does.
  const whole = (bytes[0] & 0x80) !== 0;
  return {
    opcode: whole ? bytes[0] & 0x0f : 0,
    payload,
    length: start + size,
  };
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (startsWith(bytes.subarray(at), wanted)) return at;
  }
  return -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
