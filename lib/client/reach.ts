import { effect } from "@preact/signals-core";
import type { Desk } from "./desk.ts";
import type { Connection } from "./link/mod.ts";

/** How long somebody waits for a connection before it is said that there is none, ms. */
const PATIENCE_MS = 5_000;

/** The connection to the relay, for what a person asks for that needs one at once. */
export class Reach {
  readonly #desk: Pick<Desk, "clock" | "connection" | "reconnect">;
  readonly #waiting = new Set<(connection?: Connection) => void>();
  #connection: Connection | undefined;

  constructor(desk: Pick<Desk, "clock" | "connection" | "reconnect">) {
    this.#desk = desk;
  }

  /** The one there is now. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#answer(connection);
  }

  lost(): void {
    this.#connection = undefined;
  }

  /** Whoever waits is told that there is none. */
  giveUp(): void {
    this.#answer();
  }

  /**
   * The connection there is, or the one that comes within a few seconds: whoever presses a button while
   * the page is still connecting need not press it again. undefined when there is none, at once when that
   * is known: after one more try, unless the device has no network.
   */
  async soon(): Promise<Connection | undefined> {
    const { clock, connection, reconnect } = this.#desk;
    // Even with a connection that was not found out yet to be a dead one.
    if (connection().at === "offline") return undefined;
    if (this.#connection) return this.#connection;
    if (connection().at === "waiting") reconnect();
    const { promise, resolve } = Promise.withResolvers<
      Connection | undefined
    >();
    const cancel = clock.after(PATIENCE_MS, () => resolve(undefined));
    this.#waiting.add(resolve);
    const unwatch = effect(() => {
      const { at } = connection();
      if (at === "waiting" || at === "offline" || at === "refused") {
        resolve(undefined);
      }
    });
    const found = await promise;
    unwatch();
    this.#waiting.delete(resolve);
    cancel();
    return found;
  }

  #answer(connection?: Connection): void {
    for (const resolve of this.#waiting) resolve(connection);
  }
}
