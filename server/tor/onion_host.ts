/** The relay as an onion service: published while Tor is there, and told to the host when people can reach it. */
import { renderUnicodeCompact } from "uqr";
import {
  progressOf,
  publish,
  TorKeeper,
  type TorSession,
  type TorState,
} from "../../lib/tor/mod.ts";
import type { OnionPlan } from "./onion_plan.ts";

export type OnionHostOptions = OnionPlan & {
  /** Loopback port that Tor hands connections to. */
  readonly port: number;
  readonly log: (line: string) => void;
};

/** Until the host is told that publishing takes long, ms. */
const LONG_MS = 60_000;

export class OnionHost {
  /** `http://….onion`, whether it can be reached or not. */
  readonly url: string;
  readonly #options: OnionHostOptions;
  readonly #keeper: TorKeeper;
  #told = false;

  constructor(options: OnionHostOptions) {
    this.#options = options;
    this.url = options.url;
    this.#keeper = new TorKeeper({
      source: options.source,
      use: (session) => this.#publish(session),
      log: options.log,
    });
  }

  /** `up` while people can reach it. */
  get state(): TorState {
    return this.#keeper.state;
  }

  /** Takes it down, within about a second. */
  async stop(): Promise<void> {
    await this.#keeper.stop();
  }

  async #publish(session: TorSession): Promise<void> {
    const { key, clients, port, log } = this.#options;
    const long = setTimeout(async () => {
      const progress = await progressOf(session.control).catch(() => undefined);
      if (progress === undefined) return;
      log(`tor: still on its way into the network (${progress})`);
    }, LONG_MS);
    Deno.unrefTimer(long);
    try {
      await publish(session.control, { key, clients, port });
    } finally {
      clearTimeout(long);
    }
    if (this.#told) return log("tor: the onion service can be reached again");
    this.#told = true;
    log(announcement(this.url, clients?.length));
  }
}

/** The address as text and as a code for a telephone's camera. */
function announcement(url: string, clients: number | undefined): string {
  const who = clients === undefined
    ? "everybody"
    : clients === 0
    ? "nobody"
    : clients === 1
    ? "one person, who has a key"
    : `${clients} people, who have keys`;
  return [
    `The onion service can be reached by ${who}: ${url}`,
    renderUnicodeCompact(url),
  ].join("\n");
}
