import { concatBytes } from "@noble/hashes/utils.js";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import type { Connection } from "../link/mod.ts";
import type { PoolFiller, PoolFillerEvents } from "./on_demand.ts";
import { dropPool, poolTable } from "./pool_records.ts";

/** After the stock was looked after, and whatever waited has been read, ms. */
const QUIET_MS = 120_000;

/**
 * The pools of this device, once a connection has been quiet. What fills them is fetched then; where it
 * can't be had, the next connection does it.
 */
export class PoolUpkeep {
  readonly #desk: Desk;
  readonly #events: PoolFillerEvents;
  #filler: PoolFiller | undefined;
  #connection: Connection | undefined;
  /** The one that the filler has. */
  #filling: Connection | undefined;
  #cancel: (() => void) | undefined;

  constructor(desk: Desk, events: PoolFillerEvents) {
    this.#desk = desk;
    this.#events = events;
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.look();
  }

  lost(): void {
    this.#connection = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#filler?.lost();
  }

  /** Something may be to be filled: with whatever else there is by the time that it is looked. */
  look(): void {
    const connection = this.#connection;
    if (!connection || this.#cancel) return;
    this.#cancel = this.#desk.clock.after(QUIET_MS, () => {
      this.#cancel = undefined;
      import("./on_demand.ts").then(({ PoolFiller }) => {
        if (connection !== this.#connection) return;
        this.#filler ??= new PoolFiller(this.#desk, this.#events);
        // What the relay has refused on this connection is not asked for again.
        if (connection === this.#filling) this.#filler.look();
        else this.#filler.connected(connection);
        this.#filling = connection;
      }, () => {}); // it is said above what follows
    });
  }

  /** Where a contact finds the bundles that wait for them, if any do: as pool_way.ts reads it. */
  async wayFor(
    entry: Entry,
    accountId: string,
  ): Promise<Uint8Array | undefined> {
    const pool = await entry.get(poolTable, accountId);
    return pool?.version ? concatBytes(pool.id, pool.secret) : undefined;
  }

  /** Nobody is to take from the pool of this contact any more. */
  async part(entry: Entry, accountId: string): Promise<void> {
    await dropPool(entry, accountId);
    entry.after(() => this.look());
  }
}
