/** `OneTab` on the Web Locks API, which browsers and Deno have; the request to let go is broadcast. */
import type { OneTab } from "./one_tab.ts";

export interface WebTabOptions {
  /** The same name is the same account: tabs of one origin share it. */
  name?: string;
  /** How long a holder may take to let go before it is forced to, in ms. */
  patience?: number;
  /** How often it is asked meanwhile, in ms: the holder may change while several tabs ask. */
  askEvery?: number;
}

const LET_GO = "let go";

export class WebTab implements OneTab {
  readonly #name: string;
  readonly #patience: number;
  readonly #askEvery: number;
  #release: (() => Promise<void>) | undefined;

  constructor(
    { name = "whisper", patience = 5000, askEvery = 250 }: WebTabOptions = {},
  ) {
    this.#name = name;
    this.#patience = patience;
    this.#askEvery = askEvery;
  }

  hold(letGo: () => Promise<void>): Promise<boolean> {
    return this.#request({ ifAvailable: true }, letGo);
  }

  async takeOver(letGo: () => Promise<void>): Promise<void> {
    const channel = new BroadcastChannel(this.#name);
    const ask = () => channel.postMessage(LET_GO);
    const asking = setInterval(ask, this.#askEvery);
    const waiting = new AbortController();
    const patience = setTimeout(() => waiting.abort(), this.#patience);
    ask();
    try {
      await this.#request({ signal: waiting.signal }, letGo);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
      await this.#request({ steal: true }, letGo);
    } finally {
      clearInterval(asking);
      clearTimeout(patience);
      channel.close();
    }
  }

  async release(): Promise<void> {
    await this.#release?.();
  }

  /** Resolves once it is decided whether this tab holds; the hold itself lasts on. */
  #request(options: LockOptions, letGo: () => Promise<void>): Promise<boolean> {
    const decided = Promise.withResolvers<boolean>();
    const over = Promise.withResolvers<void>();
    let granted = false;
    let lettingGo: Promise<void> | undefined;
    const letGoOnce = () => lettingGo ??= letGo();

    const ended = navigator.locks.request(this.#name, options, async (lock) => {
      if (!lock) return decided.resolve(false);
      granted = true;
      const channel = new BroadcastChannel(this.#name);
      channel.onmessage = ({ data }) => {
        if (data === LET_GO) over.resolve(letGoOnce());
      };
      this.#release = async () => {
        over.resolve();
        // Only once the lock is free again can another `hold` succeed.
        await ended;
      };
      decided.resolve(true);
      await over.promise;
      channel.close();
      this.#release = undefined;
    }).catch((error: unknown) => {
      if (!granted) return decided.reject(error);
      if (!(error instanceof DOMException && error.name === "AbortError")) {
        throw error;
      }
      // Stolen, while the callback above still waits.
      over.resolve();
      return letGoOnce();
    });
    return decided.promise;
  }
}
