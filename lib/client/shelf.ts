import { type Signal, signal } from "@preact/signals-core";
import type { Entry } from "./ledger.ts";
import { type DoorsRecord, doorsTable, SELF } from "./records.ts";
import type { Table, VaultReader } from "./storage/mod.ts";

/** No door was opened yet. */
const NONE: DoorsRecord = { given: [], requests: [], asked: [], kept: [] };

/** Records of one kind, few enough to be all in memory: as they are on disk after each commit. */
export class Shelf<T> {
  readonly all: Signal<ReadonlyMap<string, T>> = signal(new Map());
  readonly #table: Table<T>;
  readonly #kind: keyof DoorsRecord;

  constructor(table: Table<T>, kind: keyof DoorsRecord) {
    this.#table = table;
    this.#kind = kind;
  }

  async load(reader: VaultReader): Promise<void> {
    const ids = (await reader.get(doorsTable, SELF) ?? NONE)[this.#kind] ?? [];
    const records = await reader.getMany(this.#table, ids);
    this.all.value = new Map(
      ids.flatMap((id, i) => {
        const record = records[i];
        return record === undefined ? [] : [[id, record]];
      }),
    );
  }

  /** As it is in this step, which memory may not show yet. */
  get(entry: Entry, id: string): Promise<T | undefined> {
    return entry.get(this.#table, id);
  }

  /** All there are in this step. */
  async list(entry: Entry): Promise<[string, T][]> {
    const ids = await this.#ids(entry);
    const records = await entry.getMany(this.#table, ids);
    return ids.flatMap((id, i): [string, T][] => {
      const record = records[i];
      return record === undefined ? [] : [[id, record]];
    });
  }

  async put(entry: Entry, id: string, record: T): Promise<void> {
    const ids = await this.#ids(entry);
    if (!ids.includes(id)) await this.#index(entry, [...ids, id]);
    entry.put(this.#table, id, record);
    entry.after(() => {
      this.all.value = new Map([...this.all.peek(), [id, record]]);
    });
  }

  async remove(entry: Entry, id: string): Promise<void> {
    const ids = await this.#ids(entry);
    await this.#index(entry, ids.filter((other) => other !== id));
    entry.delete(this.#table, id);
    entry.after(() => {
      this.all.value = new Map(
        [...this.all.peek()].filter(([other]) => other !== id),
      );
    });
  }

  async #ids(entry: Entry): Promise<readonly string[]> {
    return (await entry.get(doorsTable, SELF) ?? NONE)[this.#kind] ?? [];
  }

  async #index(entry: Entry, ids: readonly string[]): Promise<void> {
    const doors = await entry.get(doorsTable, SELF) ?? NONE;
    entry.put(doorsTable, SELF, { ...doors, [this.#kind]: ids });
  }
}
