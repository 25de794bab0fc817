import assert from "node:assert/strict";
import { BLOBS, CHUNKS, POOLS } from "../blob_records.ts";
import { decodeStored } from "../records.ts";
import { diskBytes } from "../store.ts";

/** What the relay's figure says lies in the store, in all and of that in blobs, and what does. */
export async function storedFigures(
  kv: Deno.Kv,
): Promise<[[number, number], [number, number]]> {
  const said: [number, number] = [0, 0];
  const found: [number, number] = [0, 0];
  for await (const { key, value } of kv.list({ prefix: [] })) {
    assert.ok(value instanceof Uint8Array);
    if (key[0] === "stored") {
      const { all, blobs } = decodeStored(value);
      for (const bytes of all.values()) said[0] += bytes;
      for (const bytes of blobs.values()) said[1] += bytes;
    } else if (!["key", "format", "j"].includes(String(key[0]))) {
      found[0] += diskBytes(value.length);
      if ([BLOBS, CHUNKS, POOLS].includes(String(key[0]))) {
        found[1] += diskBytes(value.length);
      }
    }
  }
  return [said, found];
}
