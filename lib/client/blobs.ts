/** A blob at the relay, as the messenger uses it. docs/protocol.md § Blobs. */
import { randomBytes } from "@noble/hashes/utils.js";
import {
  chunkCount,
  type Ed25519Pair,
  MAX_CHUNK,
  parseChunkOk,
  parseGetChunkOk,
} from "../wire/mod.ts";
import { type Connection, RelayError } from "./link/mod.ts";
import { ask, type Reached } from "./proofs.ts";
import { withWork } from "./queues.ts";

/** Makes a blob for contents of at most `bytes` that live for `lifetime` seconds. The same again is fine. */
export async function makeBlob(
  connection: Connection,
  blob: {
    readonly readKey: Uint8Array;
    readonly own: Ed25519Pair;
    readonly writeKey: Uint8Array;
    readonly epoch: number;
    readonly bytes: number;
    readonly lifetime: number;
  },
): Promise<void> {
  const { readKey, own, writeKey, epoch, bytes, lifetime } = blob;
  await withWork(
    connection,
    "PUT",
    own.publicKey,
    (work) =>
      ask(connection, {
        type: "PUT",
        about: "blob",
        readKey,
        ownKey: own.publicKey,
        writeKey,
        epoch,
        bytes,
        lifetime,
        work,
      }, own),
  );
}

/** Whether this is the key that writes a blob, or there is none: no later epoch of it has begun. */
export async function mayWrite(
  relay: Reached,
  blob: Uint8Array,
  write: Ed25519Pair,
): Promise<boolean> {
  try {
    await ask(relay, { type: "GET", about: "blob", id: blob }, write);
    return true;
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    if (error.code === "unauthorised") return false;
    if (error.code === "no-such-blob") return true;
    throw error;
  }
}

/** Replaces version `base` of a blob's contents. Resolves with the new version. */
export async function writeBlob(
  connection: Connection,
  blob: Uint8Array,
  write: Ed25519Pair,
  base: number,
  contents: Uint8Array,
): Promise<number> {
  const draft = randomBytes(16);
  let version = base;
  for (let index = 0; index < chunkCount(contents.length); index++) {
    const chunk = contents.slice(index * MAX_CHUNK, (index + 1) * MAX_CHUNK);
    const body = await ask(connection, {
      type: "PUT",
      about: "chunk",
      blob,
      base,
      draft,
      bytes: contents.length,
      index,
      chunk,
    }, write);
    version = connection.read(() => parseChunkOk(body)).version;
  }
  return version;
}

/** Deletes a blob. */
export async function dropBlob(
  connection: Connection,
  blob: Uint8Array,
  own: Ed25519Pair,
): Promise<void> {
  await ask(connection, { type: "DROP", about: "blob", id: blob }, own);
}

/** What a blob holds; no contents when it was never written. */
export async function readBlob(
  relay: Reached,
  blob: Uint8Array,
  read: Ed25519Pair,
): Promise<{ version: number; contents: Uint8Array }> {
  const get = async (version: number, index: number) => {
    const body = await ask(
      relay,
      { type: "GET", about: "chunk", blob, version, index },
      read,
    );
    return relay.read(() => parseGetChunkOk(body));
  };
  const { version, bytes, chunk } = await get(0, 0);
  const chunks = [chunk];
  for (let index = 1; index < chunkCount(bytes); index++) {
    chunks.push((await get(version, index)).chunk);
  }
  return { version, contents: joined(chunks) };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(
    chunks.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
