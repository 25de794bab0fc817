import {
  StorageFullError,
  type Vault,
  type VaultChange,
  VaultClosedError,
  type VaultReader,
  type VaultTransaction,
  type VaultWriter,
} from "./storage/mod.ts";
import type { RecordId, Table } from "./storage/mod.ts";

/** What becomes of a write that the disk did not take. */
export interface LedgerEvents {
  /** The disk is full. The work is done again, from its beginning, when the promise resolves. */
  full(): Promise<void>;
  /** Nothing can be written any more, for the reason given; `run` rejects from here on. */
  broken(cause: unknown): void;
}

/** One step of the messenger: reads, changes that are committed together, and what follows the commit. */
export class Entry implements VaultWriter {
  readonly #transaction: VaultTransaction;
  readonly #effects: (() => void)[] = [];
  /** Names of the tables that it writes to. */
  readonly touched = new Set<string>();

  constructor(transaction: VaultTransaction) {
    this.#transaction = transaction;
  }

  /** Whether a read failed: then what followed from it says nothing about what was to be read. */
  readFailed = false;

  async get<T>(table: Table<T>, id: RecordId): Promise<T | undefined> {
    return (await this.getMany(table, [id]))[0];
  }

  async getMany<T>(
    table: Table<T>,
    ids: readonly RecordId[],
  ): Promise<(T | undefined)[]> {
    try {
      return await this.#transaction.getMany(table, ids);
    } catch (error) {
      this.readFailed = true;
      throw error;
    }
  }

  put<T>(table: Table<T>, id: RecordId, value: T): void {
    this.apply([table.put(id, value)]);
  }

  delete<T>(table: Table<T>, id: RecordId): void {
    this.apply([table.delete(id)]);
  }

  apply(changes: readonly VaultChange[]): void {
    for (const { table } of changes) this.touched.add(table);
    this.#transaction.apply(changes);
  }

  /** Calls `effect` once everything is on disk: what others see must never run ahead of it. */
  after(effect: () => void): void {
    this.#effects.push(effect);
  }

  /** For the ledger. */
  committed(): void {
    for (const effect of this.#effects) effect();
  }
}

/**
 * The one place where the messenger's state changes. Steps run one after the other, each ends in
 * one commit, and what it shows or sends waits for that commit. Work must change nothing but its
 * entry: it is run again after the disk was full.
 */
export class Ledger {
  readonly #vault: Vault;
  readonly #events: LedgerEvents;
  #tail: Promise<unknown> = Promise.resolve();
  #broken: { cause: unknown } | undefined;
  readonly #watchers: ((tables: ReadonlySet<string>) => void)[] = [];

  constructor(vault: Vault, events: LedgerEvents) {
    this.#vault = vault;
    this.#events = events;
  }

  /** For reads outside of a step. */
  get reader(): VaultReader {
    return this.#vault;
  }

  /** Tells `watcher` after each commit which tables it wrote to. */
  watch(watcher: (tables: ReadonlySet<string>) => void): void {
    this.#watchers.push(watcher);
  }

  run<T>(work: (entry: Entry) => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(() => this.#step(work));
    // The failure is told to the caller through `result`; the next step runs all the same.
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Resolves when every step handed in so far has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }

  /** Refuses everything from here on, also what waits for room on the disk. */
  close(): void {
    this.#broken ??= { cause: new VaultClosedError() };
  }

  /** As `run`, for work nobody waits for: its failure is a fault of the program, and breaks the ledger. */
  post(work: (entry: Entry) => Promise<void> | void): void {
    this.run(work).catch((error: unknown) => this.#break(error));
  }

  async #step<T>(work: (entry: Entry) => Promise<T> | T): Promise<T> {
    while (true) {
      if (this.#broken) throw this.#broken.cause;
      const attempt = await this.#attempt(work);
      if (attempt !== "full") {
        attempt.entry.committed();
        for (const watcher of this.#watchers) watcher(attempt.entry.touched);
        return attempt.result;
      }
      await this.#events.full();
    }
  }

  async #attempt<T>(
    work: (entry: Entry) => Promise<T> | T,
  ): Promise<{ entry: Entry; result: T } | "full"> {
    let entry: Entry | undefined;
    let worked = false;
    try {
      return await this.#vault.transact(async (t) => {
        entry = new Entry(t);
        const result = await work(entry);
        worked = true;
        return { entry, result };
      });
    } catch (error) {
      if (error instanceof StorageFullError) return "full";
      // What the work itself threw is its caller's; what the disk threw is everybody's.
      if (worked || entry === undefined || entry.readFailed) this.#break(error);
      throw error;
    }
  }

  #break(cause: unknown): void {
    if (this.#broken) return;
    this.#broken = { cause };
    this.#events.broken(cause);
  }
}
