/** All that is known of the onion service before Tor runs. */
import type { OnionKey, TorSource } from "../../lib/tor/mod.ts";
import type { TorOptions } from "../command_line.ts";
import { openOnionKey, readOnionClients } from "./onion_directory.ts";
import { torSource } from "./tor_source.ts";

export interface OnionPlan {
  readonly source: TorSource;
  readonly key: OnionKey;
  /** `http://….onion` */
  readonly url: string;
  /** Public keys of those who are let in; undefined: everybody is. */
  readonly clients?: readonly string[];
}

/** @throws {UsageError} when a file can't be used. */
export async function planOnion(
  options: TorOptions,
  data: string,
): Promise<OnionPlan> {
  const key = await openOnionKey(data);
  return {
    source: await torSource(options, data),
    key,
    url: `http://${key.address}`,
    clients: (await readOnionClients(data))?.map(({ publicKey }) => publicKey),
  };
}
