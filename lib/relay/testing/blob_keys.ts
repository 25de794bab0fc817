import {
  type BlobCommand,
  blobId,
  type FillPool,
  type MakeBlob,
  MAX_CHUNK,
  parseBlobState,
  parseChunkOk,
  parseGetChunkOk,
  parsePoolState,
  parsePutOk,
  parseTakeOk,
  poolId,
  proofMessage,
  type Signer,
  solveWork,
  type Unsigned,
} from "../../wire/mod.ts";
import {
  ok,
  randomBytes,
  randomSigner,
  type RelayClient,
} from "./relay_client.ts";

/** What a relay takes as one command's worth of work, by default. */
const BYTES_PER_WORK = 256 * 1024;

/** Whoever knows what the relay greeted with. */
type Greeted = Pick<RelayClient, "hello">;

/** A command, signed for the connection it is said on. */
export async function signed(
  { hello }: Greeted,
  command: Unsigned,
  signer: Signer,
): Promise<BlobCommand> {
  const message = proofMessage(hello.challenge, hello.relayKey, command);
  return { ...command, signature: await signer.sign(message) };
}

async function payment(
  { hello: { challenge, workBits } }: Greeted,
  key: Uint8Array,
  bytes = 0,
): Promise<bigint> {
  const extra = Math.ceil(Math.log2(Math.max(1, bytes / BYTES_PER_WORK)));
  const bits = workBits === 0 ? 0 : workBits + extra;
  return await solveWork({ challenge, type: "PUT", key, bits });
}

/** A blob as its owner has it: all three keys. */
export class BlobKeys {
  readonly id: Uint8Array;

  constructor(
    readonly read: Signer,
    readonly own: Signer,
    readonly write: Signer,
  ) {
    this.id = blobId(read.publicKey, own.publicKey);
  }

  static async random(): Promise<BlobKeys> {
    return new BlobKeys(
      await randomSigner(),
      await randomSigner(),
      await randomSigner(),
    );
  }

  /** The same blob under another write key. */
  async rekeyed(): Promise<BlobKeys> {
    return new BlobKeys(this.read, this.own, await randomSigner());
  }

  async makeCommand(
    client: Greeted,
    changes: Partial<MakeBlob> = {},
  ): Promise<BlobCommand> {
    const bytes = changes.bytes ?? 100_000;
    return await signed(client, {
      type: "PUT",
      about: "blob",
      readKey: this.read.publicKey,
      ownKey: this.own.publicKey,
      writeKey: this.write.publicKey,
      epoch: 1,
      bytes,
      lifetime: 30 * 86_400,
      work: await payment(client, this.own.publicKey, bytes),
      ...changes,
    }, this.own);
  }

  async make(client: RelayClient, changes: Partial<MakeBlob> = {}) {
    return parsePutOk(
      ok(await client.ask(await this.makeCommand(client, changes))),
    );
  }

  /** One command for each chunk of contents. */
  async putCommands(
    client: Greeted,
    base: number,
    contents: Uint8Array,
    draft: Uint8Array = randomBytes(16),
    signer: Signer = this.write,
  ): Promise<BlobCommand[]> {
    const count = Math.ceil(contents.length / MAX_CHUNK);
    return await Promise.all(
      Array.from({ length: count }, (_, index) =>
        signed(client, {
          type: "PUT",
          about: "chunk",
          blob: this.id,
          base,
          draft,
          bytes: contents.length,
          index,
          chunk: contents.slice(index * MAX_CHUNK, (index + 1) * MAX_CHUNK),
        }, signer)),
    );
  }

  /** Writes contents, all chunks at once, and returns their version. */
  async put(
    client: RelayClient,
    base: number,
    contents: Uint8Array,
  ): Promise<number> {
    const commands = await this.putCommands(client, base, contents);
    const answers = await Promise.all(client.askAll(commands));
    return answers.map((answer) => parseChunkOk(ok(answer)).version).at(-1)!; // contents are never empty
  }

