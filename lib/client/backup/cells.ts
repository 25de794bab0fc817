/**
 * What a backup holds: cells, each a value about the account, a contact or a queue, with the stamp of
 * who chose it when. Devices of one account write into the same backup; whatever they do in whatever
 * order, merging what they have gives all of them the same. A cell of a kind that this program does not
 * know is kept and merged like any other.
 */
import { bytesToHex } from "@noble/hashes/utils.js";

/** Kinds of cells. Numbers are never used again for something else. */
export const KINDS = {
  /** The subject was removed: what it had up to this stamp is gone. No value. */
  removed: 0,
  /** About the account; the subject is empty. */
  name: 1,
  deviceList: 2,
  deliveryReceipts: 3,
  readReceipts: 4,
  writeKey: 5,
  successions: 6,
  /** About a contact; the subject is the account id, 16 bytes. */
  person: 16,
  way: 17,
  ownName: 18,
  muted: 19,
  archived: 20,
  blocked: 21,
  identity: 22,
} as const;

/** What the device of this id says of itself is of the kind that is as much above this. The subject is empty. */
export const DEVICE_KIND = 128;

export const MAX_KIND = 255;

/** The later time wins; of equal times the higher device; of equal stamps the higher bytes. */
export interface Stamp {
  /** ms since the epoch; of a device list its version, of a write key its epoch, of successions how many. */
  readonly time: number;
  /** Device id; 0 for what no device chose. */
  readonly device: number;
}

export interface Cell {
  readonly kind: number;
  /** Whom or what it is about: 0 to 32 bytes. */
  readonly subject: Uint8Array;
  readonly stamp: Stamp;
  readonly value: Uint8Array;
}

/** The cells of a backup by `cellName`: one of each name, and none that its subject's removal took. */
export type Cells = ReadonlyMap<string, Cell>;

export const NO_CELLS: Cells = new Map();

export function cellName(
  { kind, subject }: { readonly kind: number; readonly subject: Uint8Array },
): string {
  return `${kind}/${bytesToHex(subject)}`;
}

/** The removal of a subject, if there was one. */
export function removalOf(
  cells: Cells,
  subject: Uint8Array,
): Cell | undefined {
  return cells.get(cellName({ kind: KINDS.removed, subject }));
}

/**
 * What both hold together. Commutative, associative and idempotent: so devices that merge in any order,
 * and as often as they like, agree.
 */
export function merge(one: Cells, other: Iterable<Cell>): Cells {
  const merged = new Map(one);
  for (const cell of other) {
    const name = cellName(cell);
    const before = merged.get(name);
    if (!before || compareCells(cell, before) > 0) merged.set(name, cell);
  }
  for (const [name, cell] of merged) {
    const removal = removalOf(merged, cell.subject);
    const gone = removal && cell.kind !== KINDS.removed &&
      compareStamps(cell.stamp, removal.stamp) <= 0;
    if (gone) merged.delete(name);
  }
  return merged;
}

/** Positive when `a` is the later one. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.time - b.time || a.device - b.device;
}

function compareCells(a: Cell, b: Cell): number {
  return compareStamps(a.stamp, b.stamp) || compareBytes(a.value, b.value);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

/** A cell of the account under a number that rises. */
export function counted(kind: number, time: number, value: Uint8Array): Cell {
  return {
    kind,
    subject: new Uint8Array(),
    stamp: { time, device: 0 },
    value,
  };
}
