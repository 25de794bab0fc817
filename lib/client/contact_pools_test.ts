import assert from "node:assert/strict";
import { equalBytes } from "@noble/ciphers/utils.js";
import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import { Buffer } from "node:buffer";
import type { PoolRecord } from "../relay/blob_records.ts";
import { describePreKeyStock, parsePreKeyStock } from "../signal/mod.ts";
import {
  accountIdToBytes,
  deriveAccount,
  parseAccessKey,
  parseOwnDevice,
} from "./keys/mod.ts";
import { poolTable } from "./pool/pool_records.ts";
import { SEALED_BUNDLE_SIZE } from "./pool/sealed_bundle.ts";
import {
  accountTable,
  contactsTable,
  contactTable,
  preKeysTable,
  SELF,
} from "./records.ts";
import { MemoryDisk, Vault } from "./storage/mod.ts";
import {
  codeOf,
  done,
  fresh,
  meet,
  newcomer,
  only,
  saved,
  sees,
  withWorld,
} from "./testing/people.ts";
import { changePools, poolsAtRelay } from "./testing/pools_at_relay.ts";
import { attempt } from "./testing/scenario.ts";
import type { Person, World } from "./testing/world.ts";

/** Within it pools are filled, once nothing else goes on. */
const FILLED_MS = 150_000;
/** Until just before that begins. */
const QUIET_MS = 115_000;
/** How often so long is waited for what has to come. */
const ROUNDS = 20;

/** Between two moments at which somebody dies. */
const STEP = Deno.env.get("SLOW") === "1" ? 1 : 6;

const OTHER = "https://other.example";

/** Ada and Bob, who have met and been online for a while, with a backup each. */
async function settled(world: World) {
  const ada = await newcomer(world, "Ada");
  const bob = await newcomer(world, "Bob");
  await meet(world, ada, bob);
  for (const person of [ada, bob]) await knowsPools(world, person);
  return { ada, bob };
}

/** Time goes on until it is so. */
async function comes(
  world: World,
  holds: () => Promise<boolean>,
  what: string,
): Promise<void> {
  for (let round = 0; !await holds(); round++) {
    assert.ok(round < ROUNDS, `it never came to this: ${what}`);
    await world.settle(FILLED_MS);
  }
}

/** Until somebody has been told of pools of all their contact's devices, and has that in the backup. */
async function knowsPools(
  world: World,
  person: Person & { accessKey: string },
): Promise<void> {
  await comes(world, async () => {
    const vault = await vaultOf(person);
    const met = await vault.get(contactsTable, SELF);
    const contacts = await Promise.all(
      (met?.ids ?? []).map((id) => vault.get(contactTable, id)),
    );
    await vault.close();
    return contacts.length > 0 &&
      contacts.every((contact) => contact?.devices.every(({ pool }) => pool));
  }, "somebody knows pools");
  await saved(world, person);
}

/** The pools at the relay, when they are as they are to be. */
async function poolsWhen(
  world: World,
  holds: (pools: readonly PoolRecord[]) => boolean,
  what: string,
): Promise<PoolRecord[]> {
  let pools: PoolRecord[] = [];
  await comes(world, async () => {
    pools = await poolsAtRelay(world);
    return holds(pools);
  }, what);
  return pools;
}

/** Until what somebody wrote is at the relay. */
async function sent(world: World, person: Person): Promise<void> {
  const { messages } = await only(person);
  await world.until(
    () => messages.value.every(({ state }) => state !== "sending"),
    "what was written is sent",
  );
}

Deno.test("who comes back writes to a contact who is away, is away then, and is read without being there", () =>
  withWorld(async (world) => {
    const { ada, bob } = await settled(world);
    await ada.close();
    await bob.close();
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    await (await only(anew)).send("I am back");
    await (await only(anew)).send("and away again");
    await sent(world, anew);
    await anew.close();
    await bob.start();
    await sees(world, await only(bob), ["I am back", "and away again"]);
    await (await only(bob)).send("welcome");
    await sent(world, bob);
    await anew.start();
    await sees(world, await only(anew), [
      "I am back",
      "and away again",
      "welcome",
    ]);
    const { messages } = await only(anew);
    await world.until(
      () => messages.value[0].state === "delivered",
      "it is known that it was delivered",
    );
  }));

Deno.test("pools are filled also while there is a reason to look each minute", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    for (const name of ["Bob", "Cleo", "Dan", "Eve"]) {
      await meet(world, ada, await newcomer(world, name));
      await world.settle(60_000);
    }
    const vault = await vaultOf(ada);
    const { ids = [] } = await vault.get(contactsTable, SELF) ?? {};
    const filled = async () =>
      (await vault.getMany(poolTable, ids))
        .some((pool) => pool && pool.version > 0);
    // Signing takes real time on other threads: one rest may come too early.
    for (let rests = 0; rests < 20 && !await filled(); rests++) {
      await world.settle(1_000);
    }
    assert.ok(await filled());
    await vault.close();
  }));

