import assert from "node:assert/strict";
import { assertWhole, play, type Role } from "./testing/scenario.ts";
import { type Moment, type Person, World } from "./testing/world.ts";

/** One telling of the story in which something happens at one moment of one person. */
async function tell(
  world: World,
  happening: (who: "Ada" | "Bob", person: Person, moment: Moment) => boolean,
): Promise<void> {
  const role = (name: "Ada" | "Bob", texts: string[]): Role => {
    const person = world.person();
    person.onMoment = (moment) => happening(name, person, moment);
    return { name, person, texts };
  };
  const ada = role("Ada", ["Hello Bob", "How are you?"]);
  const bob = role("Bob", ["Hello Ada", "Fine, and you?"]);
  await play(world, ada, bob);
  await assertWhole(world, ada, bob);
}

/** How many moments each has when nothing happens. */
async function rehearse(
  world: World,
  counts: (moment: Moment) => boolean,
): Promise<Record<"Ada" | "Bob", number>> {
  const moments = { Ada: 0, Bob: 0 };
  await tell(world, (who, _person, moment) => {
    if (counts(moment)) moments[who]++;
    return false;
  });
  return moments;
}

const everything = () => true;
const frames = ({ at }: Moment) => at === "frame";

async function atEveryMoment(
  counts: (moment: Moment) => boolean,
  happen: (person: Person) => boolean,
): Promise<void> {
  const world = await World.open();
  try {
    const moments = await rehearse(world, counts);
    assert.ok(moments.Ada > 20 && moments.Bob > 20, JSON.stringify(moments));
    for (const victim of ["Ada", "Bob"] as const) {
      for (let fatal = 0; fatal < moments[victim]; fatal++) {
        let count = 0;
        try {
          await tell(world, (who, person, moment) => {
            const now = who === victim && counts(moment) && count++ === fatal;
            return now && happen(person);
          });
        } catch (error) {
          throw new Error(`${victim}, moment ${fatal}`, { cause: error });
        }
      }
    }
  } finally {
    await world.close();
  }
}

Deno.test("a death at any commit and any frame loses nothing and doubles nothing", () =>
  atEveryMoment(everything, () => true));

Deno.test("a connection that drops at any frame loses nothing and doubles nothing", () =>
  atEveryMoment(frames, (person) => {
    person.cut();
    return false;
  }));
