import { equalBytes } from "@noble/ciphers/utils.js";
import type { Desk } from "./desk.ts";
import type { Connection } from "./link/mod.ts";
import type { Reached } from "./proofs.ts";
import type { RelayRecord } from "./records.ts";

/** The relay where one is to meet. */
export interface Where {
  readonly relayKey: Uint8Array;
  /** Its clock minus this device's, in ms. */
  readonly skew: number;
  /** Undefined when it is the own one. */
  readonly relay: RelayRecord | undefined;
  readonly reached: Reached;
}

/**
 * The relay at a URL, greeted by way of the own one; the own one where there is no URL, or when it is
 * that by another name. `whose`: the meeting that it is for. Rejects as `RemoteRelay.greet` does.
 */
export async function whereIs(
  { clock, forwarding }: Desk,
  connection: Connection,
  url: string | undefined,
  whose: string,
): Promise<Where> {
  const { relayKey } = connection.hello;
  const { skew } = connection;
  const own = { relayKey, skew, relay: undefined, reached: connection };
  if (url === undefined) return own;
  const place = { url, key: undefined };
  const remote = (await forwarding.remotes())
    .newMeeting(connection, place, whose);
  const there = await remote.greet();
  if (equalBytes(there.relayKey, relayKey)) return own;
  return {
    relayKey: there.relayKey,
    skew: there.time - clock.now(),
    relay: { url, key: there.relayKey },
    reached: remote,
  };
}
