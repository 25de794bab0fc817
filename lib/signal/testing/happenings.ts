import fc from "fast-check";
import { HAPPENINGS } from "./schedule.ts";

const WEIGHTS: Readonly<Record<typeof HAPPENINGS[number], number>> = {
  send: 45,
  deliver: 36,
  lose: 4,
  repeat: 6,
  alter: 7,
  renew: 1,
};

/** Up to `maxLength` happenings on any of several lines. What a case shrinks to is short and in order. */
export function happenings(maxLength: number) {
  // Lengths from short to long alike; biased, most cases would be short.
  return fc.noBias(fc.array(
    fc.record({
      what: fc.oneof(
        ...HAPPENINGS.map((what) => ({
          arbitrary: fc.constant(what),
          weight: WEIGHTS[what],
        })),
      ),
      line: fc.nat({ max: 5 }),
      choice: fc.nat({ max: 2 ** 20 }),
    }),
    { maxLength, size: "max" },
  ));
}
