/** Where something lies in the store: parts in order, as in Deno KV. */
export type StoreKey = readonly (string | number | Uint8Array)[];

/** One change; without a value the key is deleted. */
export type Mutation = {
  key: StoreKey;
  value?: Uint8Array;
  /** Milliseconds after which the store may forget the value: only to clean up, so the value also holds its expiry. */
  expireIn?: number;
  /** Nothing was ever written under this key: deleted soon, it need not get to its place. */
  fresh?: boolean;
};

/** A mutation that was taken back: what is written in its stead means nothing and takes as much. */
export type Elided = { elided: Mutation };

/** What the relay asks of a disk. */
export interface Store {
  get(key: StoreKey): Promise<Uint8Array | undefined>;
  /** Values whose keys are `prefix` and one part more, in order of that part, from `start` (inclusive) on. */
  list(
    prefix: StoreKey,
    options: { start?: number; limit: number },
  ): Promise<{ key: StoreKey; value: Uint8Array }[]>;
  /** Everything below `prefix`, in order of the keys: for what has to see all of it, once. */
  scan(prefix: StoreKey): AsyncIterable<{ key: StoreKey; value: Uint8Array }>;
  /** All or nothing, on disk when it resolves. At most `MAX_MUTATIONS` and `MAX_COMMIT_BYTES`. */
  commit(mutations: readonly Mutation[]): Promise<void>;
}

/** Below Deno KV's 1,000 mutations and 819,200 bytes per atomic operation. */
export const MAX_MUTATIONS = 900;
export const MAX_COMMIT_BYTES = 700_000;

/** What a mutation counts towards `MAX_COMMIT_BYTES`: more than its key takes, plus its value. */
export function mutationBytes(mutation: Mutation): number {
  return 96 + (mutation.value?.length ?? 0);
}

/**
 * About what a value of `size` bytes takes on disk, with its key, measured on Deno KV's SQLite file:
 * up to some 900 bytes lie in a page of 4,096 with others, of what is larger all but the beginning in
 * pages of its own. So a value of 1,000 bytes takes four times as much as one of 900.
 */
export function diskBytes(size: number): number {
  return size <= 900
    ? 256 + size + (size >> 3)
    : 768 + 4_096 * Math.ceil((size - 700) / 4_092);
}
