import assert from "node:assert/strict";
import fc from "fast-check";
import { happenings } from "./testing/happenings.ts";
import { OurParty } from "./testing/our_party.ts";
import { holds } from "./testing/property.ts";
import { Schedule } from "./testing/schedule.ts";

Deno.test("three people: whatever is lost, reordered, repeated, altered or begun anew, what arrives is what was sent, once", async () => {
  const runs = 20;
  let sent = 0, arrived = 0, refused = 0, renewed = 0;
  await holds(
    fc.asyncProperty(happenings(1_000), async (events) => {
      const schedule = new Schedule(
        await Promise.all([1, 2, 3].map(() => OurParty.create())),
      );
      for (const event of events) await schedule.happen(event);
      await schedule.end();
      sent += schedule.counts.sent;
      arrived += schedule.counts.arrived;
      refused += schedule.counts.refused;
      renewed += schedule.counts.renewed;
    }),
    runs,
  );
  // The property has not held because nothing happened.
  assert(sent > 50 * runs && arrived > sent / 2, `${sent}, ${arrived}`);
  assert(refused > 10 * runs && renewed > 2 * runs, `${refused}, ${renewed}`);
});
