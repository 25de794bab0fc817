import type { Desk } from "./desk.ts";
import {
  backoff,
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";

/** ms until there is more of it to be done; undefined: all is done. */
export type Rest = number | undefined;

/**
 * Work at the relay that goes by what is on disk, so that it can be done again: on each connection,
 * whenever there is more to do, and after a while when the relay asks for patience. Work that gives a
 * rest is gone on with after that.
 */
export class Errand {
  readonly #desk: Pick<Desk, "clock" | "random" | "broken">;
  readonly #work: (connection: Connection) => Promise<Rest | void>;
  readonly #mostTries: number;
  #connection: Connection | undefined;
  #running = false;
  #again = false;
  #failures = 0;
  #cancelRetry: () => void = () => {};
  #stopped = false;

  /** @param mostTries of work that fails, one after the other, on one connection, before it waits to be asked for */
  constructor(
    desk: Pick<Desk, "clock" | "random" | "broken">,
    work: (connection: Connection) => Promise<Rest | void>,
    { mostTries = Infinity }: { mostTries?: number } = {},
  ) {
    this.#desk = desk;
    this.#work = work;
    this.#mostTries = mostTries;
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#failures = 0;
    this.run();
  }

  lost(): void {
    this.#connection = undefined;
    this.#cancelRetry();
  }

  stop(): void {
    this.#stopped = true;
    this.lost();
  }

  /** There is something to do. */
  run(): void {
    if (this.#running) this.#again = true;
    else if (this.#connection) this.#run(this.#connection);
  }

  #run(connection: Connection): void {
    this.#cancelRetry();
    this.#running = true;
    this.#again = false;
    this.#work(connection).then(
      (rest) => {
        this.#failures = 0;
        return rest ?? undefined;
      },
      (error: unknown) => {
        if (error instanceof RelayError) return this.#patience();
        // With a lost connection the next one does it.
        if (!(error instanceof ConnectionLostError || this.#stopped)) {
          this.#desk.broken(error);
        }
      },
    ).then((rest) => {
      this.#running = false;
      if (this.#connection !== connection) this.run();
      else if (rest !== undefined) this.#later(rest);
      else if (this.#again) this.run();
    });
  }

  /** How long the relay is left alone; undefined when it was asked often enough. */
  #patience(): Rest {
    return ++this.#failures < this.#mostTries
      ? backoff(this.#failures, this.#desk.random.fraction())
      : undefined;
  }

  #later(ms: number): void {
    this.#cancelRetry = this.#desk.clock.after(ms, () => this.run());
  }
}