Deno.test("a pool has four bundles, and is filled again when one was used", () =>
  withWorld(async (world) => {
    const { ada, bob } = await settled(world);
    const full = await poolsAtRelay(world);
    assert.deepEqual(full.map(({ bundles }) => bundles.length), [4, 4]);
    const other = await fresh(world);
    await done(world, other.messenger.comeBack(ada.accessKey, "beside"));
    await (await only(other)).send("from the other one");
    await sees(world, await only(bob), ["from the other one"]);
    const used = await poolsAtRelay(world);
    assert.deepEqual(used.map(({ bundles }) => bundles.length).sort(), [3, 4]);
    // Ada's and Bob's, and that of Ada's other device.
    const after = await poolsWhen(
      world,
      (pools) =>
        pools.length === 3 &&
        pools.every(({ bundles }) => bundles.length === 4),
      "all are full again",
    );
    assert.equal(after.filter(({ version }) => version > 1).length, 1);
  }));

Deno.test("from a pool that was drained the last resort serves", () =>
  withWorld(async (world) => {
    const { ada, bob } = await settled(world);
    await ada.close();
    await bob.close();
    await changePools(world, (pool) => ({ ...pool, bundles: [] }));
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    await (await only(anew)).send("I am back");
    await sent(world, anew);
    await anew.close();
    await bob.start();
    await sees(world, await only(bob), ["I am back"]);
  }));

Deno.test("a relay that gives what is no bundle, or one that was given before, delays and loses nothing", () =>
  withWorld(async (world) => {
    const { ada, bob } = await settled(world);
    let before = ada as Person;
    const texts: string[] = [];
    let pools: readonly PoolRecord[] = [];
    const lies: ((pool: PoolRecord) => PoolRecord)[] = [
      (pool) => pool,
      // What was taken is there again.
      (pool) =>
        pools.find(({ ownKey }) => equalBytes(ownKey, pool.ownKey)) ?? pool,
      (pool) => ({
        ...pool,
        bundles: pool.bundles.map(({ length }) => randomBytes(length)),
        lastResort: randomBytes(pool.lastResort.length),
      }),
    ];
    for (const [i, lie] of lies.entries()) {
      await before.close();
      if (i === 0) pools = await poolsAtRelay(world);
      else await changePools(world, lie);
      const anew = await fresh(world);
      await done(world, anew.messenger.comeBack(ada.accessKey, "beside"));
      texts.push(`back ${i}`);
      await (await only(anew)).send(`back ${i}`);
      await sees(world, await only(bob), texts);
      await (await only(bob)).send(`hello ${i}`);
      texts.push(`hello ${i}`);
      await sees(world, await only(anew), texts.slice(-2));
      await saved(world, anew);
      await world.settle();
      before = anew;
    }
  }));

Deno.test("with a contact who is blocked or deleted the pool goes from the relay", () =>
  withWorld(async (world) => {
    const { ada, bob } = await settled(world);
    await (await only(ada)).contact.block();
    await (await only(bob)).contact.remove();
    await poolsWhen(world, ({ length }) => length === 0, "no pool is left");
  }));

Deno.test("who had a contact's device that was removed knows no pool any more", () =>
  withWorld(async (world) => {
    const { ada, bob } = await settled(world);
    const before = await poolsAtRelay(world);
    const anew = await fresh(world);
    await bob.close();
    await done(world, anew.messenger.comeBack(bob.accessKey, "instead"));
    const keptOf = (after: readonly PoolRecord[]) =>
      before.filter(({ takeKey }) =>
        after.some((pool) => equalBytes(pool.takeKey, takeKey))
      ).length;
    // Ada's is another one. That of the device that is gone is nobody's, and lies there until it expires.
    await poolsWhen(
      world,
      (pools) => keptOf(pools) === 1 && pools.length === 3,
      "Ada's pool is another one",
    );
    await saved(world, ada);
    await saved(world, anew);
  }));

Deno.test("a bundle is taken from a pool at another relay, too", () =>
  withWorld(async (world) => {
    await world.startOther(OTHER);
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob", { at: OTHER });
    const code = `${await codeOf(ada)}@${new URL(ada.at).host}`;
    await bob.messenger.invite.connect(code);
    await world.until(
      () => bob.messenger.invite.join.value.at === "connected",
      "they have met",
    );
    await knowsPools(world, ada);
    for (const person of [ada, bob]) await person.close();
    const anew = await fresh(world);
    await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
    await (await only(anew)).send("I am back");
    await sent(world, anew);
    await anew.close();
    await bob.start();
    await sees(world, await only(bob), ["I am back"]);
  }));

Deno.test("a death at any moment of filling a pool leaves one that serves", () =>
  withWorld(async (world) => {
    for (let fatal = 0, died = true; died; fatal += STEP) {
      const ada = await newcomer(world, "Ada");
      const bob = await newcomer(world, "Bob");
      await meet(world, ada, bob);
      await world.settle(QUIET_MS);
      let moments = 0;
      died = false;
      bob.onMoment = () => died = died || moments++ === fatal;
      await attempt(world, bob, () => world.settle(FILLED_MS));
      bob.onMoment = undefined;
      if (!bob.alive) await bob.start();
      await knowsPools(world, ada);
      await readWhileAway(world, ada, bob);
      if (!died) assert.ok(fatal > 5, String(fatal));
    }
  }));

