import { equalBytes } from "@noble/ciphers/utils.js";
import { parsePreKeyStock } from "../../signal/mod.ts";
import { ed25519PairOf, parseNumberDetail } from "../../wire/mod.ts";
import { type Contact, isConnected } from "../contact.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import { Errand } from "../errand.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import { fillPool, makePool } from "../pools.ts";
import { drop } from "../proofs.ts";
import { preKeysTable, SELF } from "../records.ts";
import { isAt, isDue, prepare } from "./filling.ts";
import {
  droppedPoolsTable,
  type PoolFilling,
  type PoolRecord,
  poolTable,
} from "./pool_records.ts";
import { poolTakePair } from "./pool_way.ts";

/** Between two pools, ms: what many contacts take is spread out. */
const REST_MS = 3_000;

/** Of a filling that fails, on one connection. */
const MOST_TRIES = 6;

export interface PoolFillerEvents {
  /** The relay has a pool for a contact, who is to hear of it. */
  made(entry: Entry, contact: Contact): Promise<void>;
}

/**
 * Fills this device's pool for each contact, one after the other. What goes to the relay is on disk first,
 * and is the same again until the relay has said that it has it.
 */
export class PoolFiller {
  readonly #desk: Desk;
  readonly #events: PoolFillerEvents;
  readonly #errand: Errand;
  /** Contacts whose pool this relay does not take. */
  readonly #refused = new Set<string>();

  constructor(desk: Desk, events: PoolFillerEvents) {
    this.#desk = desk;
    this.#events = events;
    this.#errand = new Errand(
      desk,
      async (connection) => await this.#step(connection) ? REST_MS : undefined,
      { mostTries: MOST_TRIES },
    );
  }

  connected(connection: Connection): void {
    this.#refused.clear();
    this.#errand.connected(connection);
  }

  lost(): void {
    this.#errand.lost();
  }

  /** Something may be to be filled or deleted now. */
  look(): void {
    this.#errand.run();
  }

  /** Does one thing that is due. False when there was nothing. */
  async #step(connection: Connection): Promise<boolean> {
    if (connection.lost) return false;
    if (await this.#dropOne(connection)) return true;
    const { contacts, ledger } = this.#desk;
    const { reader } = ledger;
    const stored = await reader.get(preKeysTable, SELF);
    if (!stored) return false;
    const stock = parsePreKeyStock(stored.stock);
    for (const [accountId, contact] of contacts) {
      if (!isConnected(contact) || this.#refused.has(accountId)) continue;
      const pool = await reader.get(poolTable, accountId);
      if (!pool?.filling && !isDue(pool, stock, connection)) continue;
      if (!pool?.filling) await prepare(this.#desk, connection, accountId);
      await this.#send(connection, accountId);
      return true;
    }
    return false;
  }

  async #dropOne(connection: Connection): Promise<boolean> {
    const { ledger } = this.#desk;
    const dropped = await ledger.reader.get(droppedPoolsTable, SELF);
    const pool = dropped?.pools.find(({ relayKey }) =>
      isAt(connection, relayKey)
    );
    if (!pool) return false;
    await drop(connection, "pool", pool.id, await ed25519PairOf(pool.ownSeed));
    await ledger.run(async (entry) => {
      const now = await entry.get(droppedPoolsTable, SELF);
      const pools = now?.pools.filter(({ id }) => !equalBytes(id, pool.id)) ??
        [];
      if (pools.length > 0) entry.put(droppedPoolsTable, SELF, { pools });
      else entry.delete(droppedPoolsTable, SELF);
    });
    return true;
  }

  /** Has the relay take what is on disk for it. */
  async #send(connection: Connection, accountId: string): Promise<void> {
    const { ledger } = this.#desk;
    const pool = await ledger.reader.get(poolTable, accountId);
    const filling = pool?.filling;
    if (!pool || !filling || !isAt(connection, pool.relayKey)) return;
    const version = await this.#put(connection, accountId, pool, filling);
    if (version === undefined) return;
    await ledger.run(async (entry) => {
      const now = await entry.get(poolTable, accountId);
      if (!now?.filling || !equalBytes(now.id, pool.id)) return;
      const { filling: _, ...rest } = now;
      entry.put(poolTable, accountId, { ...rest, version });
      const contact = this.#desk.contactIn(entry, accountId);
      if (contact && filling.base === 0 && version > 0) {
        await this.#events.made(entry, contact);
      }
    });
  }

  /** The version that the pool has then, 0 when there is none; undefined for what this relay does not take. */
  async #put(
    connection: Connection,
    accountId: string,
    { id, ownSeed, secret }: PoolRecord,
    { base, discard, lastResort, bundles }: PoolFilling,
  ): Promise<number | undefined> {
    const own = await ed25519PairOf(ownSeed);
    try {
      if (base > 0) {
        const fresh = { base, discard, lastResort, bundles };
        return await fillPool(connection, id, own, fresh);
      }
      const takeKey = (await poolTakePair(secret)).publicKey;
      return await makePool(connection, { takeKey, own, lastResort, bundles });
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      switch (error.code) {
        case "conflict": {
          const { detail } = error;
          const version = connection.read(() => parseNumberDetail(detail));
          // Only this device fills it: the answer was lost. A relay that went back has to have it anew.
          return version === base + 1 ? version : 0;
        }
        case "no-such-blob":
          return 0;
        case "full":
        case "too-large":
        case "forbidden":
          this.#refused.add(accountId);
          return undefined;
        default:
          throw error;
      }
    }
  }
}
