/**
 * A backup as one file: a line with the digest of all that follows, a line of JSON that says what it is,
 * and the database.
 */
import { createHash } from "node:crypto";
import {
  type OnionIdentity,
  parseOnionIdentity,
} from "./tor/onion_identity.ts";
import { UsageError } from "./usage_error.ts";

const MAGIC = "whisper backup 1 ";
const DIGEST_CHARACTERS = 64;
/** The first line, with its end. */
const HEADER = MAGIC.length + DIGEST_CHARACTERS + 1;
/** Room for the keys of some thousand people who are let in to an onion service. */
const MOST_MANIFEST = 1 << 18;
const CHUNK = 1 << 20;

export interface Manifest {
  /** Ed25519 public key of the relay, hexadecimal. */
  readonly relayKey: string;
  /** Format of the store. */
  readonly format: number;
  /** Bytes of the database. */
  readonly size: number;
  /** When it was made, ISO 8601. */
  readonly made: string;
  /** Of the onion service, if the relay is one. */
  readonly onion?: OnionIdentity;
}

/** Writes the database at `database` as a new backup file, for this user alone; on disk when it resolves. */
export async function writeBackup(
  file: string,
  manifest: Omit<Manifest, "size">,
  database: string,
): Promise<Manifest> {
  using from = await Deno.open(database);
  using to = await Deno.open(file, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  const whole = { ...manifest, size: (await from.stat()).size };
  const hash = createHash("sha256");
  const put = async (bytes: Uint8Array) => {
    hash.update(bytes);
    await writeAll(to, bytes);
  };
  // Room for the digest, which is known last.
  await writeAll(to, new Uint8Array(HEADER));
  await put(encode(`${JSON.stringify(whole)}\n`));
  for await (const chunk of chunks(from)) await put(chunk);
  await to.seek(0, Deno.SeekMode.Start);
  await writeAll(to, encode(`${MAGIC}${hash.digest("hex")}\n`));
  await to.sync();
  return whole;
}

/**
 * Reads a whole backup file and checks it against its digest; `writeTo` is given the database's bytes.
 * @throws {UsageError} when it can't be read, is none, or is damaged. Nothing is to be believed before it returns.
 */
export async function readBackup(
  file: string,
  writeTo: (bytes: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<Manifest> {
  using from = await open(file);
  const header = decode(await readUpTo(from, HEADER));
  const [, digest] = new RegExp(`^${MAGIC}([0-9a-f]{64})\n$`).exec(header) ??
    [];
  if (digest === undefined) {
    throw new UsageError(`The file ${file} is not a backup of a relay.`);
  }
  const hash = createHash("sha256");
  const start = await readUpTo(from, MOST_MANIFEST);
  hash.update(start);
  const end = start.indexOf(0x0a);
  const manifest = parseManifest(file, start.subarray(0, end));
  await writeTo(start.subarray(end + 1));
  for await (const chunk of chunks(from)) {
    hash.update(chunk);
    await writeTo(chunk);
  }
  if (hash.digest("hex") !== digest) {
    throw new UsageError(
      `The backup ${file} is damaged: it does not match its own digest.`,
    );
  }
  return manifest;
}

function parseManifest(file: string, line: Uint8Array): Manifest {
  try {
    const { relayKey, format, size, made, onion } = JSON.parse(decode(line));
    if (
      /^[0-9a-f]{64}$/.test(relayKey) && Number.isInteger(format) &&
      Number.isInteger(size) && typeof made === "string"
    ) {
      const manifest = { relayKey, format, size, made };
      if (onion === undefined) return manifest;
      const identity = parseOnionIdentity(onion);
      if (identity) return { ...manifest, onion: identity };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError(
    `The backup ${file} is damaged: it does not say what it is.`,
  );
}

async function open(file: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(file);
  } catch (error) {
    throw new UsageError(`The file ${file} can't be read.`, { cause: error });
  }
}

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function readUpTo(
  file: Deno.FsFile,
  length: number,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(buffer.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}

async function* chunks(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = await readUpTo(file, CHUNK);
    if (chunk.length > 0) yield chunk;
    if (chunk.length < CHUNK) return;
  }
}

export async function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}
