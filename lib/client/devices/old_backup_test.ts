import assert from "node:assert/strict";
import {
  done,
  fresh,
  meet,
  newcomer,
  online,
  only,
  saved,
  sees,
  withWorld,
} from "../testing/people.ts";
import type { Person, World } from "../testing/world.ts";
import { BLOBS, contentsOf, goBack } from "../testing/relay_goes_back.ts";

async function back(
  world: World,
  { messenger }: Person,
  { accessKey }: { accessKey: string },
): Promise<void> {
  const outcome = await done(world, messenger.comeBack(accessKey, "instead"));
  assert.deepEqual(outcome, { ok: true });
}

Deno.test("a relay that gives out an old backup is noticed when a contact is heard from", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await saved(world, ada);
    const before = await contentsOf(world, BLOBS);
    await ada.messenger.settings.setReadReceipts(false);
    await saved(world, ada);
    await (await only(ada)).send("my backup has another version now");
    await world.settle();
    await ada.messenger.close();
    await bob.messenger.close();
    await goBack(world, before, BLOBS);
    const anew = await fresh(world);
    await back(world, anew, ada);
    await saved(world, anew);
    assert.equal(anew.messenger.settings.readReceipts.value, true);
    assert.equal(anew.messenger.backup.value.wentBack, false, "nobody said so");
    await bob.start();
    await world.until(
      () => anew.messenger.backup.value.wentBack,
      "Bob's greeting tells of a later version",
    );
    await saved(world, anew);
    await anew.messenger.close();
    await anew.start();
    assert.equal(anew.messenger.backup.value.wentBack, true, "for good");
    assert.equal(anew.messenger.standing.value, "current");
  }));

Deno.test("the same backup as others have heard of is no reason to worry", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await saved(world, ada);
    await (await only(ada)).send("this is the version");
    await world.settle();
    await ada.messenger.close();
    const anew = await fresh(world);
    await back(world, anew, ada);
    await (await only(anew)).send("back");
    await sees(world, await only(bob), ["this is the version", "back"]);
    await world.settle();
    assert.equal(anew.messenger.backup.value.wentBack, false);
    assert.equal(anew.messenger.standing.value, "current");
    assert.equal(bob.messenger.standing.value, "current");
  }));

Deno.test("who comes back with an old device list learns from a contact that there is another one, and the contact is warned", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await saved(world, ada);
    await ada.messenger.close();
    const before = await contentsOf(world, BLOBS);
    const second = await fresh(world);
    await back(world, second, ada);
    await (await only(second)).send("my second device");
    await sees(world, await only(bob), ["my second device"]);
    const { contact } = await only(bob);
    await contact.setVerified(true);
    await goBack(world, before, BLOBS);
    await online(world, bob);
    const third = await fresh(world);
    await back(world, third, ada);
    await world.until(
      () => third.messenger.standing.value === "forked",
      "the device with the old list hears of the other one",
    );
    assert.equal(contact.state.value.verification, "new-device");
    // Whom Bob knows stays whom he writes to.
    await (await only(bob)).send("for the second");
    await sees(world, await only(second), [
      "my second device",
      "for the second",
    ]);
    assert.deepEqual((await only(third)).messages.value, []);
    await third.messenger.close();
    await third.start();
    assert.equal(third.messenger.standing.value, "forked", "for good");
  }));
