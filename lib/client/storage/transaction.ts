import { bytesToHex } from "@noble/hashes/utils.js";
import { VaultClosedError } from "./errors.ts";
import {
  idBytes,
  type RecordId,
  type Table,
  type VaultChange,
} from "./table.ts";

/** What can be read from: a `Vault`, or a transaction on it. */
export interface VaultReader {
  get<T>(table: Table<T>, id: RecordId): Promise<T | undefined>;
  getMany<T>(
    table: Table<T>,
    ids: readonly RecordId[],
  ): Promise<(T | undefined)[]>;
}

/** What can be written to as well, as one commit: a transaction, or what wraps one. */
export interface VaultWriter extends VaultReader {
  put<T>(table: Table<T>, id: RecordId, value: T): void;
  delete<T>(table: Table<T>, id: RecordId): void;
}

/**
 * Reads and writes that become one commit. What was put is what later reads of
 * the same transaction see, so that several steps on one record add up.
 */
export class VaultTransaction implements VaultWriter {
  readonly #vault: VaultReader;
  readonly #changes = new Map<string, VaultChange>();
  #ended = false;

  constructor(vault: VaultReader) {
    this.#vault = vault;
  }

  async get<T>(table: Table<T>, id: RecordId): Promise<T | undefined> {
    return (await this.getMany(table, [id]))[0];
  }

  async getMany<T>(
    table: Table<T>,
    ids: readonly RecordId[],
  ): Promise<(T | undefined)[]> {
    this.#assertRunning();
    const untouched = ids.filter((id) =>
      !this.#changes.has(place(table.name, idBytes(id)))
    );
    const read = untouched.length > 0
      ? await this.#vault.getMany(table, untouched)
      : [];
    let next = 0;
    return ids.map((id) => {
      // Looked up again after the await: a put made meanwhile by a concurrent step counts too.
      const change = this.#changes.get(place(table.name, idBytes(id)));
      const stored = untouched[next] === id ? read[next++] : undefined;
      if (!change) return stored;
      return change.value && table.codec.decode(change.value);
    });
  }

  put<T>(table: Table<T>, id: RecordId, value: T): void {
    this.apply([table.put(id, value)]);
  }

  delete<T>(table: Table<T>, id: RecordId): void {
    this.apply([table.delete(id)]);
  }

  apply(changes: readonly VaultChange[]): void {
    this.#assertRunning();
    for (const change of changes) {
      this.#changes.set(place(change.table, change.id), change);
    }
  }

  /** Ends the transaction. For the vault. */
  end(): VaultChange[] {
    this.#ended = true;
    return [...this.#changes.values()];
  }

  #assertRunning(): void {
    if (this.#ended) throw new VaultClosedError();
  }
}

function place(table: string, id: Uint8Array): string {
  return `${table}/${bytesToHex(id)}`;
}
