import assert from "node:assert/strict";
import fc from "fast-check";
import { cellName, type Cells, compareStamps, KINDS, merge } from "./cells.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import { MalformedError } from "../keys/mod.ts";
import { anyCell, anyCells } from "./testing_cells.ts";

/** By the bytes they are written as: equal ones are the same to everybody. */
const same = (a: Cells, b: Cells) =>
  assert.deepEqual(encodeCells(a), encodeCells(b));
const both = (a: Cells, b: Cells) => merge(a, b.values());

Deno.test("merging is commutative, associative and idempotent", () => {
  fc.assert(
    fc.property(anyCells, anyCells, anyCells, (a, b, c) => {
      same(both(a, b), both(b, a));
      same(both(both(a, b), c), both(a, both(b, c)));
      same(both(a, a), a);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("cells merged one by one, in any order and repeatedly, come to the same", () => {
  fc.assert(
    fc.property(
      fc.array(anyCell, { maxLength: 12 }),
      fc.nat(),
      (cells, turn) => {
        const at = cells.length === 0 ? 0 : turn % cells.length;
        const turned = [...cells.slice(at), ...cells.slice(0, at)];
        const together = merge(new Map(), cells);
        let single: Cells = new Map();
        for (const cell of turned) single = merge(single, [cell]);
        for (const cell of cells.toReversed()) single = merge(single, [cell]);
        same(single, together);
      },
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("of two that choose at once nothing is lost but the earlier of the same field", () => {
  fc.assert(
    fc.property(anyCells, anyCells, (a, b) => {
      const merged = both(a, b);
      for (const cell of [...a.values(), ...b.values()]) {
        const kept = merged.get(cellName(cell));
        const removal = merged.get(
          cellName({ kind: KINDS.removed, subject: cell.subject }),
        );
        if (kept) assert.ok(compareStamps(kept.stamp, cell.stamp) >= 0);
        else {
          assert.ok(removal && compareStamps(removal.stamp, cell.stamp) >= 0);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("cells are written and read back, those of kinds not known too", () => {
  fc.assert(
    fc.property(anyCells, (cells) => {
      assert.deepEqual(
        [...parseCells(encodeCells(cells)).values()].sort(byName),
        [...cells.values()].sort(byName),
      );
    }),
  );
});

function byName(a: { kind: number; subject: Uint8Array }, b: typeof a) {
  return cellName(a) < cellName(b) ? -1 : 1;
}

Deno.test("bytes that are no cells are refused as such, and as nothing else", () => {
  fc.assert(
    fc.property(anyCells, fc.nat(), fc.integer({ min: 0, max: 255 }), (
      cells,
      at,
      byte,
    ) => {
      const bytes = encodeCells(cells);
      bytes[at % bytes.length] = byte;
      for (const input of [bytes, bytes.subarray(0, at % bytes.length)]) {
        try {
          parseCells(input);
        } catch (error) {
          assert.ok(error instanceof MalformedError, String(error));
        }
      }
    }),
    { numRuns: 1_000 },
  );
  assert.throws(() => parseCells(new Uint8Array()), MalformedError);
  assert.throws(() => parseCells(Uint8Array.of(8, 2)), MalformedError);
});