  getCommand(
    client: Greeted,
    index: number,
    version = 0,
    signer: Signer = this.read,
  ): Promise<BlobCommand> {
    const blob = this.id;
    return signed(
      client,
      { type: "GET", about: "chunk", blob, version, index },
      signer,
    );
  }

  async chunk(client: RelayClient, index: number, version = 0) {
    return parseGetChunkOk(
      ok(await client.ask(await this.getCommand(client, index, version))),
    );
  }

  /** Reads what is current, all chunks at once after the first. */
  async contents(client: RelayClient): Promise<Uint8Array> {
    const { version, bytes, chunk } = await this.chunk(client, 0);
    const contents = new Uint8Array(bytes);
    contents.set(chunk);
    const commands: BlobCommand[] = [];
    for (let at = MAX_CHUNK; at < bytes; at += MAX_CHUNK) {
      commands.push(await this.getCommand(client, at / MAX_CHUNK, version));
    }
    const answers = await Promise.all(client.askAll(commands));
    answers.forEach((answer, i) =>
      contents.set(parseGetChunkOk(ok(answer)).chunk, (i + 1) * MAX_CHUNK)
    );
    return contents;
  }

  stateCommand(client: Greeted): Promise<BlobCommand> {
    return signed(
      client,
      { type: "GET", about: "blob", id: this.id },
      this.write,
    );
  }

  async state(client: RelayClient) {
    return parseBlobState(
      ok(await client.ask(await this.stateCommand(client))),
    );
  }

  dropCommand(client: Greeted, signer = this.own): Promise<BlobCommand> {
    return signed(client, { type: "DROP", about: "blob", id: this.id }, signer);
  }
}

/** A prekey pool as its owner has it. */
export class PoolKeys {
  readonly id: Uint8Array;

  constructor(readonly takeKey: Signer, readonly own: Signer) {
    this.id = poolId(takeKey.publicKey, own.publicKey);
  }

  static async random(): Promise<PoolKeys> {
    return new PoolKeys(await randomSigner(), await randomSigner());
  }

  async makeCommand(
    client: Greeted,
    lastResort: Uint8Array,
    bundles: Uint8Array[],
  ): Promise<BlobCommand> {
    return await signed(client, {
      type: "PUT",
      about: "pool",
      takeKey: this.takeKey.publicKey,
      ownKey: this.own.publicKey,
      work: await payment(client, this.own.publicKey),
      lastResort,
      bundles,
    }, this.own);
  }

  async make(
    client: RelayClient,
    lastResort: Uint8Array,
    bundles: Uint8Array[],
  ) {
    return parsePutOk(
      ok(await client.ask(await this.makeCommand(client, lastResort, bundles))),
    );
  }

  fillCommand(
    client: Greeted,
    base: number,
    bundles: Uint8Array[],
    { discard = false, lastResort = new Uint8Array() }: Partial<
      Pick<FillPool, "discard" | "lastResort">
    > = {},
  ): Promise<BlobCommand> {
    return signed(client, {
      type: "PUT",
      about: "bundles",
      pool: this.id,
      base,
      discard,
      lastResort,
      bundles,
    }, this.own);
  }

  takeCommand(
    client: Greeted,
    id: Uint8Array = randomBytes(16),
    signer = this.takeKey,
  ): Promise<BlobCommand> {
    return signed(client, { type: "TAKE", pool: this.id, id }, signer);
  }

  async take(client: RelayClient, id?: Uint8Array) {
    return parseTakeOk(
      ok(await client.ask(await this.takeCommand(client, id))),
    );
  }

  stateCommand(client: Greeted, signer = this.own): Promise<BlobCommand> {
    return signed(client, { type: "GET", about: "pool", id: this.id }, signer);
  }

  async state(client: RelayClient) {
    return parsePoolState(
      ok(await client.ask(await this.stateCommand(client))),
    );
  }

  dropCommand(client: Greeted, signer = this.own): Promise<BlobCommand> {
    return signed(client, { type: "DROP", about: "pool", id: this.id }, signer);
  }
}
