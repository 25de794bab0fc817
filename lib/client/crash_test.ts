/**
 * The whole story (accounts, invite, words, receipts) with something going wrong at every single
 * moment there is, and at random ones.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { assertWhole, play, type Role } from "./testing/scenario.ts";
import { type Moment, type Person, World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

type Name = "Ada" | "Bob";
type Happening = (who: Name, person: Person, moment: Moment) => boolean;

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

async function withWorld(test: (world: World) => Promise<void>): Promise<void> {
  const world = await World.open();
  try {
    await test(world);
  } finally {
    await world.close();
  }
}

/**
 * Tells the story once for each moment of each person that counts, with `happen` at that moment:
 * as many as there are when nothing happens, in steps of `stride`.
 */
function atEveryMoment(
  counts: (moment: Moment) => boolean,
  happen: (person: Person) => boolean,
  stride = 1,
): Promise<void> {
  return withWorld(async (world) => {
    const moments = { Ada: 0, Bob: 0 };
    await tell(world, (who, _person, moment) => {
      if (counts(moment)) moments[who]++;
      return false;
    });
    for (const victim of ["Ada", "Bob"] as const) {
      assert.ok(moments[victim] > 20, JSON.stringify(moments));
      for (let chosen = 0; chosen < moments[victim]; chosen += stride) {
        let count = 0;
        try {
          await tell(
            world,
            (who, person, moment) =>
              who === victim && counts(moment) && count++ === chosen &&
              happen(person),
          );
        } catch (error) {
          throw new Error(`${victim}, moment ${chosen}`, { cause: error });
        }
      }
    }
  });
}

// To die after a commit is to die before the next frame or commit: nothing shows in between.
const everyMoment = (moment: Moment) =>
  SLOW || moment.at === "frame" || moment.when === "before";

Deno.test("a death at any commit and any frame loses nothing and doubles nothing", () =>
  atEveryMoment(everyMoment, () => true));

Deno.test("a connection that drops at any frame loses nothing and doubles nothing", () =>
  atEveryMoment(
    ({ at }) => at === "frame",
    (person) => {
      person.cut();
      return false;
    },
    SLOW ? 1 : 2,
  ));

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
