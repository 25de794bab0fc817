/** From what a device has to the cells of its backup: what changed since the last time gets a stamp. */
import { equalBytes } from "@noble/ciphers/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type Cell,
  cellName,
  type Cells,
  DEVICE_KIND,
  KINDS,
  merge,
  NO_CELLS,
  removalOf,
  type Stamp,
} from "./cells.ts";

/** A value that this device has. */
export interface Held {
  readonly kind: number;
  readonly subject: Uint8Array;
  readonly value: Uint8Array;
  /** Who chose it when, where that is known. */
  readonly stamp?: Stamp;
}

/** By cell name, what this device had when it last looked: the first 16 bytes of a SHA-256, hex. */
export type Glimpse = ReadonlyMap<string, string>;

export interface Restated {
  readonly cells: Cells;
  readonly glimpse: Glimpse;
  /** Whether this device has anything that it did not have before. */
  readonly changed: boolean;
}

/**
 * Puts into `cells` what changed on this device since `before`. What another device wrote meanwhile
 * stays where this device changed nothing, for it was compared with its own past and not with theirs.
 * But what this device says of itself no other one says: that is put right whenever it differs.
 */
export function restate(
  cells: Cells,
  before: Glimpse,
  held: readonly Held[],
  { now, device }: { now: number; device: number },
): Restated {
  const glimpse = new Map(held.map((each) => [cellName(each), lookAt(each)]));
  const removed = goneFrom(before, glimpse, cells, { now, device });
  const again = new Set(removed.map(({ subject }) => bytesToHex(subject)));
  const withRemovals = merge(cells, removed);
  const fresh = held.filter((each) =>
    again.has(bytesToHex(each.subject)) ||
    glimpse.get(cellName(each)) !== before.get(cellName(each)) ||
    each.kind === DEVICE_KIND + device && !isIn(cells, each)
  );
  const stamped = fresh.map((each) =>
    stampedAfter(withRemovals, each, { now, device })
  );
  return {
    cells: merge(withRemovals, stamped),
    glimpse,
    changed: removed.length + fresh.length > 0,
  };
}

function isIn(cells: Cells, held: Held): boolean {
  const cell = cells.get(cellName(held));
  return cell !== undefined && equalBytes(cell.value, held.value);
}

function lookAt({ value, stamp }: Held): string {
  const seen = sha256.create().update(value);
  if (stamp) seen.update(new TextEncoder().encode(JSON.stringify(stamp)));
  return bytesToHex(seen.digest().subarray(0, 16));
}

/**
 * The removals of subjects of which something is not there any more. One that was removed and met
 * again since has lost what was decided about it before: that is a removal too.
 */
function goneFrom(
  before: Glimpse,
  now: Glimpse,
  cells: Cells,
  stamp: { now: number; device: number },
): Cell[] {
  const removed = new Map<string, Cell>();
  for (const name of before.keys()) {
    const cell = cells.get(name);
    if (now.has(name) || !cell || cell.subject.length === 0) continue;
    const subject = bytesToHex(cell.subject);
    if (removed.has(subject)) continue;
    const last = [...cells.values()]
      .filter((other) => bytesToHex(other.subject) === subject)
      .reduce((latest, { stamp }) => Math.max(latest, stamp.time), 0);
    removed.set(subject, {
      kind: KINDS.removed,
      subject: cell.subject,
      stamp: { time: Math.max(stamp.now, last + 1), device: stamp.device },
      value: new Uint8Array(),
    });
  }
  return [...removed.values()];
}

/** Its own stamp or this moment's, above what it replaces, whatever the clock says. */
function stampedAfter(
  cells: Cells,
  { kind, subject, value, stamp }: Held,
  { now, device }: { now: number; device: number },
): Cell {
  const removal = removalOf(cells, subject);
  // What bears a stamp was ordered where it was chosen; what bears none is chosen now.
  const before = stamp ? undefined : cells.get(cellName({ kind, subject }));
  const floor = Math.max(
    removal ? removal.stamp.time + 1 : 0,
    before ? before.stamp.time + 1 : 0,
  );
  return {
    kind,
    subject,
    value,
    stamp: {
      time: Math.max(stamp?.time ?? now, floor),
      device: stamp?.device ?? device,
    },
  };
}

/**
 * What a device has seen once it took over what others chose: where it has what the cells say, that is
 * no choice of its own. The rest counts as before.
 */
export function lookedAt(
  cells: Cells,
  before: Glimpse,
  held: readonly Held[],
): Glimpse {
  return new Map(held.flatMap((each): [string, string][] => {
    const name = cellName(each);
    const seen = isIn(cells, each) ? lookAt(each) : before.get(name);
    return seen === undefined ? [] : [[name, seen]];
  }));
}

/** The cells of what a device has when there was nothing before. */
export function stated(
  held: readonly Held[],
  stamp: { now: number; device: number },
): Restated {
  return restate(NO_CELLS, new Map(), held, stamp);
}
