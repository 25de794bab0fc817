/**
 * The whole story (accounts, invite, words, receipts) with something going wrong at every single
 * moment there is, and at random ones.
 */
import fc from "fast-check";
import {
  atEveryMoment,
  DEATH,
  DROP,
  type Happening,
  type Name,
  SLOW,
} from "./testing/at_every_moment.ts";
import { withWorld } from "./testing/people.ts";
import { assertWhole, play, type Role } from "./testing/scenario.ts";
import type { World } from "./testing/world.ts";

/** One telling of the story. What `happening` returns true for is somebody's death. */
async function tell(world: World, happening: Happening): Promise<void> {
  const role = (name: Name, texts: string[]): Role => {
    const person = world.person();
    person.onMoment = (moment) => happening(name, person, moment);
    return { name, person, texts };
  };
  const ada = role("Ada", ["Hello Bob", "How are you?"]);
  const bob = role("Bob", ["Hello Ada"]);
  await play(world, ada, bob);
  await assertWhole(world, ada, bob);
}

Deno.test("a death at any commit and any frame loses nothing and doubles nothing", () =>
  atEveryMoment(tell, { ...DEATH, stride: 1 }));

Deno.test("a connection that drops at any frame loses nothing and doubles nothing", () =>
  atEveryMoment(tell, { ...DROP, stride: 2 }));

Deno.test("whatever goes wrong at random moments, nothing is lost and nothing doubled", () =>
  withWorld(async (world) => {
    const accident = fc.record({
      what: fc.constantFrom("death", "cut", "relay"),
      who: fc.constantFrom<Name>("Ada", "Bob"),
      after: fc.nat({ max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(accident, { maxLength: 8 }),
        async (accidents) => {
          const ahead = [...accidents];
          let since = 0;
          await tell(world, (who, person) => {
            const [next] = ahead;
            if (!next || who !== next.who || since++ < next.after) return false;
            since = 0;
            ahead.shift();
            if (next.what === "cut") person.cut();
            if (next.what === "relay") world.restartRelay();
            return next.what === "death";
          });
        },
      ),
      { numRuns: SLOW ? 400 : 25 },
    );
  }));
