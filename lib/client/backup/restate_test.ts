import assert from "node:assert/strict";
import fc from "fast-check";
import { cellName, type Cells, DEVICE_KIND, KINDS, merge } from "./cells.ts";
import { encodeCells } from "./cell_codec.ts";
import {
  type Held,
  lookedAt,
  restate,
  type Restated,
  stated,
} from "./restate.ts";

const SUBJECT = new Uint8Array(16).fill(1);
const held = (
  kind: number,
  value: number,
  stamp?: Held["stamp"],
): Held => ({ kind, subject: SUBJECT, value: Uint8Array.of(value), stamp });
const at = (now: number, device = 1) => ({ now, device });
const valueOf = (cells: Cells, kind: number) =>
  cells.get(cellName({ kind, subject: SUBJECT }))?.value[0];

Deno.test("what did not change keeps its stamp, what did gets a later one, even by a clock that went back", () => {
  const first = stated([held(KINDS.person, 1), held(KINDS.way, 1)], at(100));
  assert.ok(first.changed);
  const again = restate(first.cells, first.glimpse, [
    held(KINDS.person, 1),
    held(KINDS.way, 1),
  ], at(200));
  assert.equal(again.changed, false);
  assert.deepEqual(encodeCells(again.cells), encodeCells(first.cells));
  const later = restate(again.cells, again.glimpse, [
    held(KINDS.person, 1),
    held(KINDS.way, 2),
  ], at(5));
  assert.ok(later.changed);
  const { stamp } = later.cells.get(`${KINDS.way}/${"01".repeat(16)}`)!; // it was just put
  assert.deepEqual(stamp, { time: 101, device: 1 });
  assert.equal(valueOf(merge(first.cells, later.cells.values()), KINDS.way), 2);
});

Deno.test("what another device wrote stays where this one changed nothing", () => {
  const mine = [held(KINDS.person, 1), held(KINDS.way, 1)];
  const first = stated(mine, at(100));
  const theirs = restate(first.cells, first.glimpse, [
    held(KINDS.person, 1),
    held(KINDS.way, 9),
  ], at(150, 2));
  const merged = merge(first.cells, theirs.cells.values());
  const again = restate(merged, first.glimpse, mine, at(200));
  assert.equal(again.changed, false);
  assert.equal(valueOf(again.cells, KINDS.way), 9);
});

Deno.test("what another device wrote of this one is written over, once, and what it wrote of itself stays", () => {
  const [mine, other] = [1, 2].map((id) => held(DEVICE_KIND + id, 1));
  const first = stated([mine, other], at(100));
  const theirs = restate(first.cells, new Map(), [
    held(DEVICE_KIND + 1, 9),
    held(DEVICE_KIND + 2, 9),
  ], at(150, 2));
  const merged = merge(first.cells, theirs.cells.values());
  assert.equal(valueOf(merged, DEVICE_KIND + 1), 9);
  const glimpse = lookedAt(merged, first.glimpse, [mine, other]);
  const again = restate(merged, glimpse, [mine, other], at(50));
  assert.ok(again.changed);
  assert.equal(valueOf(again.cells, DEVICE_KIND + 1), 1);
  assert.equal(valueOf(again.cells, DEVICE_KIND + 2), 9);
  const then = merge(merged, again.cells.values());
  assert.equal(valueOf(then, DEVICE_KIND + 1), 1);
  const more = restate(then, again.glimpse, [mine, other], at(200));
  assert.equal(more.changed, false);
});

Deno.test("who is gone is removed, and who is met again is there with what is known now only", () => {
  const all = [
    held(KINDS.person, 1),
    held(KINDS.way, 1),
    held(KINDS.muted, 1, {
      time: 120,
      device: 1,
    }),
  ];
  const first = stated(all, at(100));
  const gone = restate(first.cells, first.glimpse, [], at(110));
  assert.deepEqual([...gone.cells.values()].map(({ kind }) => kind), [
    KINDS.removed,
  ]);
  const anew = restate(gone.cells, gone.glimpse, all.slice(0, 2), at(50));
  assert.equal(valueOf(anew.cells, KINDS.person), 1);
  // Between two looks they can be removed and met again.
  const between = restate(first.cells, first.glimpse, all.slice(0, 2), at(110));
  for (const { cells } of [anew, between]) {
    const merged = merge(cells, first.cells.values());
    assert.equal(valueOf(merged, KINDS.person), 1);
    assert.equal(valueOf(merged, KINDS.way), 1);
    assert.equal(valueOf(merged, KINDS.muted), undefined);
  }
});

Deno.test("two devices that change and merge in any order agree, and the last choice of each field is kept", () => {
  const step = fc.record({
    device: fc.constantFrom(0, 1),
    field: fc.constantFrom(KINDS.person, KINDS.way, KINDS.ownName),
    value: fc.nat({ max: 5 }),
    merges: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const values = [0, 1].map(() =>
        new Map([KINDS.person, KINDS.way, KINDS.ownName].map((k) => [k, 0]))
      );
      const states: Restated[] = [];
      const look = (d: number, now: number) => {
        const all = [...values[d]].map(([kind, value]) => held(kind, value));
        const { cells, glimpse } = states[d];
        states[d] = restate(cells, glimpse, all, at(now, d + 1));
      };
      const begun = stated(
        [...values[0]].map(([kind, value]) => held(kind, value)),
        at(1),
      );
      states.push(begun, begun);
      const last = new Map<number, number>();
      for (const [i, { device, field, value, merges }] of steps.entries()) {
        if (values[device].get(field) !== value) last.set(field, value);
        values[device].set(field, value);
        look(device, 10 * i + 10);
        if (merges) {
          const cells = merge(states[0].cells, states[1].cells.values());
          for (const d of [0, 1]) states[d] = { ...states[d], cells };
        }
      }
      const one = merge(states[0].cells, states[1].cells.values());
      const other = merge(states[1].cells, states[0].cells.values());
      assert.deepEqual(encodeCells(one), encodeCells(other));
      for (const [field, value] of last) {
        assert.equal(valueOf(one, field), value);
      }
    }),
    { numRuns: 500 },
  );
});
