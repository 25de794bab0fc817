import { chunkCount, chunkSize } from "../wire/mod.ts";
import { bitmapSize, chunkKey, type Contents } from "./blob_records.ts";
import { diskBytes, type Mutation } from "./store.ts";
import type { Kept } from "./stored_bytes.ts";

/** Contents of which no chunk is there yet. */
export function emptyContents(
  head: Omit<Contents, "there">,
): Contents {
  return { ...head, there: new Uint8Array(bitmapSize(head.bytes)) };
}

export function isThere({ there }: Contents, index: number): boolean {
  return (there[index >> 3] & (0x80 >> (index & 7))) !== 0;
}

/** The same contents with one more chunk, or one less, there. */
export function withChunk(
  contents: Contents,
  index: number,
  present: boolean,
): Contents {
  const there = contents.there.slice();
  if (present) there[index >> 3] |= 0x80 >> (index & 7);
  else there[index >> 3] &= ~(0x80 >> (index & 7));
  return { ...contents, there };
}

/** Indexes of the chunks that are there. */
export function presentChunks(contents: Contents): number[] {
  return Array.from({ length: chunkCount(contents.bytes) }, (_, i) => i)
    .filter((index) => isThere(contents, index));
}

export function isComplete(contents: Contents): boolean {
  return presentChunks(contents).length === chunkCount(contents.bytes);
}

/** What a chunk takes on disk. */
export function chunkDiskBytes({ bytes }: Contents, index: number): number {
  return diskBytes(chunkSize(bytes, index));
}

/** Deletes some of the chunks that are there, at most `most`. */
export function deletion(
  blob: Uint8Array,
  contents: Contents,
  most: number,
): { mutations: Mutation[]; kept: Kept[]; left: Contents | undefined } {
  const present = presentChunks(contents);
  const going = present.slice(0, most);
  let left: Contents | undefined = contents;
  for (const index of going) left = withChunk(left, index, false);
  if (going.length === present.length) left = undefined;
  return {
    mutations: going.map((index) => ({
      key: chunkKey(blob, contents.version, index),
    })),
    kept: going.map((index): Kept => ({
      bytes: -chunkDiskBytes(contents, index),
      expires: contents.expires,
      blob: true,
    })),
    left,
  };
}
