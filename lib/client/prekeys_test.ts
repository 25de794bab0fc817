/** The stock of prekeys at work: filled, replaced weekly, kept for what is under way, and gone in time. */
import assert from "node:assert/strict";
import {
  generateKyberPreKey,
  generatePreKey,
  generateSignedPreKey,
  type PreKeyStock,
} from "../signal/mod.ts";
import {
  countersTable,
  kyberPreKeyTable,
  preKeysTable,
  preKeyTable,
  SELF,
  signedPreKeyTable,
} from "./records.ts";
import { preKeySource, usedUp } from "./prekeys.ts";
import { keepPreKeys } from "./prekey_bundle.ts";
import { Ledger } from "./ledger.ts";
import { openAccount } from "./own_account.ts";
import { accountTable } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import {
  accepts,
  asks,
  DAY,
  HOUR,
  invitationsOf,
  linkOf,
} from "./testing/links.ts";
import {
  codeOf,
  meet,
  newcomer,
  online,
  only,
  sees,
  withWorld,
} from "./testing/people.ts";
import {
  infoOf,
  type Newcomer,
  stockOf,
  upkept,
} from "./testing/prekeys_kept.ts";
import type { Person, World } from "./testing/world.ts";

async function withVault<T>(
  person: Person,
  work: (vault: Vault) => Promise<T>,
): Promise<T> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const result = await work(vault);
  await vault.close();
  return result;
}

/** So many days later, when that has been done that is done daily. */
async function later(world: World, person: Newcomer, days: number) {
  world.clock.advance(days * DAY);
  await upkept(world, person, world.clock.now());
}

Deno.test("a new account has a hundred one-time prekeys of each kind; each bundle takes one, each session uses it up", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const { ready, given } = await infoOf(ada);
    assert.deepEqual({ ready, given }, { ready: 100, given: 0 });
    const code = await codeOf(ada);
    await world.settle();
    const out = await infoOf(ada);
    assert.deepEqual([out.ready, out.given], [99, 1]);
    await bob.messenger.invite.connect(code);
    await world.until(
      () => ada.messenger.conversations.value.length === 1,
      "they have met",
    );
    await world.settle();
    const used = await infoOf(ada);
    assert.deepEqual([used.ready, used.given], [99, 0]);
    await (await only(bob)).send("hello");
    await sees(world, await only(ada), ["hello"]);
  }));

Deno.test("with fewer than fifty left the stock is filled to a hundred again; what came to nothing is taken back", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    for (const uses of [20, 20, 11]) await linkOf(world, ada, { uses });
    await world.settle();
    const low = await infoOf(ada);
    assert.deepEqual([low.ready, low.given], [49, 51]);
    await linkOf(world, ada, { uses: 1 });
    await world.settle();
    const full = await infoOf(ada);
    assert.deepEqual([full.ready, full.given], [99, 52]);
    const invitations = await invitationsOf(ada);
    for (const { id } of invitations.given.value) await invitations.revoke(id);
    await world.settle();
    assert.equal((await infoOf(ada)).given, 0);
  }));

Deno.test("the signed and the last-resort prekey are replaced weekly, the old ones kept for a month and then gone from the disk", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const [first] = (await stockOf(ada)).standing;
    await later(world, ada, 6);
    assert.equal((await infoOf(ada)).signedPreKeyId, first.signed.id);
    await later(world, ada, 2);
    const second = await stockOf(ada);
    assert.notEqual(second.standing[0].signed.id, first.signed.id);
    assert.equal(second.standing[1].signed.id, first.signed.id);
    await later(world, ada, 26);
    const held = (stock: PreKeyStock) =>
      stock.standing.map(({ signed }) => signed.id);
    assert.ok(held(await stockOf(ada)).includes(first.signed.id));
    await later(world, ada, 8);
    assert.ok(!held(await stockOf(ada)).includes(first.signed.id));
  }));

Deno.test("who comes by a bundle of before is understood, however often the keys were replaced meanwhile", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada, { lifetime: 20 * DAY });
    const [place] = (await stockOf(ada)).given;
    await later(world, ada, 18);
    assert.notEqual((await infoOf(ada)).signedPreKeyId, place.signedPreKeyId);
    await online(world, bob);
    await asks(world, bob, link);
    await accepts(world, ada);
    await world.until(
      () => bob.messenger.conversations.value.length === 1,
      "Bob is accepted",
    );
    await (await only(bob)).send("by an old link");
    await sees(world, await only(ada), ["by an old link"]);
  }));

Deno.test("a device that comes back after months reads what had waited for it before it drops old keys", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    const link = await linkOf(world, ada, { lifetime: 20 * DAY });
    await later(world, ada, 8); // the bundle's keys are replaced now, and held
    await ada.messenger.close();
    world.clock.advance(10 * DAY);
    await online(world, bob);
    await asks(world, bob, link);
    world.clock.advance(18 * DAY);
    // 28 days after they were replaced; what waited is read by them all the same.
    await ada.start();
    await accepts(world, ada);
    await world.until(
      () => bob.messenger.conversations.value.length === 1,
      "Bob is accepted",
    );
  }));

Deno.test("prekeys that were made one by one, before there was a stock, answer once, and are dropped after a month", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await meet(world, ada, await newcomer(world, "Bob"));
    await ada.messenger.close();
    await withVault(ada, async (vault) => {
      const account = await openAccount((await vault.get(accountTable, SELF))!);
      const { identity } = account.device;
      const counters = (await vault.get(countersTable, SELF))!;
      await vault.commit([
        preKeysTable.delete(SELF),
        signedPreKeyTable.put("1", await generateSignedPreKey(1, identity)),
        preKeyTable.put("2", await generatePreKey(2)),
        kyberPreKeyTable.put("2", await generateKyberPreKey(2, identity)),
        preKeyTable.put("3", await generatePreKey(3)),
        kyberPreKeyTable.put("3", await generateKyberPreKey(3, identity)),
        countersTable.put(SELF, { ...counters, nextPreKey: 4 }),
      ]);
      const ledger = new Ledger(vault, {
        full: () => Promise.reject(new Error("the disk is full")),
        broken: (cause) => assert.fail(String(cause)),
      });
      const sessions = import("./sessions.ts");
      const desk = { account, clock: world.clock, sessions };
      const held = () =>
        ledger.run(async (entry) => {
          const source = preKeySource(entry, desk);
          return [
            (await source.signedPreKey(1))?.id,
            (await source.preKey(2))?.id,
            (await source.kyberPreKey(2))?.id,
            (await source.preKey(3))?.id,
          ];
        });
      assert.deepEqual(await held(), [1, 2, 2, 3]);
      const used = { preKeyId: 2, signedPreKeyId: 1, kyberPreKeyId: 2 };
      const baseKey = new Uint8Array(33);
      await ledger.run((entry) => usedUp(entry, desk, { ...used, baseKey }));
      assert.deepEqual(await held(), [1, undefined, undefined, 3]);
      const upkeep = () => ledger.run((entry) => keepPreKeys(entry, desk));
      await upkeep();
      world.clock.advance(29 * DAY);
      await upkeep();
      assert.deepEqual(await held(), [1, undefined, undefined, 3]);
      world.clock.advance(1 * DAY + HOUR);
      await upkeep();
      const nothing = [undefined, undefined, undefined, undefined];
      assert.deepEqual(await held(), nothing);
      ledger.close();
    });
  }));
