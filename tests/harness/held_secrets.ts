/** What a relay holds, and what of it is its own people's business alone: to look for it at another one. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { decodeQueue } from "../../lib/relay/records.ts";
import { DATABASE } from "../../server/data_directory.ts";
import { copyDatabase } from "../../server/database_file.ts";
import type { RelayProcess } from "./relay_process.ts";
import { type StoreContents, storeContents } from "./store_contents.ts";

/** Bytes to look for, by what they are. */
export type Needles = ReadonlyMap<string, Uint8Array>;

/** A copy of its database, and whatever else lies in its data directory, while it runs. */
export async function storeOf(
  { dataDir }: RelayProcess,
): Promise<StoreContents> {
  const copy = await Deno.makeTempDir({ prefix: "whisper-copy-" });
  try {
    await copyDatabase(join(dataDir, DATABASE), join(copy, DATABASE));
    const store = await storeContents(copy);
    const raw = await Array.fromAsync(
      filesIn(dataDir),
      (path) => Deno.readFile(path),
    );
    return { ...store, bytes: Buffer.concat([store.bytes, ...raw]) };
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* filesIn(path);
    if (entry.isFile) yield path;
  }
}

/** A queue by its name, and its public keys. */
export type QueueNames = Readonly<
  Record<"id" | "receiveKey" | "sendKey" | "removeKey", Uint8Array>
>;

/** The queues that lie in a database. */
export function queuesIn({ queues, records }: StoreContents): QueueNames[] {
  return queues.map((id, n) => ({ id, ...decodeQueue(records[n]) }));
}

/** The names of queues, which their relay has in its memory; and what else stands for them. */
export function queueSecrets(
  queues: readonly QueueNames[],
): { readonly names: Needles; readonly others: Needles } {
  const names = new Map<string, Uint8Array>();
  const others = new Map<string, Uint8Array>();
  for (const { id, receiveKey, sendKey, removeKey } of queues) {
    const hex = id.toHex();
    names.set(`queue ${hex}`, id);
    others.set(`queue in hexadecimal ${hex}`, Buffer.from(hex));
    others.set(`receive key of ${hex}`, receiveKey);
    others.set(`send key of ${hex}`, sendKey);
    others.set(`remove key of ${hex}`, removeKey);
  }
  return { names, others };
}

/** Texts, in the ways that a program holds them. */
export function written(texts: readonly string[]): Needles {
  return new Map(texts.flatMap((text) => [
    [text, Buffer.from(text)],
    [`${text} (Latin-1)`, Buffer.from(text, "latin1")],
    [`${text} (UTF-16)`, Buffer.from(text, "utf16le")],
  ]));
}

/** Which of them lie in its data directory, or stand in what it printed. */
export function keptOf(
  needles: Needles,
  { bytes }: StoreContents,
  relay: RelayProcess,
): string[] {
  const log = Buffer.from(relay.output());
  return [...needles].filter(([, needle]) =>
    bytes.includes(needle) || log.includes(needle)
  ).map(([name]) => name);
}
