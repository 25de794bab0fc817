import assert from "node:assert/strict";
import { NotReadyError } from "../adapters.ts";
import {
  meet,
  newcomer,
  online,
  only,
  sees,
  withWorld,
} from "../testing/people.ts";
import type { Person, World } from "../testing/world.ts";

const PASSPHRASE = "correct horse battery";

/** Two people who have met and said something, the first one behind a lock. */
async function behindLock(
  world: World,
  lock: (person: Person) => Promise<unknown>,
) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  await (await only(bob)).send("before");
  await sees(world, await only(ada), ["before"]);
  assert.deepEqual(await lock(ada), { ok: true });
  await online(world, ada);
  return { ada, bob };
}

const withPassphrase = ({ messenger }: Person) =>
  messenger.lock.setPassphrase(PASSPHRASE);

Deno.test("behind a passphrase everything is there again, with what waited meanwhile, and nothing before", () =>
  withWorld(async (world) => {
    const { ada, bob } = await behindLock(world, withPassphrase);
    const { messenger } = ada;
    assert.equal(messenger.lock.kind.value, "passphrase");
    await messenger.lock.lock();
    assert.deepEqual(messenger.phase.value, { at: "locked", by: "passphrase" });
    assert.equal(messenger.me.value, undefined);
    assert.deepEqual(messenger.conversations.value, []);
    await (await only(bob)).send("meanwhile");
    await world.settle();

    assert.deepEqual(await messenger.lock.unlock("wrong horse battery"), {
      ok: false,
      reason: "wrong",
      triesLeft: undefined,
    });
    assert.equal(ada.phase, "locked");
    assert.deepEqual(await messenger.lock.unlock(PASSPHRASE), { ok: true });
    await sees(world, await only(ada), ["before", "meanwhile"]);
    await (await only(ada)).send("back again");
    await sees(world, await only(bob), ["before", "meanwhile", "back again"]);
  }));

Deno.test("a page that opens finds the lock shut, whatever the page before was doing", () =>
  withWorld(async (world) => {
    const { ada } = await behindLock(world, withPassphrase);
    ada.kill();
    await ada.start();
    assert.equal(ada.phase, "locked");
    await assert.rejects(ada.messenger.newAccount("Eve"), NotReadyError);
    // The same passphrase from a keyboard that composes letters otherwise would do as well.
    assert.deepEqual(await ada.messenger.lock.unlock(PASSPHRASE), { ok: true });
    await sees(world, await only(ada), ["before"]);
  }));

Deno.test("a passphrase is the same however its letters are composed", () =>
  withWorld(async (world) => {
    const { ada } = await behindLock(
      world,
      ({ messenger }) => messenger.lock.setPassphrase("Grüße über Äcker"),
    );
    await ada.messenger.lock.lock();
    const outcome = await ada.messenger.lock.unlock(
      "Grüße über Äcker".normalize("NFD"),
    );
    assert.deepEqual(outcome, { ok: true });
  }));

Deno.test("behind a passkey only the authenticator opens, and calling it off changes nothing", () =>
  withWorld(async (world) => {
    const { ada } = await behindLock(
      world,
      ({ messenger }) => messenger.lock.setPasskey(),
    );
    await ada.messenger.lock.lock();
    assert.deepEqual(ada.messenger.phase.value, {
      at: "locked",
      by: "passkey",
    });
    ada.passkeys.callsOff = true;
    assert.deepEqual(await ada.messenger.lock.unlock(), {
      ok: false,
      reason: "no-passkey",
    });
    assert.equal(ada.phase, "locked");
    ada.passkeys.callsOff = false;
    assert.deepEqual(await ada.messenger.lock.unlock(), { ok: true });
    await sees(world, await only(ada), ["before"]);
  }));

Deno.test("a passkey that does not come about sets no lock", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    ada.passkeys.callsOff = true;
    assert.deepEqual(await ada.messenger.lock.setPasskey(), {
      ok: false,
      reason: "no-passkey",
    });
    assert.equal(ada.phase, "ready");
    assert.equal(ada.messenger.lock.kind.value, "none");
    ada.kill();
    await ada.start();
    assert.equal(ada.phase, "ready");
  }));

Deno.test("the access key opens what a forgotten lock holds, and takes the lock away", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await ada.messenger.lock.setPassphrase(PASSPHRASE);
    await ada.messenger.lock.lock();
    assert.deepEqual(await ada.messenger.logIn(bob.accessKey), {
      ok: false,
      reason: "other-account",
    });
    assert.equal(ada.phase, "locked");
    assert.deepEqual(await ada.messenger.logIn(ada.accessKey), { ok: true });
    assert.equal(ada.messenger.lock.kind.value, "none");
    ada.kill();
    await ada.start();
    assert.equal(ada.phase, "ready");
  }));

