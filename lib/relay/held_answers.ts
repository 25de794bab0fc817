import type { Outlet } from "./handle.ts";
import type { Asker, SessionContext } from "./visit.ts";

/**
 * Answers that wait until their connection has room. What was asked of several, or of another relay, may be
 * answered all at once and with much: nobody is to be taken for one who does not read.
 */
export class HeldAnswers {
  readonly #context: Pick<SessionContext, "waiting" | "limits">;
  readonly #connection: Pick<Asker, "open">;
  readonly #outlet: Pick<Outlet, "room" | "roomAgain">;
  #bytes = 0;

  constructor(
    context: Pick<SessionContext, "waiting" | "limits">,
    connection: Pick<Asker, "open">,
    outlet: Pick<Outlet, "room" | "roomAgain">,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#outlet = outlet;
  }

  /** Calls `say` when there is room for the answer, of so many bytes, or `lose` when it can't be held until then. */
  async give(
    bytes: number,
    say: () => void,
    lose: () => void,
  ): Promise<void> {
    if (this.#outlet.room) return say();
    const { waiting, limits } = this.#context;
    // Whoever has nothing waiting is not to suffer from those who have much.
    const crowded = waiting.bytes + bytes > limits.waitingBytesInAll;
    if (this.#bytes > 0 && crowded) return lose();
    this.#bytes += bytes;
    waiting.bytes += bytes;
    while (this.#connection.open && !this.#outlet.room) {
      await this.#outlet.roomAgain();
    }
    this.#bytes -= bytes;
    waiting.bytes -= bytes;
    say();
  }
}
