import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { FEATURES } from "../wire/mod.ts";
import type { Desk } from "./desk.ts";
import type { Connection } from "./link/mod.ts";
import type { PasswordOutcome } from "./view.ts";

/** How this device stands with the relay it is connected to. */
export type Admittance =
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
  readonly #standing: Signal<Admittance> = signal<Admittance>("proving");
  #connection: Connection | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  get standing(): ReadonlySignal<Admittance> {
    return this.#standing;
  }

  /** Calls `known` as soon as it is known how we stand: at once when the relay is for everybody. */
  connected(connection: Connection, known: () => void): void {
    this.#connection = connection;
    const stand = (standing: Admittance) => {
      if (this.#connection !== connection) return;
      this.#standing.value = standing;
      known();
    };
    if ((connection.hello.features & FEATURES.access) === 0) {
      return stand("admitted");
    }
    const proven = proof().then(
      ({ proveKept }) => proveKept(this.#desk, connection),
      // Its code did not come: it can be entered, which asks for it again.
      () => "wanted" as const,
    );
    proven.then(stand, (error: unknown) => {
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
    const { proveNew } = await proof();
    const outcome = await proveNew(this.#desk, connection, password);
    if (outcome === "accepted") connection.drop();
    return outcome;
  }
}

const proof = () => import("./admission_proof.ts");
