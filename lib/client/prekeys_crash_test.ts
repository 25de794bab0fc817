/** The stock of prekeys, dying at any commit. */
import assert from "node:assert/strict";
import { accepts, asks, DAY, linkOf } from "./testing/links.ts";
import { newcomer, online, withWorld } from "./testing/people.ts";
import { infoOf, upkept } from "./testing/prekeys_kept.ts";

const SLOW = Deno.env.get("SLOW") === "1";

Deno.test("a death at any commit of filling and replacing leaves a whole stock, and loses no bundle that is out", () =>
  withWorld(async (world) => {
    // To die after a commit is mostly to die before the next.
    for (const when of SLOW ? ["before", "after"] : ["before"]) {
      for (let chosen = 0;; chosen += SLOW ? 1 : 3) {
        const ada = await newcomer(world, "Ada");
        const bob = await newcomer(world, "Bob");
        for (const uses of [20, 20, 10]) {
          await linkOf(world, ada, { uses, lifetime: 20 * DAY });
        }
        const link = await linkOf(world, ada, { lifetime: 20 * DAY });
        const before = await infoOf(ada);
        assert.ok(before.ready < 50);
        let commits = 0;
        ada.onMoment = (moment) =>
          moment.at === "commit" && moment.when === when &&
          commits++ === chosen;
        world.clock.advance(8 * DAY);
        const since = world.clock.now();
        await upkept(world, ada, since);
        const died = !ada.alive;
        ada.onMoment = undefined;
        if (died) {
          await ada.start();
          await upkept(world, ada, since);
        }
        const after = await infoOf(ada);
        assert.notEqual(after.signedPreKeyId, before.signedPreKeyId);
        assert.deepEqual([after.ready, after.given], [100, before.given]);
        await online(world, bob);
        await asks(world, bob, link);
        await accepts(world, ada);
        await ada.close();
        await bob.close();
        if (!died) {
          assert.ok(chosen > 0, "something is written");
          break;
        }
      }
    }
  }));
