import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import {
  accessMessage,
  ed25519PairOf,
  FEATURES,
  signEd25519,
} from "../wire/mod.ts";
import type { Desk } from "./desk.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import { withWork } from "./queues.ts";
import { relayTable, SELF } from "./records.ts";
import type { PasswordOutcome } from "./view.ts";

/** How this device stands with the relay it is connected to. */
export type Standing =
  /** Not known yet. */
  | "proving"
  /** The relay wants no password, or ours was right. */
  | "admitted"
  /** The relay is private, and we have no password. */
  | "wanted"
  /** The relay is private, and has another password than the one we have. */
  | "wrong";

/**
 * The password of a private relay: proven on every connection, kept in the vault as the seed that it
 * stands for at this relay alone. Reading and writing go without; making queues and codes does not.
 */
export class Admission {
  readonly #desk: Desk;
  readonly #standing: Signal<Standing> = signal<Standing>("proving");
  #connection: Connection | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  get standing(): ReadonlySignal<Standing> {
    return this.#standing;
  }

  /** Calls `known` as soon as it is known how we stand: at once when the relay is for everybody. */
  connected(connection: Connection, known: () => void): void {
    this.#connection = connection;
    const stand = (standing: Standing) => {
      if (this.#connection !== connection) return;
      this.#standing.value = standing;
      known();
    };
    if ((connection.hello.features & FEATURES.access) === 0) {
      return stand("admitted");
    }
    this.#proveKept(connection).then(stand, (error: unknown) => {
      if (this.#connection === connection) this.#desk.broken(error);
    });
  }

  lost(): void {
    this.#connection = undefined;
    this.#standing.value = "proving";
  }

  /**
   * Proves `password`, and keeps what it stands for when it is right; the next connection is
   * admitted then, and this one is ended. Takes about half a second.
   */
  async use(password: string): Promise<PasswordOutcome> {
    const connection = this.#connection;
    if (!connection) return "later";
    const { relayKey, url } = connection.hello;
    try {
      // Needed once, if ever: fetched only then.
      const { accessSeed } = await import("../wire/access_seed.ts");
      const seed = await accessSeed(password, relayKey);
      if (!await proves(connection, seed)) return "wrong";
      await this.#desk.ledger.run(async (entry) => {
        const known = await entry.get(relayTable, SELF) ??
          { url, key: relayKey };
        entry.put(relayTable, SELF, { ...known, access: seed });
      });
    } catch (error) {
      if (!isNoAnswer(error)) throw error;
      return "later";
    }
    connection.drop();
    return "accepted";
  }

  async #proveKept(connection: Connection): Promise<Standing> {
    const kept = await this.#desk.ledger.reader.get(relayTable, SELF);
    if (kept?.access === undefined) return "wanted";
    try {
      return await proves(connection, kept.access) ? "admitted" : "wrong";
    } catch (error) {
      if (!isNoAnswer(error)) throw error;
      // Too much is going on there to look at it, or it is gone: it can be entered again.
      return "wanted";
    }
  }
}

/** Whether the relay takes the pair of `seed` for its password's. Rejects as `withWork` does. */
async function proves(
  connection: Connection,
  seed: Uint8Array,
): Promise<boolean> {
  const { challenge, relayKey } = connection.hello;
  const pair = await ed25519PairOf(seed);
  const message = accessMessage(challenge, relayKey);
  const signature = await signEd25519(pair, message);
  try {
    await withWork(
      connection,
      "ACCESS",
      signature.slice(0, 32),
      (work) => connection.request({ type: "ACCESS", signature, work }),
    );
    return true;
  } catch (error) {
    const refused = error instanceof RelayError &&
      error.code === "unauthorised";
    if (!refused) throw error;
    return false;
  }
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof ConnectionLostError || error instanceof RelayError;
}
