/**
 * A client written from docs/protocol.md alone, with nothing of ours: Node's Buffer and crypto, and a
 * WebSocket. It holds the document to be enough, so it must not import anything of lib/.
 */
import { Buffer } from "node:buffer";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  scryptSync,
  sign,
  verify,
} from "node:crypto";

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** An Ed25519 pair. */
export class Pair {
  readonly #key: KeyObject;
  readonly publicKey: Buffer;

  constructor(seed: Uint8Array = randomBytes(32)) {
    const key = Buffer.concat([PKCS8, seed]);
    this.#key = createPrivateKey({ key, format: "der", type: "pkcs8" });
    this.publicKey = createPublicKey(this.#key)
      .export({ format: "der", type: "spki" }).subarray(-32);
  }

  sign(...parts: Uint8Array[]): Buffer {
    return sign(null, Buffer.concat(parts), this.#key);
  }
}

export const u8 = (value: number) => Buffer.from([value]);
export const u16 = (value: number) => uint(value, 2);
export const u32 = (value: number) => uint(value, 4);
export const u48 = (value: number) => uint(value, 6);

function uint(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

export function sha256(...parts: Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

/** The first 16 bytes of the hash of a label and keys. */
export function idOf(label: string, ...keys: Uint8Array[]): Buffer {
  return sha256(Buffer.from(label), ...keys).subarray(0, 16);
}

export type Said = { type: number; request: number; body: Buffer };

/** One connection. */
export class IndependentClient {
  relayKey: Buffer = Buffer.alloc(0);
  challenge: Buffer = Buffer.alloc(0);
  features = 0;
  #workBits = 0;
  #request = 0;
  readonly #socket: WebSocket;
  readonly #said: Said[] = [];
  #arrived: (() => void) | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.#parse(Buffer.from(data));
      this.#arrived?.();
    };
  }

  /** Resolves when HELLO was heard and its signature verified. */
  static async connect(url: string): Promise<IndependentClient> {
    const client = new IndependentClient(new WebSocket(url));
    const { type, body } = await client.hear(() => true);
    if (type !== 0x01 || body[0] !== 1) throw new Error("no HELLO");
    client.features = body.readUInt32BE(1);
    client.relayKey = body.subarray(5, 37);
    client.challenge = body.subarray(37, 69);
    client.#workBits = body[75];
    const key = createPublicKey({
      key: Buffer.concat([SPKI, client.relayKey]),
      format: "der",
      type: "spki",
    });
    const signed = Buffer.concat([
      Buffer.from("whisper hello v1"),
      body.subarray(0, -64),
    ]);
    if (!verify(null, signed, key, body.subarray(-64))) {
      throw new Error("HELLO is not signed");
    }
    return client;
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) =>
      this.#socket.onclose = () => resolve()
    );
    this.#socket.close();
    return closed;
  }

  /** Says a command in a frame of its own and returns the body of OK, or throws the code of ERR. */
  async ask(type: number, ...parts: Uint8Array[]): Promise<Buffer> {
    const request = ++this.#request;
    const body = Buffer.concat(parts);
    const said = Buffer.concat([
      u8(type),
      u16(request),
      u16(body.length),
      body,
    ]);
    let size = 512;
    while (size < said.length) size *= 2;
    this.#socket.send(Buffer.concat([said, Buffer.alloc(size - said.length)]));
    const answer = await this.hear((one) => one.request === request);
    if (answer.type === 0x03) throw new Error(`ERR ${answer.body[0]}`);
    return answer.body;
  }

  /** The next command of the relay that is wanted. */
  async hear(wanted: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      const at = this.#said.findIndex(wanted);
      if (at >= 0) return this.#said.splice(at, 1)[0];
      await new Promise<void>((resume) => this.#arrived = resume);
    }
  }

  /** PUT, GET, DROP, TAKE: signed over the challenge and all they say. */
  prove(type: number, pair: Pair, ...parts: Uint8Array[]): Promise<Buffer> {
    const signature = pair.sign(
      Buffer.from("whisper proof v1"),
      this.challenge,
      this.relayKey,
      u8(type),
      ...parts,
    );
    return this.ask(type, ...parts, signature);
  }

  /** A nonce, as 8 bytes, such that the hash begins with enough zero bits. */
  work(type: number, key: Uint8Array): Buffer {
    for (let nonce = 0n;; nonce++) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(nonce);
      const label = Buffer.from("whisper work v1");
      const hash = sha256(label, this.challenge, u8(type), key, bytes);
      if (Math.clz32(hash.readUInt32BE()) >= this.#workBits) return bytes;
    }
  }

  /** Makes a queue with these pairs and returns its id. */
  async makeQueue(receive: Pair, send: Pair, remove: Pair): Promise<Buffer> {
    const work = this.work(0x10, send.publicKey);
    const keys = [receive, send, remove].map(({ publicKey }) => publicKey);
    await this.ask(0x10, ...keys, work);
    return idOf("whisper queue v1", send.publicKey);
  }

  /** Returns the handle. */
  async bind(
    queue: Buffer,
    role: number,
    pair: Pair,
    generation = 0,
  ): Promise<Buffer> {
    const what = [queue, u8(role), u32(generation)];
    const label = Buffer.from("whisper bind v1");
    const signature = pair.sign(
      label,
      this.challenge,
      this.relayKey,
      ...what,
    );
    return await this.ask(
      0x11,
      u8(role),
      queue,
      u32(generation),
      signature,
    );
  }

  async access(password: string): Promise<void> {
    const label = Buffer.from("whisper access v1");
    const seed = scryptSync(
      password.normalize("NFKC"),
      Buffer.concat([label, this.relayKey]),
      32,
      { N: 32_768, r: 8, p: 3, maxmem: 2 ** 27 },
    );
    const signature = new Pair(seed).sign(label, this.challenge, this.relayKey);
    await this.ask(0x43, signature, this.work(0x43, signature.subarray(0, 32)));
  }

  #parse(frame: Buffer): void {
    let at = 0;
    while (at < frame.length && frame[at] !== 0) {
      const length = frame.readUInt16BE(at + 3);
      this.#said.push({
        type: frame[at],
        request: frame.readUInt16BE(at + 1),
        body: frame.subarray(at + 5, at + 5 + length),
      });
      at += 5 + length;
    }
  }
}
