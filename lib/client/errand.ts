import type { Desk } from "./desk.ts";
import {
  backoff,
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";

/**
 * Work at the relay that goes by what is on disk, so that it can be done again: on each connection,
 * whenever there is more to do, and after a while when the relay asks for patience.
 */
export class Errand {
  readonly #desk: Desk;
  readonly #work: (connection: Connection) => Promise<void>;
  #connection: Connection | undefined;
  #running = false;
  #again = false;
  #failures = 0;
  #cancelRetry: () => void = () => {};
  #stopped = false;

  constructor(desk: Desk, work: (connection: Connection) => Promise<void>) {
    this.#desk = desk;
    this.#work = work;
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
      () => {
        this.#failures = 0;
      },
      (error: unknown) => {
        if (error instanceof RelayError) this.#later();
        // With a lost connection the next one does it.
        else if (!(error instanceof ConnectionLostError || this.#stopped)) {
          this.#desk.broken(error);
        }
      },
    ).finally(() => {
      this.#running = false;
      const missed = this.#connection !== connection;
      if (this.#again || missed) this.run();
    });
  }

  #later(): void {
    const { clock, random } = this.#desk;
    this.#cancelRetry = clock.after(
      backoff(++this.#failures, random.fraction()),
      () => this.run(),
    );
  }
}
