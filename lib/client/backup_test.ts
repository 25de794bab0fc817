import assert from "node:assert/strict";
import { blobId } from "../wire/mod.ts";
import { BACKUP_SIZES, MAX_BACKUP } from "./backup/seal.ts";
import { readBlob, writeBlob } from "./blobs.ts";
import { entries, entryId, order, orderId } from "./content/log_records.ts";
import { parseContent } from "./content/mod.ts";
import { backupKeysTable, SELF } from "./records.ts";
import { Vault } from "./storage/mod.ts";
import { contentsOf, goBack } from "./testing/relay_goes_back.ts";
import { ed25519PairOf } from "./keys/mod.ts";
import { backupAtRelay, onConnection } from "./testing/backup_at_relay.ts";
import { writeAsThief } from "./testing/thiefs_backup.ts";
import {
  done,
  fresh,
  meet,
  newcomer,
  online,
  only,
  sees,
  withWorld,
} from "./testing/people.ts";
import { attempt, present } from "./testing/scenario.ts";
import { type Moment, type Person, World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";
const DAY_MS = 86_400_000;

/** Until the backup is in this state, and nothing is under way that would end it. */
async function backupIs(
  world: World,
  { messenger }: Person,
  at: string,
): Promise<void> {
  await world.until(
    () => messenger.backup.value.at === at,
    `a backup is ${at}`,
  );
}

/** What the relay has of it, once the last change is there. */
async function saved(world: World, person: Person & { accessKey: string }) {
  await backupIs(world, person, "saved");
  const backup = await backupAtRelay(world, person.accessKey);
  assert.ok(backup);
  return backup;
}

Deno.test("a new account is in its backup at once, which the access key alone finds and opens", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const { version, size, account, contacts } = await saved(world, ada);
    assert.equal(version, 1);
    assert.equal(size, BACKUP_SIZES[0]);
    assert.equal(account.name, "Ada");
    assert.equal(account.deviceList.version, 1);
    assert.deepEqual(account.settings, {
      deliveryReceipts: true,
      readReceipts: true,
    });
    assert.deepEqual(contacts, []);
  }));

Deno.test("contacts, what was decided about them and settings are in the backup as soon as they change", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    const first = await saved(world, ada);
    const [met] = first.contacts;
    assert.equal(met.record.name, "Bob");
    assert.equal(met.record.devices.length, 1);
    assert.equal(met.accountQueues.length, 1);
    // Its own from other devices, and the one from Bob.
    const [{ queues }] = first.devices;
    assert.deepEqual(queues.map(({ from }) => from === met.record.accountId), [
      false,
      true,
    ]);
    assert.ok(met.record.accountAddress);

    const { contact } = await only(ada);
    await contact.rename("Robert");
    await contact.setMuted(true);
    await contact.setVerified(true);
    await ada.messenger.settings.setReadReceipts(false);
    const second = await saved(world, ada);
    assert.ok(second.version > first.version);
    const [{ record: { settings } }] = second.contacts;
    assert.equal(settings.name.value, "Robert");
    assert.equal(settings.muted.value, true);
    assert.equal(settings.archived.value, false);
    assert.equal(settings.identity.value.verified, true);
    assert.equal(second.account.settings.readReceipts, false);

    await contact.block();
    const third = await saved(world, ada);
    const [blocked] = third.contacts;
    assert.equal(blocked.record.settings.blocked.value, true);
    assert.deepEqual(blocked.record.devices, []);
    assert.equal(third.devices[0].queues.length, 1);
    assert.deepEqual(blocked.accountQueues, []);

    await contact.remove();
    assert.deepEqual((await saved(world, ada)).contacts, []);
    // Who is met again after that is there again.
    await meet(world, ada, bob);
    const last = await saved(world, ada);
    assert.equal(last.contacts.length, 1);
    assert.equal(last.contacts[0].record.settings.name.value, "");
    assert.equal(last.contacts[0].record.devices.length, 1);
  }));

Deno.test("words change nothing in the backup", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    const before = await saved(world, ada);
    await (await only(ada)).send("Hello Bob");
    await world.settle();
    assert.equal((await saved(world, ada)).version, before.version);
  }));