Deno.test("a death at any moment of taking a bundle loses nothing that was written", () =>
  withWorld(async (world) => {
    for (let fatal = 0, died = true; died; fatal += STEP) {
      const { ada, bob } = await settled(world);
      for (const person of [ada, bob]) await person.close();
      const anew = await fresh(world);
      await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
      let moments = 0;
      died = false;
      anew.onMoment = () => died = died || moments++ === fatal;
      await attempt(world, anew, () => world.settle());
      anew.onMoment = undefined;
      if (!anew.alive) await anew.start();
      await (await only(anew)).send("I am back");
      await sent(world, anew);
      await anew.close();
      await bob.start();
      await sees(world, await only(bob), ["I am back"]);
      await bob.close();
      if (!died) assert.ok(fatal > 5, String(fatal));
    }
  }));

Deno.test("what lies in a pool is random bytes of one size, under names that say nothing of whose they are", () =>
  withWorld(async (world) => {
    const { ada, bob } = await settled(world);
    const pools = await poolsAtRelay(world);
    const parts = pools.flatMap(({ takeKey, ownKey, lastResort, bundles }) => [
      takeKey,
      ownKey,
      lastResort,
      ...bundles,
    ]);
    const sealed = pools.flatMap(({ lastResort, bundles }) => [
      lastResort,
      ...bundles,
    ]);
    assert.deepEqual([...new Set(sealed.map(({ length }) => length))], [
      SEALED_BUNDLE_SIZE,
    ]);
    // No eight bytes come twice, in pools of one device or of two.
    const seen = new Set<string>();
    for (const part of parts) {
      for (let at = 0; at + 8 <= part.length; at += 8) {
        seen.add(bytesToHex(part.subarray(at, at + 8)));
      }
    }
    const pieces = parts.reduce((sum, { length }) => sum + (length >> 3), 0);
    assert.equal(seen.size, pieces);
    const all = Buffer.concat(parts);
    for (const person of [ada, bob]) {
      for (const key of await publicKeysOf(person)) {
        assert.equal(all.includes(key), false);
      }
    }
  }));

/** What is on somebody's disk, read from a copy of it. */
async function vaultOf(
  person: Person & { accessKey: string },
): Promise<Vault> {
  const reading = parseAccessKey(person.accessKey);
  assert.ok(reading.ok);
  const copy = new MemoryDisk();
  copy.load(person.disk.entries());
  return await Vault.recover(
    copy.platform(),
    deriveAccount(reading.key).recovery,
  );
}

async function stockOf(person: Person & { accessKey: string }) {
  const vault = await vaultOf(person);
  const kept = await vault.get(preKeysTable, SELF);
  assert.ok(kept);
  await vault.close();
  return parsePreKeyStock(kept.stock);
}

/** What bundles of somebody's device have in common. */
async function publicKeysOf(
  person: Person & { accessKey: string },
): Promise<Uint8Array[]> {
  const vault = await vaultOf(person);
  const account = await vault.get(accountTable, SELF);
  assert.ok(account);
  await vault.close();
  const { identity } = await parseOwnDevice(account.device);
  const { standing } = await stockOf(person);
  return [
    identity.publicKey.slice(1),
    accountIdToBytes(account.accountId),
    ...standing.map(({ signed }) => signed.keyPair.publicKey.slice(1)),
  ];
}

/** Ada comes back while Bob is away, writes, and is away when he reads it. */
async function readWhileAway(
  world: World,
  ada: Person & { accessKey: string },
  bob: Person,
): Promise<void> {
  for (const person of [ada, bob]) await person.close();
  const anew = await fresh(world);
  await done(world, anew.messenger.comeBack(ada.accessKey, "instead"));
  await (await only(anew)).send("I am back");
  await sent(world, anew);
  await anew.close();
  await bob.start();
  await sees(world, await only(bob), ["I am back"]);
  await bob.close();
}

Deno.test("a pool has other bundles under another signed prekey, and what lay there takes up the stock for a week more", () =>
  withWorld(async (world) => {
    const { ada } = await settled(world);
    let [pool] = await poolsAtRelay(world);
    const { ownKey } = pool;
    for (let week = 1; week <= 2; week++) {
      world.clock.advance(8 * 86_400_000);
      const before = pool;
      const ofIt = (pools: readonly PoolRecord[]) =>
        pools.filter((other) => equalBytes(other.ownKey, ownKey));
      [pool] = ofIt(
        await poolsWhen(
          world,
          (pools) =>
            ofIt(pools).some(({ version }) => version > before.version),
          "it is filled anew",
        ),
      );
      assert.equal(pool.bundles.length, 4);
      assert.equal(equalBytes(pool.lastResort, before.lastResort), false);
    }
    const { given } = describePreKeyStock(await stockOf(ada));
    assert.equal(given, 8);
  }));
