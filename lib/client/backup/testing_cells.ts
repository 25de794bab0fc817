/** Cells for tests: few names, times and devices, so that they meet each other. */
import fc from "fast-check";
import { type Cell, type Cells, KINDS, merge, NO_CELLS } from "./cells.ts";

const SUBJECTS = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];

/** Objects as the program makes them. */
const PLAIN = { noNullPrototype: true };

const anyStamp = fc.record({
  time: fc.nat({ max: 4 }),
  device: fc.nat({ max: 2 }),
}, PLAIN);

const anyContactCell: fc.Arbitrary<Cell> = fc.record({
  // One kind that this program does not know.
  kind: fc.constantFrom(KINDS.person, KINDS.way, KINDS.muted, 200),
  subject: fc.constantFrom(...SUBJECTS),
  stamp: anyStamp,
  value: fc.uint8Array({ maxLength: 2, max: 3 }),
}, PLAIN);

const anyRemoval: fc.Arbitrary<Cell> = fc.record({
  kind: fc.constant(KINDS.removed),
  subject: fc.constantFrom(...SUBJECTS),
  stamp: anyStamp,
  value: fc.constant(new Uint8Array()),
}, PLAIN);

const anyOwnCell: fc.Arbitrary<Cell> = fc.record({
  kind: fc.constantFrom(KINDS.name, KINDS.deviceList),
  subject: fc.constant(new Uint8Array()),
  stamp: anyStamp,
  value: fc.uint8Array({ maxLength: 2, max: 3 }),
}, PLAIN);

export const anyCell = fc.oneof(
  { weight: 4, arbitrary: anyContactCell },
  anyRemoval,
  anyOwnCell,
);

export const anyCells: fc.Arbitrary<Cells> = fc.array(anyCell, {
  maxLength: 12,
}).map((cells) => merge(NO_CELLS, cells));
