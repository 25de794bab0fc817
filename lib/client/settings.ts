import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Entry, Ledger } from "./ledger.ts";
import { SELF, type SettingsRecord, settingsTable } from "./records.ts";

const DEFAULTS: SettingsRecord = { deliveryReceipts: true, readReceipts: true };

/** What a person has chosen. */
export class Settings {
  readonly #record: Signal<SettingsRecord> = signal(DEFAULTS);

  get record(): ReadonlySignal<SettingsRecord> {
    return this.#record;
  }

  async load(ledger: Ledger): Promise<void> {
    this.#record.value = await ledger.reader.get(settingsTable, SELF) ??
      DEFAULTS;
  }

  /** Resolves when the choice is on disk. */
  change(ledger: Ledger, change: Partial<SettingsRecord>): Promise<void> {
    return ledger.run(async (entry) => {
      const record = await entry.get(settingsTable, SELF) ?? DEFAULTS;
      const changed = { ...record, ...change };
      entry.put(settingsTable, SELF, changed);
      entry.after(() => this.#record.value = changed);
    });
  }

  /** What was chosen on another device. */
  take(entry: Entry, record: SettingsRecord): void {
    entry.put(settingsTable, SELF, record);
    entry.after(() => this.#record.value = record);
  }

  /** As if nothing had been chosen: another account may come. */
  forget(): void {
    this.#record.value = DEFAULTS;
  }
}
