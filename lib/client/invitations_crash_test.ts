/** Meeting by a link, with something going wrong at every moment there is, on either side. */
import assert from "node:assert/strict";
import {
  atEveryMoment,
  DEATH,
  DROP,
  type Happening,
} from "./testing/at_every_moment.ts";
import { invitationsOf } from "./testing/links.ts";
import {
  assertWhole,
  attempt,
  present,
  type Role,
  say,
  untilOnline,
  untilRead,
} from "./testing/scenario.ts";
import type { Person, World } from "./testing/world.ts";
import type { InvitationsView } from "./view.ts";

const DAY = 86_400_000;

/**
 * Ada gives out a link, Bob asks by it, Ada says yes, each says a word: each looks at what there is
 * and does what is missing. Nobody makes, opens or answers anything twice that was on disk.
 */
async function meetByLink(world: World, ada: Role, bob: Role): Promise<void> {
  let link: string | undefined;
  while (true) {
    const a = await present(world, ada);
    const b = await present(world, bob);
    const met = [a, b].map((m) => m.conversations.value.length > 0);
    if (met[0] && met[1]) return;
    await untilOnline(world, ada.person);
    await untilOnline(world, bob.person);
    if (!ada.person.alive || !bob.person.alive) continue;
    const given = await invitationsOf(ada.person);
    const asked = await invitationsOf(bob.person);
    const before = standing(given, asked, met);
    const [made] = given.given.value;
    const [request] = given.requests.value;
    const [question] = asked.asked.value;
    assert.notEqual(question?.state.at, "failed", JSON.stringify(question));
    if (given.making.value.at === "failed") given.reset();
    link ??= made?.fragment;
    if (!link && !made && given.making.value.at === "none") {
      await attempt(
        world,
        ada.person,
        () => given.create({ lifetime: DAY, uses: 1 }),
      );
    } else if (link && !question && !met[1]) {
      await attempt(
        world,
        bob.person,
        () => ask(world, bob.person, asked, link),
      );
    } else if (request && !request.accepting) {
      await attempt(world, ada.person, () => given.accept(request.id));
    } else {
      await world.until(
        () =>
          !ada.person.alive || !bob.person.alive ||
          standing(given, asked, [
              a.conversations.value.length > 0,
              b.conversations.value.length > 0,
            ]) !== before,
        "Ada and Bob get on with meeting",
      );
    }
  }
}

async function ask(
  world: World,
  person: Person,
  invitations: InvitationsView,
  link: string | undefined,
): Promise<void> {
  await invitations.open(link ?? "");
  await world.until(
    () => !person.alive || invitations.opened.value.at !== "looking",
    "it is known whose link it is",
  );
  await invitations.ask();
}

function standing(
  { given, requests, making }: InvitationsView,
  { asked }: InvitationsView,
  met: readonly boolean[],
): string {
  return JSON.stringify([
    given.value,
    requests.value,
    making.value,
    asked.value,
    met,
  ]);
}

/** One telling of the story. What `happening` returns true for is somebody's death. */
async function tell(world: World, happening: Happening): Promise<void> {
  const ada = { name: "Ada", person: world.person(), texts: ["Hello Bob"] };
  const bob = { name: "Bob", person: world.person(), texts: ["Hello Ada"] };
  for (const role of [ada, bob]) {
    await present(world, role);
    await untilOnline(world, role.person);
  }
  // What can happen to an account before that is told elsewhere.
  ada.person.onMoment = (moment) => happening("Ada", ada.person, moment);
  bob.person.onMoment = (moment) => happening("Bob", bob.person, moment);
  await meetByLink(world, ada, bob);
  await say(world, ada, bob, ada.texts[0]);
  await say(world, bob, ada, bob.texts[0]);
  await untilRead(world, ada, bob);
  await assertWhole(world, ada, bob);
}

Deno.test("a death at any commit and any frame of meeting by a link: both meet, nothing is lost or doubled", () =>
  atEveryMoment(tell, { ...DEATH, stride: 3 }));

Deno.test("a connection that drops at any frame of meeting by a link: both meet, nothing is lost or doubled", () =>
  atEveryMoment(tell, { ...DROP, stride: 3 }));
