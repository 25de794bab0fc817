import type { Clock } from "./clock.ts";
import type { Connection } from "./link/mod.ts";

/** How long somebody waits for a connection before it is said that there is none, ms. */
const PATIENCE_MS = 5_000;

/** The connection to the relay, for what a person asks for that needs one at once. */
export class Reach {
  readonly #clock: Clock;
  readonly #waiting = new Set<(connection?: Connection) => void>();
  #connection: Connection | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
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
   * the page is still connecting need not press it again. undefined when there is none.
   */
  async soon(): Promise<Connection | undefined> {
    if (this.#connection) return this.#connection;
    const { promise, resolve } = Promise.withResolvers<
      Connection | undefined
    >();
    const cancel = this.#clock.after(PATIENCE_MS, () => resolve(undefined));
    this.#waiting.add(resolve);
    const connection = await promise;
    this.#waiting.delete(resolve);
    cancel();
    return connection;
  }

  #answer(connection?: Connection): void {
    for (const resolve of this.#waiting) resolve(connection);
  }
}
