/** What the devices of a contact have told of their account. */
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Device } from "../keys/mod.ts";
import type { HeardRecord } from "../records.ts";

type Told = HeardRecord["devices"][string];

const NOTHING: Told = { announced: 0, backupVersion: 0 };

function nameOf({ identityKey }: Device): string {
  return bytesToHex(identityKey);
}

export function toldBy(
  heard: HeardRecord | undefined,
  device: Device,
): Told {
  return heard?.devices[nameOf(device)] ?? NOTHING;
}

export function withTold(
  heard: HeardRecord | undefined,
  device: Device,
  told: Partial<Told>,
): HeardRecord {
  const now = { ...toldBy(heard, device), ...told };
  return { devices: { ...heard?.devices, [nameOf(device)]: now } };
}

/** The highest version of their backup that a device of theirs has told, but for one that is asked itself. */
export function backupHeard(
  heard: HeardRecord | undefined,
  but?: Device,
): number {
  const versions = Object.entries(heard?.devices ?? {})
    .filter(([name]) => !but || name !== nameOf(but))
    .map(([, { backupVersion }]) => backupVersion);
  return Math.max(0, ...versions);
}
