/** Tells a story again and again, each time with something going wrong at another moment of it. */
import assert from "node:assert/strict";
import { type Moment, type Person, World } from "./world.ts";

export const SLOW = Deno.env.get("SLOW") === "1";

export type Name = "Ada" | "Bob";
/** What somebody's moment brings. True: their death. */
export type Happening = (
  who: Name,
  person: Person,
  moment: Moment,
) => boolean;
/** One telling of a story, which tells `happening` of every moment of both. */
export type Story = (world: World, happening: Happening) => Promise<void>;

/** What goes wrong, and when. */
export interface Mishap {
  /** Which moments count. */
  counts(moment: Moment): boolean;
  /** True: the person dies. */
  happen(person: Person): boolean;
  /** With 3, what happens at one of three moments of those that count; with SLOW=1, at each. */
  stride: number;
}

/** A death at any commit and any frame. To die after a commit is to die before what comes next: nothing shows in between. */
export const DEATH: Omit<Mishap, "stride"> = {
  counts: (moment) => SLOW || moment.at === "frame" || moment.when === "before",
  happen: () => true,
};

/** A connection that drops at any frame. */
export const DROP: Omit<Mishap, "stride"> = {
  counts: ({ at }) => at === "frame",
  happen: (person) => {
    person.cut();
    return false;
  },
};

/** Tells `story` in one world as often as there are moments of Ada's, and of Bob's, when nothing goes wrong. */
export async function atEveryMoment(
  story: Story,
  { counts, happen, stride }: Mishap,
): Promise<void> {
  const world = await World.open();
  try {
    const moments = { Ada: 0, Bob: 0 };
    await story(world, (who, _person, moment) => {
      if (counts(moment)) moments[who]++;
      return false;
    });
    for (const victim of ["Ada", "Bob"] as const) {
      assert.ok(moments[victim] > 15, JSON.stringify(moments));
      const step = SLOW ? 1 : stride;
      for (let chosen = 0; chosen < moments[victim]; chosen += step) {
        let count = 0;
        try {
          await story(
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
  } finally {
    await world.close();
  }
}
