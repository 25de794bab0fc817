import type { Elided, Mutation, StoreKey } from "./store.ts";

/**
 * A block of the journal: version u8, then mutations one after another, each
 *
 *     kind u8 ‖ parts u8 ‖ (tag u8 ‖ length u8 ‖ bytes)* ‖ expireIn u48 (0: never) ‖ length u32 ‖ value
 *
 * with kind SET, or DELETE, which ends after the parts, or SKIP in place of any of them: what follows
 * it are as many zeros.
 */
const VERSION = 1;
const SET = 1;
const DELETE = 2;
const SKIP = 3;

const STRING = 1;
const NUMBER = 2;
const BYTES = 3;

const TWO_32 = 0x1_0000_0000;

/** The most that a block takes: Deno KV's values end at 65,536 bytes. */
const BLOCK_BYTES = 60_000;

const text = new TextEncoder();

/** A block that this version of the relay did not write. */
export class BlockError extends Error {
  override readonly name = "BlockError";
}

/** Bytes that a mutation takes in a block. */
export function encodedBytes({ key, value }: Mutation): number {
  let bytes = 2;
  for (const part of key) bytes += 2 + partBytes(part);
  return value === undefined ? bytes : bytes + 10 + value.length;
}

function partBytes(part: StoreKey[number]): number {
  // The relay's own words are ASCII.
  return typeof part === "number" ? 8 : part.length;
}

/**
 * Changes in as few blocks as they need, in order. What was elided takes its place in zeros, so that
 * number and size of the blocks do not tell. Gives each mutation with its value where it lies in its block.
 */
export function encodeBlocks(
  changes: readonly (Mutation | Elided)[],
): { blocks: Uint8Array[]; mutations: Mutation[] } {
  const blocks: Uint8Array[] = [];
  const mutations: Mutation[] = [];
  for (let first = 0; first < changes.length;) {
    let size = 1;
    let next = first;
    while (next < changes.length) {
      const more = encodedBytes(mutationOf(changes[next]));
      if (next > first && size + more > BLOCK_BYTES) break;
      size += more;
      next++;
    }
    const block = new Uint8Array(size);
    const view = new DataView(block.buffer);
    block[0] = VERSION;
    for (let at = 1; first < next; first++) {
      const change = changes[first];
      if ("elided" in change) {
        block[at] = SKIP;
        const bytes = encodedBytes(change.elided);
        view.setUint16(at + 1, bytes);
        at += bytes;
      } else {
        at = write(block, view, at, change);
        mutations.push(
          change.value === undefined ? change : {
            ...change,
            value: block.subarray(at - change.value.length, at),
          },
        );
      }
    }
    blocks.push(block);
  }
  return { blocks, mutations };
}

function mutationOf(change: Mutation | Elided): Mutation {
  return "elided" in change ? change.elided : change;
}

/** Returns where the mutation ends. */
function write(
  block: Uint8Array,
  view: DataView,
  at: number,
  { key, value, expireIn = 0 }: Mutation,
): number {
  block[at++] = value === undefined ? DELETE : SET;
  block[at++] = key.length;
  for (const part of key) {
    block[at] = typeof part === "string"
      ? STRING
      : typeof part === "number"
      ? NUMBER
      : BYTES;
    const bytes = partBytes(part);
    block[at + 1] = bytes;
    at += 2;
    if (typeof part === "string") text.encodeInto(part, block.subarray(at));
    else if (typeof part === "number") view.setFloat64(at, part);
    else block.set(part, at);
    at += bytes;
  }
  if (value === undefined) return at;
  view.setUint16(at, Math.floor(expireIn / TWO_32));
  view.setUint32(at + 2, expireIn % TWO_32);
  view.setUint32(at + 6, value.length);
  block.set(value, at + 10);
  return at + 10 + value.length;
}

/**
 * The mutations of a block, whose values are views of it.
 * @throws {BlockError} when it is of another version, or damaged.
 */
export function decodeBlock(block: Uint8Array): Mutation[] {
  if (block[0] !== VERSION) throw new BlockError("a block of another version");
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const mutations: Mutation[] = [];
  try {
    for (let at = 1; at < block.length;) at = read(block, view, at, mutations);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BlockError("a block is damaged");
  }
  return mutations;
}

/** Returns where the next one begins. */
function read(
  block: Uint8Array,
  view: DataView,
  at: number,
  mutations: Mutation[],
): number {
  const kind = block[at];
  if (kind === SKIP) return at + Math.max(3, view.getUint16(at + 1));
  if (kind !== SET && kind !== DELETE) {
    throw new BlockError("a block is damaged");
  }
  const parts = view.getUint8(at + 1);
  at += 2;
  const key: StoreKey[number][] = [];
  for (let part = 0; part < parts; part++) {
    const tag = view.getUint8(at);
    const end = at + 2 + view.getUint8(at + 1);
    if (end > block.length) throw new BlockError("a block is damaged");
    key.push(
      tag === NUMBER
        ? view.getFloat64(at + 2)
        : tag === STRING
        ? new TextDecoder().decode(block.subarray(at + 2, end))
        : block.slice(at + 2, end),
    );
    at = end;
  }
  if (kind === DELETE) {
    mutations.push({ key });
    return at;
  }
  const expireIn = view.getUint16(at) * TWO_32 + view.getUint32(at + 2);
  const end = at + 10 + view.getUint32(at + 6);
  if (end > block.length) throw new BlockError("a block is damaged");
  mutations.push({
    key,
    value: block.subarray(at + 10, end),
    ...expireIn > 0 && { expireIn },
  });
  return end;
}
