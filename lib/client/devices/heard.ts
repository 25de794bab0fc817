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

/** Who goes by an old list is answered no sooner than after this, in ms. */
const ANSWER_AGAIN_MS = 3_600_000;

/** Whether a device that goes by an old list may be told of the newer one again; `now`: ms since the epoch. */
export function mayAnswer(
  heard: HeardRecord | undefined,
  device: Device,
  now: number,
): boolean {
  const { answered = 0 } = toldBy(heard, device);
  // A clock that was put back is no reason to wait.
  return Math.abs(now - answered) >= ANSWER_AGAIN_MS;
}

/** Devices whose word is kept: far more than an account has at a time. */
const MAX_TOLD = 64;

/** With what the device told; those that have told nothing for the longest are forgotten. */
export function withTold(
  heard: HeardRecord | undefined,
  device: Device,
  told: Partial<Told>,
): HeardRecord {
  const name = nameOf(device);
  const { [name]: before = NOTHING, ...others } = heard?.devices ?? {};
  const kept = Object.entries(others).slice(1 - MAX_TOLD);
  return {
    ...heard,
    devices: { ...Object.fromEntries(kept), [name]: { ...before, ...told } },
  };
}

/** Devices that were removed are remembered for so many. */
const MAX_GONE = 32;

/** These are none of theirs any more. */
export function withGone(
  heard: HeardRecord | undefined,
  devices: readonly Device[],
): HeardRecord {
  const gone = new Set([...heard?.gone ?? [], ...devices.map(nameOf)]);
  return { devices: {}, ...heard, gone: [...gone].slice(-MAX_GONE) };
}

export function isGone(
  heard: HeardRecord | undefined,
  device: Device,
): boolean {
  return heard?.gone?.includes(nameOf(device)) ?? false;
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
