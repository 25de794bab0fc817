import { equal } from "node:assert/strict";
import { TestClock } from "../testing/test_clock.ts";
import { AutoLock } from "./auto_lock.ts";

const MINUTE = 60_000;

function watched() {
  const clock = new TestClock();
  const seen = { locked: 0 };
  return { clock, seen, lock: new AutoLock(clock, () => seen.locked++) };
}

Deno.test("it locks when the time is up, once, and not before", () => {
  const { clock, seen, lock } = watched();
  lock.after(5);
  clock.advance(5 * MINUTE - 1);
  equal(seen.locked, 0);
  clock.advance(1);
  equal(seen.locked, 1);
  clock.advance(60 * MINUTE);
  equal(seen.locked, 1);
});

Deno.test("whoever uses the messenger puts it off", () => {
  const { clock, seen, lock } = watched();
  lock.after(5);
  for (let i = 0; i < 10; i++) {
    clock.advance(4 * MINUTE);
    lock.touched();
  }
  equal(seen.locked, 0);
  clock.advance(5 * MINUTE);
  equal(seen.locked, 1);
});

Deno.test("after a sleep in which no timer ran, the first touch locks instead of putting it off", () => {
  let now = 0;
  let locked = 0;
  const asleep = { now: () => now, after: () => () => {} };
  const lock = new AutoLock(asleep, () => locked++);
  lock.after(5);
  now = 3 * 60 * MINUTE;
  lock.touched();
  equal(locked, 1);
});

Deno.test("a clock that is set back puts it off by no more than what was chosen", () => {
  let now = 1_000 * MINUTE;
  let locked = 0;
  const waits: { ms: number; run: () => void }[] = [];
  const clock = {
    now: () => now,
    after: (ms: number, run: () => void) => {
      waits.push({ ms, run });
      return () => {};
    },
  };
  const lock = new AutoLock(clock, () => locked++);
  lock.after(5);
  now = 0;
  waits[0].run();
  equal(waits[1].ms, 5 * MINUTE);
  now += waits[1].ms;
  waits[1].run();
  equal(locked, 1, "and not until the clock has caught up");
});

Deno.test("it never locks when that was chosen, or once it was stopped", () => {
  const { clock, seen, lock } = watched();
  lock.after(0);
  clock.advance(100 * MINUTE);
  lock.after(5);
  lock.stop();
  clock.advance(100 * MINUTE);
  lock.touched();
  equal(seen.locked, 0);
});
