/** Tor at the relay's service: the onion is published while Tor is there, and the host told when people can reach it. */
import { renderUnicodeCompact } from "uqr";
import {
  DEFENDING,
  type HostAndPort,
  progressOf,
  publish,
  TorKeeper,
  type TorSession,
  type TorState,
} from "../../lib/tor/mod.ts";
import type { OnionPlan, TorPlan } from "./tor_plan.ts";

export interface TorHostOptions {
  readonly plan: TorPlan;
  /** Loopback port that Tor hands the onion's connections to. */
  readonly port?: number;
  readonly log: (line: string) => void;
  /** Until the host is told that publishing takes long, ms. */
  readonly long?: number;
}

const LONG_MS = 60_000;

export class TorHost {
  readonly #log: (line: string) => void;
  readonly #keeper: TorKeeper;
  readonly #long: number;
  #told = false;

  constructor(
    { plan: { source, onion }, port, log, long = LONG_MS }: TorHostOptions,
  ) {
    this.#log = log;
    this.#long = long;
    this.#keeper = new TorKeeper({
      source,
      use: async (session) => {
        if (onion && port) await this.#publish(session, onion, port);
      },
      log,
    });
  }

  /** `up` while Tor works and, where there is to be an onion service, people can reach it. */
  get state(): TorState {
    return this.#keeper.state;
  }

  /** Where connections through Tor begin, while there is one. */
  get socks(): HostAndPort | undefined {
    return this.#keeper.session?.socks;
  }

  /** Takes the service down, and ends a Tor of our own, within about a second. */
  async stop(): Promise<void> {
    await this.#keeper.stop();
  }

  async #publish(
    { control, version }: TorSession,
    { key, url, clients }: OnionPlan,
    port: number,
  ): Promise<void> {
    const long = setTimeout(async () => {
      const progress = await progressOf(control).catch(() => undefined);
      if (progress === undefined) return;
      this.#log(`tor: still on its way into the network (${progress})`);
    }, this.#long);
    Deno.unrefTimer(long);
    const service = { key, clients, port };
    const { defended } = await publish(control, service)
      .finally(() => clearTimeout(long));
    if (!defended) this.#warnOfFloods(version);
    this.#log(
      this.#told
        ? "tor: the onion service can be reached again"
        : announcement(url, clients?.length),
    );
    this.#told = true;
  }

  #warnOfFloods(version: string): void {
    if (this.#told) return;
    this.#log(
      `tor: ${version} can't be told to defend the onion service by proof of work, ${
        DEFENDING.join(".")
      } can; it is published without`,
    );
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