Deno.test("every message tells which version of the backup its author's relay has", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, ada, bob);
    await world.settle();
    const { version } = await saved(world, ada);
    await (await only(ada)).send("Hello Bob");
    await sees(world, await only(bob), ["Hello Bob"]);
    const [{ id }] = bob.messenger.conversations.value;
    await bob.messenger.close();
    const vault = await Vault.open(bob.disk.platform());
    assert.ok(vault instanceof Vault);
    const page = await vault.get(order, orderId(id, 0));
    assert.ok(page);
    const message = await vault.get(entries, entryId(id, page.messages[0]));
    await vault.close();
    const said = message?.state.base?.event;
    assert.ok(said);
    assert.equal(parseContent(said).backupVersion, version);
  }));

Deno.test("what changes without a connection is in the backup once there is one", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await saved(world, ada);
    ada.unreachable = true;
    ada.cut();
    await ada.messenger.settings.setReadReceipts(false);
    assert.equal(ada.messenger.backup.value.at, "waiting");
    await ada.messenger.close();
    ada.unreachable = false;
    await ada.start();
    const { account } = await saved(world, ada);
    assert.equal(account.settings.readReceipts, false);
  }));

Deno.test("two devices that write at once lose nothing of each other's", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await saved(world, ada);
    const other = await fresh(world);
    const { messenger } = other;
    await done(world, messenger.comeBack(ada.accessKey, "beside"));
    await online(world, other);
    await ada.messenger.settings.setReadReceipts(false);
    await other.messenger.settings.setDeliveryReceipts(false);
    await world.settle();
    await backupIs(world, other, "saved");
    const { account: { settings } } = await saved(world, ada);
    assert.deepEqual(settings, {
      deliveryReceipts: false,
      readReceipts: false,
    });
    for (const { messenger } of [ada, other]) {
      assert.equal(messenger.backup.value.wentBack, false);
    }
  }));

Deno.test("a relay that goes back to an older backup is noticed, said so for good, and written over", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await saved(world, ada);
    const before = await contentsOf(world);
    await ada.messenger.settings.setReadReceipts(false);
    const { version } = await saved(world, ada);
    await goBack(world, before);
    await online(world, ada);
    await ada.messenger.settings.setDeliveryReceipts(false);
    const after = await saved(world, ada);
    assert.ok(after.version > version);
    assert.deepEqual(after.account.settings, {
      deliveryReceipts: false,
      readReceipts: false,
    });
    assert.equal(ada.messenger.backup.value.wentBack, true);
    await ada.messenger.close();
    await ada.start();
    await backupIs(world, ada, "saved");
    assert.equal(ada.messenger.backup.value.wentBack, true);
  }));

Deno.test("a relay that lost the backup says so, and the access key makes it anew", () =>
  withWorld(async (world) => {
    const before = await contentsOf(world);
    const ada = await newcomer(world, "Ada");
    const { version } = await saved(world, ada);
    await goBack(world, before);
    await online(world, ada);
    await ada.messenger.settings.setReadReceipts(false);
    await backupIs(world, ada, "failed");
    assert.deepEqual(ada.messenger.backup.value, {
      at: "failed",
      reason: "gone",
      wentBack: false,
    });
    await ada.messenger.logOut();
    assert.deepEqual(await ada.messenger.logIn(ada.accessKey), { ok: true });
    const { account, version: now } = await saved(world, ada);
    assert.equal(account.settings.readReceipts, false);
    assert.ok(now > version);
  }));

Deno.test("a vault without keys for a backup says so, and gets them with the access key", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await ada.messenger.close();
    const vault = await Vault.open(ada.disk.platform());
    assert.ok(vault instanceof Vault);
    await vault.commit([backupKeysTable.delete(SELF)]);
    await vault.close();
    await ada.start();
    assert.equal(ada.messenger.backup.value.at, "no-keys");
    await ada.messenger.logOut();
    assert.deepEqual(await ada.messenger.logIn(ada.accessKey), { ok: true });
    assert.equal((await saved(world, ada)).account.name, "Ada");
  }));

Deno.test("the key that could take the backup over is forgotten once the relay has made it", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await saved(world, ada);
    await ada.messenger.close();
    const vault = await Vault.open(ada.disk.platform());
    assert.ok(vault instanceof Vault);
    const keys = await vault.get(backupKeysTable, SELF);
    await vault.close();
    assert.ok(keys && !("ownSeed" in keys));
  }));

Deno.test("a backup is written anew after a month, long before the relay would drop it", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const { version } = await saved(world, ada);
    for (const [days, written] of [[29, 0], [2, 1]]) {
      await ada.messenger.close();
      world.clock.advance(days * DAY_MS);
      await ada.start();
      await online(world, ada);
      await world.settle();
      assert.equal((await saved(world, ada)).version, version + written);
    }
  }));

