import { type Signal, signal } from "@preact/signals-core";
import type { Desk } from "./desk.ts";
import type { Devices, DevicesEvents } from "./devices/devices.ts";
import type { Connection } from "./link/mod.ts";
import type { Outbox } from "./outbox.ts";
import { SELF, standingTable } from "./records.ts";
import type { Standing } from "./view.ts";

/** Devices, as `Devices` deals with them: fetched with the first connection, before anything is received. */
export class DevicesOnDemand {
  readonly #desk: Desk;
  readonly #outbox: Outbox;
  readonly #events: Omit<DevicesEvents, "standing">;
  readonly standing: Signal<Standing> = signal<Standing>("current");
  #devices: Devices | undefined;

  constructor(
    desk: Desk,
    outbox: Outbox,
    events: Omit<DevicesEvents, "standing">,
  ) {
    this.#desk = desk;
    this.#outbox = outbox;
    this.#events = events;
  }

  async load(): Promise<void> {
    const { reader } = this.#desk.ledger;
    const record = await reader.get(standingTable, SELF);
    if (record) this.standing.value = record.at;
  }

  /** What is there once `fetch` has resolved: nothing is received before. */
  get now(): Devices {
    if (!this.#devices) throw new Error("devices were not fetched");
    return this.#devices;
  }

  /** Rejects when the code can't be had: it comes from the server, like the connection. */
  async fetch(): Promise<void> {
    if (this.#devices) return;
    const { Devices } = await import("./devices/on_demand.ts");
    this.#devices ??= new Devices(this.#desk, this.#outbox, {
      ...this.#events,
      standing: (at) => this.standing.value = at,
    });
  }

  connected(connection: Connection): void {
    this.#devices?.connected(connection);
  }

  lost(): void {
    this.#devices?.lost();
  }

  look(): void {
    this.#devices?.look();
  }
}
