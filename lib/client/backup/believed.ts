/**
 * What is believed of a backup that another device wrote. Its keys are good for any bytes, and it may be
 * in somebody else's hands: what it writes must not keep it in the account, or keep others from writing.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { FAR_AHEAD_MS } from "../clock.ts";
import { DeviceListError, MalformedError } from "../keys/mod.ts";
import { parseCells } from "./cell_codec.ts";
import { type Cell, type Cells, KINDS, merge, NO_CELLS } from "./cells.ts";
import { type BackupContents, readContents } from "./contents.ts";

/** No device is away while the others write a million versions, or choose a million times. */
export const MOST_VERSIONS = 1_000_000;

/** No account writes so many; as many are left above it. */
export const FAR_VERSION = 0x4000_0000;

/** Beyond that, so that nobody leads on to the last one in strides. */
const FEW_VERSIONS = 100;

/** No clock that is right shows less: when this was written. */
const EARLIEST = Date.UTC(2026, 0);

/** The stamps of these are no times, and are looked at with what they stamp. */
const COUNTED: ReadonlySet<number> = new Set([
  KINDS.deviceList,
  KINDS.writeKey,
  KINDS.successions,
]);

/** What somebody has who reads a backup. */
export type Reader =
  /** Which seed writes in this epoch. */
  | { readonly writeSeed: Uint8Array }
  /** Nothing but the access key, and the time: ms since the epoch. */
  | { readonly now: number };

/**
 * The cells of a backup of this epoch, and what they say of the account of this key (33 bytes). For who has
 * nothing to compare them with, times of too far ahead are brought near.
 * @throws {MalformedError} for what no honest device writes
 */
export async function believedCells(
  bytes: Uint8Array,
  accountKey: Uint8Array,
  epoch: number,
  reader: Reader,
): Promise<{ cells: Cells; contents: BackupContents }> {
  const parsed = parseCells(bytes);
  const cells = "now" in reader ? broughtNear(parsed, reader.now) : parsed;
  try {
    const contents = await readContents(cells, accountKey);
    const { writeKey } = contents.account;
    // One of a later epoch would stay when that begins, and with it who knows it.
    const right = writeKey.epoch === epoch &&
      ("now" in reader || equalBytes(writeKey.seed, reader.writeSeed));
    if (!right) throw new MalformedError("write key");
    return { cells, contents };
  } catch (error) {
    if (error instanceof DeviceListError) throw new MalformedError("list");
    throw error;
  }
}

/**
 * Whether a backup of this version can follow what this device has: nothing in it is of a time after
 * which nobody could choose anything any more, and it leaves room for versions.
 * @param now ms since the epoch; a clock that is far behind counts as far as what this device has
 */
export function follows(
  theirs: { readonly version: number; readonly cells: Cells },
  own: { readonly version: number; readonly cells: Cells },
  now: number,
): boolean {
  const last = lastTime(own.cells);
  const far = now < EARLIEST
    ? last + FAR_AHEAD_MS
    // Not ten years more each time: that would lead on to the end of time.
    : Math.max(now + FAR_AHEAD_MS, last + MOST_VERSIONS);
  const more = theirs.version > FAR_VERSION ? FEW_VERSIONS : MOST_VERSIONS;
  return lastTime(theirs.cells) <= far &&
    theirs.version <= own.version + more;
}

function lastTime(cells: Cells): number {
  return timed(cells).reduce(
    (last, { stamp }) => Math.max(last, stamp.time),
    0,
  );
}

function timed(cells: Cells): Cell[] {
  return [...cells.values()].filter(({ kind }) => !COUNTED.has(kind));
}

/**
 * The cells, those of more than ten years ahead as if they had been chosen now, one after another as they were:
 * nobody could choose anything after the last time there is.
 */
function broughtNear(cells: Cells, now: number): Cells {
  const far = timed(cells).filter(({ stamp }) =>
    stamp.time > now + FAR_AHEAD_MS
  );
  const times = [...new Set(far.map(({ stamp }) => stamp.time))]
    .sort((a, b) => a - b);
  const near = new Map(times.map((time, i) => [time, now + i]));
  return merge(
    NO_CELLS,
    [...cells.values()].map((cell) => {
      const { kind, stamp } = cell;
      const time = COUNTED.has(kind) ? undefined : near.get(stamp.time);
      return time === undefined ? cell : { ...cell, stamp: { ...stamp, time } };
    }),
  );
}
