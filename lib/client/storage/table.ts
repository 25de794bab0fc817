/** Names a kind of record and how its values become bytes, so that reads and writes agree. */

export interface Codec<T> {
  encode(value: T): Uint8Array;
  /** Throws on bytes it did not write; the vault reports that as `DamagedError`. */
  decode(bytes: Uint8Array): T;
}

/** One record put (`value`) or removed (undefined). */
export interface VaultChange {
  readonly table: string;
  readonly id: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Ids are bytes or short strings (UTF-8), 0 to 255 bytes. */
export type RecordId = Uint8Array | string;

export interface Table<T> {
  readonly name: string;
  readonly codec: Codec<T>;
  put(id: RecordId, value: T): VaultChange;
  delete(id: RecordId): VaultChange;
}

/**
 * Declares a table. `name` is stored (encrypted) in every record: it is part of
 * the schema, 1 to 63 bytes.
 */
export function table<T>(name: string, codec: Codec<T>): Table<T> {
  return {
    name,
    codec,
    put: (id, value) => ({
      table: name,
      id: idBytes(id),
      value: codec.encode(value),
    }),
    delete: (id) => ({ table: name, id: idBytes(id), value: undefined }),
  };
}

export function idBytes(id: RecordId): Uint8Array {
  return typeof id === "string" ? new TextEncoder().encode(id) : id;
}
