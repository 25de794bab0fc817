import { textOf } from "./byte_text.ts";
import type { Mutation, StoreKey } from "./store.ts";

/** What an entry takes in memory besides its value, about. */
const ENTRY_BYTES = 300;

/** The last part of a key, as a Map can look it up. */
type Last = string | number;

/** What has changed of a store, in memory: of each key the last mutation. */
export class Overlay {
  /** By all parts of the key but the last, then by the last. */
  readonly #groups = new Map<string, Map<Last, Mutation>>();
  #bytes = 0;
  #size = 0;

  /** Memory that it takes, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keys in it. */
  get size(): number {
    return this.#size;
  }

  /** Notes a mutation. What was fresh and is deleted leaves nothing behind. */
  put(mutation: Mutation): void {
    const name = groupName(mutation.key, mutation.key.length - 1);
    const last = nameOf(mutation.key[mutation.key.length - 1]);
    let group = this.#groups.get(name);
    const before = group?.get(last);
    if (before !== undefined) {
      this.#size--;
      this.#bytes -= ENTRY_BYTES + (before.value?.length ?? 0);
    }
    if (mutation.value === undefined && before?.fresh) {
      group?.delete(last);
      if (group?.size === 0) this.#groups.delete(name);
      return;
    }
    if (group === undefined) this.#groups.set(name, group = new Map());
    const stale = mutation.fresh && before !== undefined;
    group.set(last, stale ? { ...mutation, fresh: false } : mutation);
    this.#size++;
    this.#bytes += ENTRY_BYTES + (mutation.value?.length ?? 0);
  }

  /** The last mutation of a key, or undefined when there is none. */
  get(key: StoreKey): Mutation | undefined {
    return this.#groups.get(groupName(key, key.length - 1))
      ?.get(nameOf(key[key.length - 1]));
  }

  /** Of all keys of one part more than `prefix`, which ends in a number that is not below `start`. */
  below(prefix: StoreKey, start: number): Map<number, Mutation> {
    const found = new Map<number, Mutation>();
    const group = this.#groups.get(groupName(prefix, prefix.length));
    for (const [last, mutation] of group ?? []) {
      if (typeof last === "number" && last >= start) found.set(last, mutation);
    }
    return found;
  }

  /** Everything in it, what lies side by side in the store side by side. */
  *inOrder(): Generator<Mutation> {
    for (const name of [...this.#groups.keys()].sort()) {
      const group = this.#groups.get(name);
      for (const [, mutation] of [...group ?? []].sort(byLast)) yield mutation;
    }
  }
}

function byLast([a]: [Last, Mutation], [b]: [Last, Mutation]): number {
  return a < b ? -1 : 1;
}

/** Bytes and strings are told apart, and no two keys have one name. */
function nameOf(part: StoreKey[number]): Last {
  if (typeof part === "number") return part;
  return typeof part === "string" ? `s${part}` : `b${textOf(part)}`;
}

function groupName(key: StoreKey, parts: number): string {
  let name = "";
  for (let i = 0; i < parts; i++) {
    const part = nameOf(key[i]);
    name += typeof part === "number" ? `n${part};` : `${part.length}${part}`;
  }
  return name;
}
