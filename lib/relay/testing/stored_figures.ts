import assert from "node:assert/strict";
import { decodeStored } from "../records.ts";
import { diskBytes } from "../store.ts";

/** What the relay's figure says lies in the store, and what does. */
export async function storedFigures(kv: Deno.Kv): Promise<[number, number]> {
  let [said, found] = [0, 0];
  for await (const { key, value } of kv.list({ prefix: [] })) {
    assert.ok(value instanceof Uint8Array);
    if (key[0] === "stored") {
      for (const bytes of decodeStored(value).all.values()) said += bytes;
    } else if (!["key", "scratch", "format"].includes(String(key[0]))) {
      found += diskBytes(value.length);
    }
  }
  return [said, found];
}
