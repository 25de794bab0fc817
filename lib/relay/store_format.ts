import { countStoredBytes } from "./count_stored_bytes.ts";
import type { Mutation, Store, StoreKey } from "./store.ts";

/**
 * The format of a store as a whole: which records there are, and where. The number lies in the store
 * and is the first thing that is read of it; a store without one is new, or of format 1.
 *
 * 1: queues, messages, rendezvous.
 * 2: this number, the stored bytes as a record, blobs and prekey pools.
 * 3: the journal, which holds what is not in its place yet.
 */
export const STORE_FORMAT = 3;

/** Where the number lies: u32, in every format there will ever be. */
export const FORMAT_KEY: StoreKey = ["format"];

/**
 * What makes a store of one format one of the next. It may commit as often as it needs, if it can begin
 * again after a crash between any two of those commits. What it returns is committed together with
 * the new number.
 */
export type Step = (
  store: Store,
  now: () => number,
) => Promise<readonly Mutation[]>;

/** By the format that a step starts from. */
const STEPS: ReadonlyMap<number, Step> = new Map<number, Step>([
  [1, async (store, now) => [await countStoredBytes(store, now)]],
  // A store without a journal is one whose journal is empty. Nothing is written under "scratch" any more.
  [2, () => Promise.resolve([{ key: ["scratch"] }])],
]);

/** The store is of a format that this version does not know. */
export class StoreFormatError extends Error {
  override readonly name = "StoreFormatError";

  /** `format` is undefined when the record of it is no number. */
  constructor(readonly format: number | undefined, known: number) {
    super(
      format === undefined
        ? "the format of the database can't be read"
        : `the database is of format ${format}, and this version knows formats up to ${known} only: it was last used by a newer one`,
    );
  }
}

/**
 * Brings a store to the newest format, step by step, and marks a new one as such. `log` hears of each step.
 * @throws {StoreFormatError} when it is newer than this version; it is left as it is.
 */
export async function openFormat(
  store: Store,
  now: () => number,
  log: (line: string) => void,
  newest: { format: number; steps: ReadonlyMap<number, Step> } = {
    format: STORE_FORMAT,
    steps: STEPS,
  },
): Promise<void> {
  const record = await store.get(FORMAT_KEY);
  let format = record !== undefined
    ? parseFormat(record)
    : await isEmpty(store)
    ? undefined
    : 1;
  if (format === undefined) {
    return await store.commit([formatRecord(newest.format)]);
  }
  if (format > newest.format) {
    throw new StoreFormatError(format, newest.format);
  }
  while (format < newest.format) {
    const step = newest.steps.get(format);
    if (step === undefined) throw new StoreFormatError(format, newest.format);
    log(`relay: bringing the database from format ${format} to ${format + 1}`);
    const last = await step(store, now);
    format++;
    await store.commit([...last, formatRecord(format)]);
  }
}

/**
 * The number in a record of the format.
 * @throws {StoreFormatError} when it is none.
 */
export function parseFormat(record: Uint8Array): number {
  const { buffer, byteOffset, byteLength } = record;
  const format = byteLength === 4
    ? new DataView(buffer, byteOffset).getUint32(0)
    : 0;
  if (format === 0) throw new StoreFormatError(undefined, STORE_FORMAT);
  return format;
}

function formatRecord(format: number): Mutation {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, format);
  return { key: FORMAT_KEY, value };
}

async function isEmpty(store: Store): Promise<boolean> {
  for await (const _ of store.scan([])) return false;
  return true;
}
