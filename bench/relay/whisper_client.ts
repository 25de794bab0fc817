import {
  bindMessage,
  type Command,
  type CommandBody,
  encodeFrame,
  type Hello,
  parseHello,
  queueId,
  type Role,
  type Signer,
} from "../../lib/wire/mod.ts";
import { MESSAGE_BYTES } from "./line.ts";

const SEND = 0x12;
const MSG = 0x13;
const ACK = 0x14;
const OK = 0x02;
const FRAME = 512;

/** A WebSocket frame that holds a relay's frame: header, length u16, and a mask of zeros, which changes nothing. */
const HEADER = Uint8Array.of(0x82, 0xfe, 2, 0, 0, 0, 0, 0);

type Arrived = (number: number) => void;

/**
 * A client of our relay that costs little: raw TCP, frames written by hand, many at once. The number
 * of a message is the beginning of its id. What comes is acknowledged once for all that was read
 * together.
 */
export class WhisperClient {
  hello!: Hello; // set by `connect`, before anybody has the client
  readonly #connection: Deno.TcpConn;
  #writing: Promise<void> | undefined;
  #out = new Uint8Array(1 << 12);
  #used = 0;
  #request = 0;
  readonly #answers: ((command: Uint8Array) => void)[] = [];
  #greeted: ((body: Uint8Array) => void) | undefined;
  #arrived: Arrived = () => {};
  /** The highest seq of each handle that is not acknowledged yet. */
  readonly #unacknowledged = new Map<number, number>();
  #ended = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** `url` is of the form ws://HOST:PORT/PATH. */
  static async connect(url: string): Promise<WhisperClient> {
    const { hostname, port, pathname } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    const client = new WhisperClient(connection);
    const hello = new Promise<Uint8Array>((told) => client.#greeted = told);
    await connection.write(new TextEncoder().encode([
      `GET ${pathname} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: d2hpc3BlciBvbiBhIGJlbg==",
      "\r\n",
    ].join("\r\n")));
    client.#read();
    client.hello = await parseHello(await hello);
    return client;
  }

  async #read(): Promise<void> {
    let buffer = new Uint8Array(1 << 12);
    let filled = 0;
    let upgraded = false;
    for (;;) {
      if (filled === buffer.length) {
        const larger = new Uint8Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
      const count = await this.#connection.read(buffer.subarray(filled))
        .catch((error: unknown) => {
          if (!this.#ended) throw error;
          return null;
        });
      if (count === null) {
        this.#ended = true;
        return;
      }
      filled += count;
      let at = 0;
      if (!upgraded) {
        const head = new TextDecoder().decode(buffer.subarray(0, filled));
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) continue;
        if (!head.startsWith("HTTP/1.1 101")) {
          throw new Error(head.split("\r\n")[0]);
        }
        upgraded = true;
        at = end + 4;
      }
      at = this.#hearAll(buffer, at, filled);
      buffer.copyWithin(0, at, filled);
      filled -= at;
      this.#acknowledge();
    }
  }

  /** Hears the whole messages in `buffer` from `at` on; returns where the rest begins. */
  #hearAll(buffer: Uint8Array, at: number, end: number): number {
    // A ping without a body has two bytes, and nothing may follow it for long.
    while (end - at >= 2) {
      const short = buffer[at + 1];
      const start = short < 126 ? at + 2 : at + 4;
      if (start > end) break;
      const length = short < 126 ? short : buffer[at + 2] << 8 | buffer[at + 3];
      if (start + length > end) break;
      if (buffer[at] === 0x82) this.#hear(buffer, start, start + length);
      else if (buffer[at] === 0x89) {
        const pong = Uint8Array.of(0x8a, 0x80 | length, 0, 0, 0, 0);
        this.#out.set(pong, this.#room(pong.length + length));
        this.#out.set(
          buffer.subarray(start, start + length),
          this.#used - length,
        );
      } else if (buffer[at] === 0x88) this.#ended = true;
      at = start + length;
    }
    return at;
  }

  #hear(buffer: Uint8Array, at: number, end: number): void {
    const view = new DataView(buffer.buffer);
    while (at + 5 <= end && buffer[at] !== 0) {
      const request = view.getUint16(at + 1);
      const body = at + 5;
      const next = body + view.getUint16(at + 3);
      if (buffer[at] === MSG) {
        this.#unacknowledged.set(
          view.getUint32(body),
          view.getUint16(body + 4) * 2 ** 32 + view.getUint32(body + 6),
        );
        this.#arrived(view.getUint32(body + 10));
      } else if (request === 0) {
        this.#greeted?.(buffer.slice(body, next));
      } else {
        this.#answers[request](buffer.subarray(at, next));
      }
      at = next;
    }
  }

  #acknowledge(): void {
    for (const [handle, seq] of this.#unacknowledged) {
      const view = this.#frame(ACK, 10, this.#ask(refuseAnythingElse));
      view.setUint32(5, handle);
      view.setUint16(9, Math.floor(seq / 2 ** 32));
      view.setUint32(11, seq);
    }
    this.#unacknowledged.clear();
  }

  #ask(answered: (command: Uint8Array) => void): number {
    this.#request = this.#request % 0xffff + 1;
    this.#answers[this.#request] = answered;
    return this.#request;
  }

  /** The place of a frame about to be written, with one command in it; the rest is zeros. */
  #frame(type: number, length: number, request: number): DataView {
    const start = this.#room(HEADER.length + FRAME);
    this.#out.set(HEADER, start);
    this.#out.fill(0, start + HEADER.length, start + HEADER.length + FRAME);
    const view = new DataView(this.#out.buffer, start + HEADER.length, FRAME);
    view.setUint8(0, type);
    view.setUint16(1, request);
    view.setUint16(3, length);
    return view;
  }

  #room(bytes: number): number {
    if (this.#used + bytes > this.#out.length) {
      const larger = new Uint8Array(this.#out.length * 2);
      larger.set(this.#out.subarray(0, this.#used));
      this.#out = larger;
    }
    const start = this.#used;
    this.#used += bytes;
    this.#writing ??= this.#write();
    return start;
  }

  /** What was queued in one turn, and during a write, leaves together. */
  async #write(): Promise<void> {
    let spare = new Uint8Array(this.#out.length);
    await Promise.resolve();
    while (this.#used > 0 && !this.#ended) {
      const chunk = this.#out.subarray(0, this.#used);
      if (spare.length < this.#out.length) {
        spare = new Uint8Array(this.#out.length);
      }
      [this.#out, spare] = [spare, this.#out];
      this.#used = 0;
      for (let at = 0; at < chunk.length;) {
        at += await this.#connection.write(chunk.subarray(at));
      }
    }
    this.#writing = undefined;
  }

  // Commands

  /** Resolves when the relay has answered OK; anything else ends the benchmark. */
  send(handle: number, number: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = this.#ask((command) =>
        command[0] === OK
          ? resolve()
          : reject(new Error(`SEND was answered ERR ${command[5]}`))
      );
      const view = this.#frame(SEND, 20 + MESSAGE_BYTES, request);
      view.setUint32(5, handle);
      view.setUint32(9, number);
      view.setUint32(13, handle); // ids of different queues need not differ
    });
  }

  hearMessages(arrived: Arrived): void {
    this.#arrived = arrived;
  }

  /** Any command, answered by its OK's body; many of one turn share a frame. */
  askAll(bodies: readonly CommandBody[]): Promise<Uint8Array>[] {
    const answers: Promise<Uint8Array>[] = [];
    const commands = bodies.map((body): Command => {
      let answered!: (command: Uint8Array) => void;
      answers.push(
        new Promise((resolve, reject) =>
          answered = (command) =>
            command[0] === OK
              ? resolve(command.slice(5))
              : reject(new Error(`${body.type} was answered ERR ${command[5]}`))
        ),
      );
      return { ...body, request: this.#ask(answered) };
    });
    for (const frame of encodeFrame(commands)) {
      const start = this.#room(HEADER.length + frame.length);
      this.#out.set(HEADER, start);
      new DataView(this.#out.buffer).setUint16(start + 2, frame.length);
      this.#out.set(frame, start + HEADER.length);
    }
    return answers;
  }

  async bindCommand(
    sendKey: Uint8Array,
    key: Signer,
    role: Role,
  ): Promise<CommandBody> {
    const { challenge, relayKey } = this.hello;
    const queue = queueId(sendKey);
    const generation = role === "receive" ? 1 : 0;
    const message = bindMessage(challenge, relayKey, queue, role, generation);
    const signature = await key.sign(message);
    return { type: "BIND", role, queue, generation, signature };
  }

  get open(): boolean {
    return !this.#ended;
  }

  close(): void {
    this.#ended = true;
    this.#connection.close();
  }
}

function refuseAnythingElse(command: Uint8Array): void {
  if (command[0] !== OK) throw new Error("an ACK was not answered OK");
}
