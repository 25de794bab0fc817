/** All that lies in a relay's database. */
import { Buffer } from "node:buffer";
import { join } from "node:path";

export interface StoreContents {
  /** The queues' names. */
  readonly queues: readonly Buffer[];
  /** Of each of them what the relay keeps of it. */
  readonly records: readonly Uint8Array[];
  /** Parts of keys, and values, one after another. */
  readonly bytes: Buffer;
}

/** Reads the database of a data directory that no relay has open, or of a copy. */
export async function storeContents(dataDir: string): Promise<StoreContents> {
  for await (const { name } of Deno.readDir(dataDir)) {
    if (!/\.sqlite3$/.test(name)) continue;
    const kv = await Deno.openKv(join(dataDir, name));
    const queues: Buffer[] = [];
    const records: Uint8Array[] = [];
    const parts: Uint8Array[] = [];
    for await (const { key, value } of kv.list({ prefix: [] })) {
      if (key[0] === "q" && key[1] instanceof Uint8Array) {
        queues.push(Buffer.from(key[1]));
        if (value instanceof Uint8Array) records.push(value);
      }
      for (const part of [...key, value]) {
        parts.push(
          part instanceof Uint8Array
            ? part
            : new TextEncoder().encode(`|${String(part)}|`),
        );
      }
    }
    kv.close();
    return { queues, records, bytes: Buffer.concat(parts) };
  }
  throw new Error("there is no database");
}
