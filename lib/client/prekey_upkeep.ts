import type { Desk } from "./desk.ts";

/** Time for what waits at the relay to arrive, once there is a connection, in ms. */
const ARRIVAL_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Looks after this device's prekeys while there is a connection: a minute after it has begun, and daily.
 * What that takes is fetched then; where it can't be had, the next time does it.
 */
export class PreKeyUpkeep {
  readonly #desk: Desk;
  #cancel: () => void = () => {};

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  connected(): void {
    this.#in(ARRIVAL_MS);
  }

  lost(): void {
    this.#cancel();
  }

  #in(ms: number): void {
    this.#cancel();
    this.#cancel = this.#desk.clock.after(ms, () => {
      this.#in(DAY_MS);
      import("./prekey_bundle.ts").then(
        ({ keepPreKeys }) =>
          this.#desk.ledger.post((entry) => keepPreKeys(entry, this.#desk)),
        () => {}, // it is said above what follows
      );
    });
  }
}