/** Ada's settings in a story in which she may die at any moment: both off in the end. */
async function tell(
  world: World,
  happening: (moment: Moment) => boolean,
): Promise<void> {
  const person = world.person();
  const ada = { name: "Ada", person, texts: [] };
  let accessKey = "";
  person.onMoment = happening;
  const alive = async () => {
    while (true) {
      if (!person.alive) await attempt(world, person, () => person.start());
      if (!person.alive) continue;
      if (person.phase === "no-account") {
        await attempt(world, person, async () => {
          const account = await person.messenger.newAccount("Ada");
          accessKey = account.accessKey;
          await account.commit();
        });
      }
      if (person.alive) return await present(world, ada);
    }
  };
  let highest = 0;
  for (const turn of ["read", "delivery", "saved"] as const) {
    while (true) {
      const messenger = await alive();
      const off = turn === "read"
        ? () => messenger.settings.setReadReceipts(false)
        : () => messenger.settings.setDeliveryReceipts(false);
      if (turn !== "saved") await attempt(world, person, off);
      await world.until(
        () => !person.alive || messenger.backup.value.at === "saved",
        "the backup is written",
      );
      if (person.alive) break;
    }
    const backup = await backupAtRelay(world, accessKey);
    assert.ok(backup && backup.version >= highest);
    highest = backup.version;
    assert.equal(backup.account.settings.readReceipts, false);
  }
  const backup = await backupAtRelay(world, accessKey);
  assert.equal(backup?.account.settings.deliveryReceipts, false);
  assert.equal(person.messenger.backup.value.wentBack, false);
  await person.close();
}

Deno.test("a death at any commit and any frame leaves a backup that says all there is, and versions never fall", () =>
  withWorld(async (world) => {
    const counts = (moment: Moment) =>
      SLOW || moment.at === "frame" || moment.when === "before";
    let moments = 0;
    await tell(world, (moment) => {
      if (counts(moment)) moments++;
      return false;
    });
    assert.ok(moments > 14, String(moments));
    for (let chosen = 0; chosen < moments; chosen++) {
      let count = 0;
      await tell(world, (moment) => counts(moment) && count++ === chosen);
    }
  }));

Deno.test("a backup that a newer program has written is left as it is, and the person is told", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    await saved(world, ada);
    await ada.messenger.close();
    const vault = await Vault.open(ada.disk.platform());
    assert.ok(vault instanceof Vault);
    const keys = await vault.get(backupKeysTable, SELF);
    await vault.close();
    assert.ok(keys);
    const [read, write] = await Promise.all(
      [keys.readSeed, keys.writeSeed].map(ed25519PairOf),
    );
    const id = blobId(read.publicKey, keys.ownKey);
    const next = await onConnection(world, async (connection) => {
      const { version, contents } = await readBlob(connection, id, read);
      const newer = contents.slice();
      newer[0]++;
      await writeBlob(connection, id, write, version, newer);
      return newer;
    });
    await ada.start();
    await ada.messenger.settings.setReadReceipts(false);
    await backupIs(world, ada, "failed");
    assert.deepEqual(ada.messenger.backup.value, {
      at: "failed",
      reason: "newer-version",
      wentBack: false,
    });
    await world.settle();
    const there = await onConnection(
      world,
      (connection) => readBlob(connection, id, read),
    );
    assert.deepEqual(there.contents, next);
    const anew = await fresh(world);
    const back = await done(world, anew.messenger.logIn(ada.accessKey));
    assert.deepEqual(back, { ok: false, reason: "newer-version" });
  }));

Deno.test("who has more than the largest backup holds is told, and goes on", () =>
  withWorld(async (world) => {
    const ada = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await saved(world, ada);
    // What a later version of this program may keep there.
    await writeAsThief(world, ada, () => [{
      kind: 127,
      subject: new Uint8Array(),
      stamp: { time: world.clock.now(), device: 1 },
      value: new Uint8Array(MAX_BACKUP - 1_200),
    }]);
    await meet(world, ada, bob);
    await backupIs(world, ada, "failed");
    assert.deepEqual(ada.messenger.backup.value, {
      at: "failed",
      reason: "too-large",
      wentBack: false,
    });
    await (await only(ada)).send("all the same");
    await sees(world, await only(bob), ["all the same"]);
  }));
