import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Desk } from "./desk.ts";
import type { Connection } from "./link/mod.ts";
import { dayOf, hasOthers } from "./own_devices.ts";
import { presenceTable, SELF } from "./records.ts";

/** How often it is noted that this device is there, in ms. */
const NOTE_MS = 3_600_000;

/** When this device is there, and whether it was away for longer than its relay keeps what waits for it. */
export class Presence {
  readonly #desk: Pick<Desk, "ledger" | "clock" | "own">;
  readonly #missed: Signal<boolean> = signal(false);
  /** Something may have come and gone meanwhile; until the person has seen that. */
  readonly missed: ReadonlySignal<boolean> = this.#missed;

  constructor(desk: Pick<Desk, "ledger" | "clock" | "own">) {
    this.#desk = desk;
  }

  async load(): Promise<void> {
    const record = await this.#desk.ledger.reader.get(presenceTable, SELF);
    this.#missed.value = record?.missed ?? false;
  }

  connected(connection: Connection): void {
    const { clock, ledger, own } = this.#desk;
    ledger.post(async (entry) => {
      const record = await entry.get(presenceTable, SELF);
      // The relay's clock is what lets things go.
      const now = clock.now() + connection.skew;
      const away = record ? now - record.at : 0;
      if (record && away >= 0 && away < NOTE_MS) return;
      const { messageLifetime } = connection.hello.limits;
      const missed = record?.missed || away > messageLifetime * 1_000;
      entry.put(presenceTable, SELF, {
        at: now,
        ...missed ? { missed: true } : {},
      });
      entry.after(() => this.#missed.value = missed);
      // The others show on which day each was used last.
      const day = dayOf(clock.now());
      const state = own.in(entry);
      if (hasOthers(state) && state.devices.day < day) {
        await own.put(entry, { devices: { day } });
      }
    });
    clock.after(NOTE_MS, () => {
      if (!connection.lost) this.connected(connection);
    });
  }

  /** The person knows. */
  seen(): Promise<void> {
    return this.#desk.ledger.run(async (entry) => {
      const { at } = await entry.get(presenceTable, SELF) ?? { at: 0 };
      entry.put(presenceTable, SELF, { at });
      entry.after(() => this.#missed.value = false);
    });
  }
}
