import type { Mutation, Store, StoreKey } from "./store.ts";

/** The store on Deno KV: an SQLite file, a KV Connect server or Deno Deploy's. */
export class KvStore implements Store {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  async get(key: StoreKey): Promise<Uint8Array | undefined> {
    const { value } = await this.#kv.get(key);
    return value === null ? undefined : bytes(value);
  }

  async list(
    prefix: StoreKey,
    { start, limit }: { start?: number; limit: number },
  ): Promise<{ key: StoreKey; value: Uint8Array }[]> {
    const selector: Deno.KvListSelector = start === undefined
      ? { prefix }
      : { prefix, start: [...prefix, start] };
    const found: { key: StoreKey; value: Uint8Array }[] = [];
    for await (
      const { key, value } of this.#kv.list(selector, {
        limit,
        batchSize: Math.min(limit, 500),
      })
    ) {
      // The relay writes keys of these parts only; Deno's type also allows bigint and boolean.
      found.push({ key: key as StoreKey, value: bytes(value) });
    }
    return found;
  }

  async *scan(
    prefix: StoreKey,
  ): AsyncGenerator<{ key: StoreKey; value: Uint8Array }> {
    for await (
      const { key, value } of this.#kv.list({ prefix }, { batchSize: 500 })
    ) {
      yield { key: key as StoreKey, value: bytes(value) };
    }
  }

  async commit(mutations: readonly Mutation[]): Promise<void> {
    const atomic = this.#kv.atomic();
    for (const { key, value, expireIn } of mutations) {
      if (value === undefined) atomic.delete(key);
      else atomic.set(key, value, { expireIn });
    }
    const { ok } = await atomic.commit();
    // Only a failed check answers "not ok", and there are none.
    if (!ok) throw new Error("the store refused a commit");
  }
}

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(
      "the store holds something that the relay did not write",
    );
  }
  return value;
}
