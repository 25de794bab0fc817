import assert from "node:assert/strict";
import {
  accepts,
  asks,
  invitationsOf,
  linkOf,
  opened,
} from "./testing/links.ts";
import { newcomer, online, only, sees, withWorld } from "./testing/people.ts";
import { HOME, type Person, type World } from "./testing/world.ts";

const OTHER = "https://other.example";

/** Ada at one relay, Bob at another, and a link of Ada's. */
async function apart(world: World) {
  await world.startOther(OTHER);
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob", { at: OTHER });
  return { ada, bob, link: `${HOME}/${await linkOf(world, ada)}` };
}

async function connected(world: World, ...people: Person[]) {
  await world.until(
    () =>
      people.every(({ messenger }) =>
        messenger.conversations.value.length === 1
      ),
    "they are connected",
  );
}

Deno.test("a link of another relay: one sees whose it is and where, asks, is accepted, and both write", () =>
  withWorld(async (world) => {
    const { ada, bob, link } = await apart(world);
    assert.deepEqual(await opened(world, bob, link), {
      at: "found",
      name: "Ada",
      host: "relay.example",
    });
    await asks(world, bob, link);
    await accepts(world, ada);
    await connected(world, ada, bob);
    await (await only(bob)).send("from the other");
    await sees(world, await only(ada), ["from the other"]);
    await (await only(ada)).send("from the one");
    await sees(world, await only(bob), ["from the other", "from the one"]);
  }));

Deno.test("who asks by a link of a relay that has just gone away has asked once it is back, and takes one place", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada", { at: OTHER });
    const bob = await newcomer(world, "Bob");
    const link = `${OTHER}/${await linkOf(world, ada, { uses: 2 })}`;
    const another = `${OTHER}/${await linkOf(world, ada)}`;
    assert.equal((await opened(world, bob, link)).at, "found");
    await world.stopOther(OTHER);
    const asked = await invitationsOf(bob);
    await asked.ask();
    await world.settle(4_000);
    assert.deepEqual(asked.asked.value.map(({ state }) => state), [{
      at: "sending",
    }]);
    assert.equal((await opened(world, bob, link)).at, "asked");
    assert.deepEqual(await opened(world, bob, another), {
      at: "failed",
      reason: "unreachable",
    });
    const kept = asked.kept.value.map(({ link }) => link);
    assert.deepEqual(kept, [another]);
    await world.startOther(OTHER);
    await online(world, ada);
    await accepts(world, ada);
    await connected(world, ada, bob);
    const given = (await invitationsOf(ada)).given.value;
    assert.equal(given.find(({ uses }) => uses === 2)?.used, 1);
  }));

Deno.test("an answer waits for the relay of who asked, and says so meanwhile", () =>
  withWorld(async (world) => {
    const { ada, bob, link } = await apart(world);
    await asks(world, bob, link);
    const invitations = await invitationsOf(ada);
    await world.until(() => invitations.requests.value.length === 1, "asked");
    await world.stopOther(OTHER);
    await invitations.accept(invitations.requests.value[0].id);
    await world.settle(4_000);
    assert.deepEqual(
      invitations.requests.value.map(({ accepting }) => accepting),
      [true],
    );
    assert.deepEqual(ada.messenger.conversations.value, []);
    await world.startOther(OTHER);
    await connected(world, ada, bob);
  }));

Deno.test("a page that dies at any commit of asking at another relay goes on with it, and uses one place", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada");
    const invitations = await invitationsOf(ada);
    for (let chosen = 1, people = 1;; chosen++, people++) {
      const bob = await newcomer(world, `Bob ${chosen}`, { at: OTHER });
      const link = `${HOME}/${await linkOf(world, ada, { uses: 2 })}`;
      const [{ id }] = invitations.given.value;
      assert.equal((await opened(world, bob, link)).at, "found");
      let commits = 0;
      bob.onMoment = (moment) =>
        moment.at === "commit" && moment.when === "after" &&
        ++commits === chosen;
      (await invitationsOf(bob)).ask().catch(() => {}); // it may die meanwhile
      await world.until(
        () => !bob.alive || invitations.requests.value.length === 1,
        "Bob has died or asked",
      );
      const died = !bob.alive;
      bob.onMoment = undefined;
      if (died) await bob.start();
      await online(world, bob);
      await accepts(world, ada);
      invitations.noted();
      await connected(world, bob);
      const given = invitations.given.value.find((given) => given.id === id);
      assert.equal(given?.used, 1, `death at commit ${chosen}`);
      if (!died) {
        assert.ok(chosen > 2, "asking takes more than two commits");
        return;
      }
    }
  }));

Deno.test("a link that names a relay where it does not lie, or that is not forwarded to, says so", () =>
  withWorld(async (world) => {
    const { ada, bob, link } = await apart(world);
    const elsewhere = link.replace(HOME, OTHER);
    assert.deepEqual(await opened(world, bob, elsewhere), {
      at: "failed",
      reason: "gone",
    });
    assert.deepEqual(await opened(world, ada, link), {
      at: "failed",
      reason: "own",
    });
    world.dialler.forbidden = true;
    assert.deepEqual(
      await opened(world, bob, link.replace(HOME, "https://third.example")),
      { at: "failed", reason: "other-relay" },
    );
  }));
