/** All that is known of Tor and the onion service before Tor runs. */
import type { OnionKey, TorSource } from "../../lib/tor/mod.ts";
import type { TorOptions } from "../command_line.ts";
import { openOnionKey, readOnionClients } from "./onion_directory.ts";
import { torSource } from "./tor_source.ts";

export interface TorPlan {
  readonly source: TorSource;
  /** Undefined when Tor is for going out only. */
  readonly onion?: OnionPlan;
}

export interface OnionPlan {
  readonly key: OnionKey;
  /** `http://….onion` */
  readonly url: string;
  /** Public keys of those who are let in; undefined: everybody is. */
  readonly clients?: readonly string[];
}

/** @throws {UsageError} when a file can't be used. */
export async function planTor(
  options: TorOptions,
  data: string,
): Promise<TorPlan> {
  return {
    source: await torSource(options, data),
    onion: options.publish ? await planOnion(data) : undefined,
  };
}

async function planOnion(data: string): Promise<OnionPlan> {
  const key = await openOnionKey(data);
  const clients = await readOnionClients(data);
  return {
    key,
    url: `http://${key.address}`,
    clients: clients?.map(({ publicKey }) => publicKey),
  };
}
