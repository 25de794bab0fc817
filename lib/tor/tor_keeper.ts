/** Keeps a Tor at our service: starts or finds it, begins again when it is lost, and says what is wrong. */
import { openTor, type TorSession, type TorSource } from "./tor_session.ts";

export interface TorKeeperOptions {
  readonly source: TorSource;
  /** Called with each Tor that is had; when it resolves all is well. Rejected with a ControlError, it begins again. */
  readonly use: (session: TorSession) => Promise<void>;
  /** One line for the host, about Tor and never about a client. */
  readonly log: (line: string) => void;
  /** Between tries, ms: after the first failure, and at most. */
  readonly pause?: { readonly first: number; readonly most: number };
}

/** How long a stop waits for a Tor that is just being started, ms. */
const STOP_MS = 500;

/** `starting`: no Tor yet, or not yet what is to be done with it. */
export type TorState = "starting" | "up" | "failing";

export class TorKeeper {
  readonly #options: TorKeeperOptions;
  readonly #stopping = Promise.withResolvers<void>();
  readonly #over: Promise<void>;
  #stopped = false;
  #state: TorState = "starting";
  #session: TorSession | undefined;
  #said = "";

  constructor(options: TorKeeperOptions) {
    this.#options = options;
    this.#over = this.#run();
  }

  get state(): TorState {
    return this.#state;
  }

  /** Tor, while there is one that takes commands. */
  get session(): TorSession | undefined {
    return this.#session;
  }

  /** Ends it, and a Tor of our own, within about a second; one that does not answer is not waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.resolve();
    await this.#session?.close();
    await Promise.race([this.#over, pause(STOP_MS).over]);
  }

  async #run(): Promise<void> {
    const { first, most } = this.#options.pause ??
      { first: 1_000, most: 60_000 };
    for (let rest = first; !this.#stopped; rest = Math.min(rest * 2, most)) {
      const reason = await this.#once(() => rest = first);
      if (this.#stopped) return;
      this.#state = "failing";
      this.#say(reason);
      await this.#rest(rest);
    }
  }

  /** One Tor, from its beginning to its end; why it ended. */
  async #once(well: () => void): Promise<string> {
    let session: TorSession | undefined;
    try {
      session = await openTor(this.#options.source);
      if (this.#stopped) return "";
      this.#session = session;
      const { ended } = session;
      const used = this.#options.use(session).then(() => {
        this.#state = "up";
        this.#said = "";
        well();
        return ended;
      });
      return await Promise.race([used, ended]);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#session = undefined;
      await session?.close();
    }
  }

  /** The same trouble is said once. */
  #say(reason: string): void {
    if (reason === this.#said) return;
    this.#said = reason;
    this.#options.log(
      `tor: ${reason}; the relay goes on without it, and tries again`,
    );
  }

  async #rest(ms: number): Promise<void> {
    const { over, end } = pause(ms);
    await Promise.race([over, this.#stopping.promise]);
    end();
  }
}

/** Resolves after so many ms; does not keep the process alive. */
function pause(ms: number): { over: Promise<void>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  Deno.unrefTimer(timer);
  return { over: promise, end: () => clearTimeout(timer) };
}