Deno.test("changing or removing a lock takes the secret of the one that is set", () =>
  withWorld(async (world) => {
    const { ada } = await behindLock(world, withPassphrase);
    const { lock } = ada.messenger;
    const wrong = { ok: false, reason: "wrong" };
    assert.deepEqual(await lock.setPassphrase("another one", "guess"), wrong);
    assert.deepEqual(await lock.setPasskey("guess"), wrong);
    assert.deepEqual(await lock.remove("guess"), wrong);
    assert.deepEqual(await lock.remove(), wrong);
    assert.deepEqual(await lock.setPassphrase("short"), {
      ok: false,
      reason: "short",
    });
    assert.deepEqual(await lock.setPassphrase("another one", PASSPHRASE), {
      ok: true,
    });
    await lock.lock();
    assert.deepEqual(await lock.unlock("another one"), { ok: true });
    assert.deepEqual(await lock.setPasskey("another one"), { ok: true });
    assert.deepEqual(await lock.remove(), { ok: true });
    assert.equal(lock.kind.value, "none");
    ada.kill();
    await ada.start();
    assert.equal(ada.phase, "ready");
  }));

Deno.test("the last of the wrong passphrases that were allowed erases everything", () =>
  withWorld(async (world) => {
    const { ada } = await behindLock(world, withPassphrase);
    const { messenger } = ada;
    await messenger.lock.setEraseAfter(2);
    await messenger.lock.lock();
    assert.deepEqual(messenger.phase.value, {
      at: "locked",
      by: "passphrase",
      triesLeft: 2,
    });
    assert.deepEqual(await messenger.lock.unlock("guess"), {
      ok: false,
      reason: "wrong",
      triesLeft: 1,
    });
    ada.kill();
    const again = await ada.start();
    assert.deepEqual(again.phase.value, {
      at: "locked",
      by: "passphrase",
      triesLeft: 1,
    });
    assert.deepEqual(await again.lock.unlock("guess"), {
      ok: false,
      reason: "erased",
    });
    assert.equal(ada.phase, "no-account");
    assert.equal(ada.disk.entries().length, 0);
  }));

Deno.test("left alone it locks by itself after the time that was chosen, also after a reload", () =>
  withWorld(async (world) => {
    const { ada } = await behindLock(world, withPassphrase);
    await ada.messenger.lock.setAutoLock(5);
    ada.kill();
    await ada.start();
    await ada.messenger.lock.unlock(PASSPHRASE);
    assert.equal(ada.messenger.lock.autoLock.value, 5);
    world.clock.advance(4 * 60_000);
    ada.messenger.touched();
    world.clock.advance(4 * 60_000);
    await world.settle();
    assert.equal(ada.phase, "ready");
    world.clock.advance(60_000);
    await world.until(() => ada.phase === "locked", "it locks by itself");
  }));

for (const open of ["ready", "locked", "logged-out"] as const) {
  Deno.test(`erasing leaves nothing, from ${open}; another account can be made at once`, () =>
    withWorld(async (world) => {
      const { ada } = await behindLock(world, withPassphrase);
      const { messenger } = ada;
      if (open === "locked") await messenger.lock.lock();
      if (open === "logged-out") await messenger.logOut();
      await messenger.erase();
      assert.equal(ada.phase, "no-account");
      assert.equal(ada.disk.entries().length, 0);
      const account = await messenger.newAccount("Eve");
      await account.commit();
      assert.equal(messenger.me.value?.name, "Eve");
      assert.equal(messenger.lock.kind.value, "none");
    }));
}

Deno.test("a full disk while a lock is set says so, and goes on with what is there", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    ada.disk.full = true;
    const setting = ada.messenger.lock.setPassphrase(PASSPHRASE);
    await world.until(() => ada.phase === "storage-full", "it is said");
    ada.disk.full = false;
    await ada.messenger.retry();
    assert.deepEqual(await setting, { ok: false, reason: "not-stored" });
    assert.equal(ada.phase, "ready");
    assert.equal(ada.messenger.lock.kind.value, "none");
  }));

Deno.test("a power cut at any commit of setting a lock loses no contact and no word", () =>
  withWorld(async (world) => {
    for (let chosen = 0;; chosen++) {
      const ada = await newcomer(world, "Ada");
      const bob = await newcomer(world, "Bob");
      await meet(world, ada, bob);
      await (await only(bob)).send("before");
      await sees(world, await only(ada), ["before"]);
      await world.settle();
      let count = 0;
      ada.onMoment = ({ at }) => at === "commit" && count++ === chosen;
      // Never resolves for who is killed.
      const set = ada.messenger.lock.setPassphrase(PASSPHRASE);
      await world.until(
        () => !ada.alive || ada.phase === "ready" && count > 2,
        "the lock is set, or the power is cut",
      );
      if (ada.alive) {
        await set;
        assert.ok(chosen >= 4, `${chosen} moments`);
        return;
      }
      ada.onMoment = undefined;
      await ada.start();
      if (ada.phase === "locked") {
        assert.deepEqual(await ada.messenger.lock.unlock(PASSPHRASE), {
          ok: true,
        });
      }
      assert.equal(ada.phase, "ready", `after moment ${chosen}`);
      await online(world, ada);
      await (await only(bob)).send("after");
      await sees(world, await only(ada), ["before", "after"]);
    }
  }));
