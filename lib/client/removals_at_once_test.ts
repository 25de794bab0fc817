/**
 * Two devices of one person change which devices there are, at one moment: the first comes to a halt in
 * the middle, or dies there, the second does its work, and the first goes on. In the end there is one list.
 */
import assert from "node:assert/strict";
import {
  type ContactRecord,
  contactsTable,
  contactTable,
  SELF,
} from "./records.ts";
import { MemoryDisk, Vault } from "./storage/mod.ts";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import {
  done,
  fresh,
  meet,
  newcomer,
  only,
  saved,
  sees,
  withWorld,
} from "./testing/people.ts";
import { beside, knowEachOther, together } from "./testing/several_devices.ts";
import type { Person, World } from "./testing/world.ts";

const SLOW = Deno.env.get("SLOW") === "1";

/** What the second device does while the first, the phone, removes the watch. */
type Second =
  | "removes another"
  | "removes the same"
  | "removes the first"
  | "adds one";

/** Where the first stops: at which frame it sends it waits, or at which commit or frame it dies. */
type Stop =
  | { readonly waits: number }
  | { readonly dies: number };

/** Ada with four devices, which all know each other, and Bob. */
class Household {
  readonly ids = new Map<Person, number>();
  constructor(
    readonly world: World,
    readonly phone: Person & { accessKey: string },
    readonly laptop: Person,
    readonly tablet: Person,
    readonly watch: Person,
    readonly bob: Person,
  ) {
    for (const person of [phone, laptop, tablet, watch]) {
      this.ids.set(person, person.messenger.devices.list.value[0].id);
    }
  }

  static async open(world: World): Promise<Household> {
    const phone = await newcomer(world, "Ada");
    const bob = await newcomer(world, "Bob");
    await meet(world, phone, bob);
    await saved(world, phone);
    const laptop = await beside(world, phone);
    const watch = await beside(world, phone);
    // Who comes later gets an id above the highest, and never the one of the watch.
    const tablet = await beside(world, phone);
    await knowEachOther(world, [phone, laptop, tablet, watch]);
    await world.settle();
    return new Household(world, phone, laptop, tablet, watch, bob);
  }

  get accessKey(): string {
    return this.phone.accessKey;
  }

  knows({ messenger }: Person, other: Person): boolean {
    const id = this.ids.get(other);
    return messenger.devices.list.value.some((device) => device.id === id);
  }

  removes({ messenger }: Person, other: Person) {
    const id = this.ids.get(other);
    assert.ok(id);
    return messenger.devices.remove(id, this.accessKey);
  }

  async close(): Promise<void> {
    for (const person of [...this.ids.keys(), this.bob]) await person.close();
  }
}

/** Who is one of Ada's devices in the end, and who is none any more. */
interface Outcome {
  readonly stay: readonly Person[];
  readonly gone: readonly Person[];
}

/** The second does it; `resume`: what lets the first go on. */
async function second(
  home: Household,
  what: Second,
  resume: () => Promise<void>,
): Promise<Outcome> {
  const { world, phone, laptop, tablet, watch } = home;
  switch (what) {
    case "removes another": {
      const outcome = await done(world, home.removes(laptop, tablet));
      assert.deepEqual(outcome, { ok: true });
      return { stay: [phone, laptop], gone: [tablet, watch] };
    }
    case "removes the same": {
      const outcome = await done(world, home.removes(laptop, watch));
      const gone = !outcome.ok && outcome.reason === "no-such-device";
      assert.ok(outcome.ok || gone, JSON.stringify(outcome));
      return { stay: [phone, laptop, tablet], gone: [watch] };
    }
    case "removes the first": {
      const outcome = await done(world, home.removes(laptop, phone));
      assert.deepEqual(outcome, { ok: true });
      // What the first had begun was done before, or never will be.
      return home.knows(laptop, watch)
        ? { stay: [laptop, tablet, watch], gone: [phone] }
        : { stay: [laptop, tablet], gone: [phone, watch] };
    }
    case "adds one": {
      const desk = await fresh(world);
      const come = () =>
        done(world, desk.messenger.comeBack(home.accessKey, "beside"));
      const outcome = await come();
      if (!outcome.ok) {
        // The first has begun an epoch, and nobody writes before it does.
        assert.equal(outcome.reason, "unreachable");
        await resume();
        await world.settle();
        assert.deepEqual(await come(), { ok: true });
      }
      home.ids.set(desk, desk.messenger.devices.list.value[0].id);
      return { stay: [phone, laptop, tablet, desk], gone: [watch] };
    }
  }
}

/** All devices of Ada's agree, and Bob with them, and nobody is alarmed. */
async function agree(
  { world, accessKey, bob, ids }: Household,
  { stay, gone }: Outcome,
): Promise<void> {
  for (const person of gone) {
    await world.until(() => person.phase === "removed", "it is told");
    assert.deepEqual(person.disk.entries(), []);
  }
  const expected = stay.map((person) => ids.get(person)).sort().join();
  const listOf = ({ messenger }: Person) =>
    messenger.devices.list.value.map(({ id }) => id).sort().join();
  await world.until(
    () => stay.every((person) => listOf(person) === expected),
    "all have one list",
  );
  await world.settle();
  for (const person of stay) {
    await saved(world, person);
    assert.equal(person.messenger.standing.value, "current");
    assert.equal(person.messenger.backup.value.wentBack, false);
  }
  const backup = await backupAtRelay(world, accessKey);
  assert.equal(backup?.devices.length, stay.length);
  await (await only(bob)).send("to Ada");
  await world.until(
    () =>
      stay.every(({ messenger }) =>
        messenger.conversations.value[0].unread > 0
      ),
    "all hear Bob",
  );
  for (const person of stay) await (await only(person)).send("to Bob");
  const { messages } = await only(bob);
  await world.until(
    () => messages.value.length === 1 + stay.length,
    "Bob hears all",
  );
  await world.settle();
  const { listClaim, deviceLeft } = await onDisk(bob);
  assert.equal(listClaim, undefined, "Bob is not warned");
  assert.equal(deviceLeft, true, "and sees that a device went");
}

/** What is on disk of the one contact. */
async function onDisk({ disk }: Person): Promise<ContactRecord> {
  const copy = new MemoryDisk();
  copy.copy(disk);
  const vault = await Vault.open(copy.platform());
  assert.ok(vault instanceof Vault);
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  const contact = await vault.get(contactTable, ids[0]);
  await vault.close();
  assert.ok(contact);
  return contact;
}

/** Stops the first at that moment of its removal; false when it was over before. */
async function stopped(
  { world, phone }: Household,
  removal: () => Promise<unknown>,
  stop: Stop,
): Promise<boolean> {
  let moments = 0;
  let reached = false;
  phone.onMoment = (moment) => {
    const sends = moment.at === "frame" && moment.way === "out";
    if ("waits" in stop) {
      if (sends && moments++ === stop.waits) {
        phone.hold();
        reached = true;
      }
      return false;
    }
    const now = moments++ === stop.dies;
    reached ||= now;
    return now;
  };
  let ended = false;
  removal().catch(() => {}).finally(() => ended = true);
  await world.until(() => reached || ended, "the first has got so far");
  phone.onMoment = undefined;
  return reached;
}

/** Gives whether the first came so far. */
async function story(world: World, what: Second, stop: Stop): Promise<boolean> {
  const home = await Household.open(world);
  const { phone, watch } = home;
  let removal: ReturnType<Household["removes"]> | undefined;
  const reached = await stopped(
    home,
    () => removal = home.removes(phone, watch),
    stop,
  );
  const resume = async () => {
    phone.release();
    if (!phone.alive) await phone.start();
  };
  const outcome = await second(home, what, resume);
  await resume();
  if (outcome.stay.includes(phone)) {
    if (removal && "waits" in stop) await done(world, removal);
    await world.settle();
    // Whoever died, or had to wait for so long that the connection counted as lost, may have to say it again.
    if (home.knows(phone, watch)) {
      const again = await done(world, home.removes(phone, watch));
      assert.deepEqual(again, { ok: true });
    }
  }
  await agree(home, outcome);
  await home.close();
  return reached;
}

/** Every moment there is when it may take its time, and else those given. */
function tell(
  what: Second,
  how: "waits" | "dies",
  moments: readonly number[],
): Promise<void> {
  return withWorld(async (world) => {
    if (!SLOW) {
      for (const moment of moments) {
        const stop = how === "waits" ? { waits: moment } : { dies: moment };
        assert.ok(await story(world, what, stop));
      }
      return;
    }
    let moment = 0;
    const stop = () => how === "waits" ? { waits: moment } : { dies: moment };
    while (await story(world, what, stop())) moment++;
    assert.ok(moment > 4, String(moment));
  });
}

// The first sends: the keys of the next epoch, a question for the backup, the backup, and both questions again.

Deno.test("two devices that each remove another at once: both of these go, there is one list, and nobody is alarmed", () =>
  tell("removes another", "waits", [1, 3]));

Deno.test("two devices that remove the same one at once: it goes once", () =>
  tell("removes the same", "waits", [2]));

Deno.test("a device that is removed while it removes another: it goes, and so does the other or nobody else", () =>
  tell("removes the first", "waits", [3]));

Deno.test("a device that comes while another is removed: the one comes, the other goes", () =>
  tell("adds one", "waits", [0, 1]));

Deno.test("a device that dies while it removes another, and finds that a third was removed meanwhile, agrees with all when it is back", () =>
  tell("removes another", "dies", [4, 9]));

Deno.test("a device that dies while it removes another, and finds that one came meanwhile, agrees with all when it is back", () =>
  tell("adds one", "dies", [4]));

Deno.test({
  name:
    "a device that dies while it removes another, and is removed itself, is gone when it is back",
  ignore: !SLOW,
  fn: () => tell("removes the first", "dies", []),
});

/** Whether a contact was warned of two lists. Closes them. */
async function warned({ messenger, disk }: Person): Promise<boolean> {
  await messenger.close();
  const vault = await Vault.open(disk.platform());
  assert.ok(vault instanceof Vault);
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  const record = await vault.get(contactTable, ids[0]);
  await vault.close();
  assert.ok(record);
  return record.listClaim !== undefined;
}

/**
 * Somebody comes back instead of all others, and waits with what is `held`-th that is sent until another
 * change is done. Gives whether it sent so many.
 */
async function insteadMeanwhile(
  world: World,
  other: "one comes" | "one is removed",
  held: number,
): Promise<boolean> {
  const { phone, laptop, bob } = await together(world);
  const { accessKey } = phone;
  await world.settle();
  const [back, tablet] = [await fresh(world), await fresh(world)];
  const [{ id }] = laptop.messenger.devices.list.value;
  let sent = 0;
  back.onMoment = (moment) => {
    const out = moment.at === "frame" && moment.way === "out";
    if (out && sent++ === held) back.hold();
    return false;
  };
  const coming = back.messenger.comeBack(accessKey, "instead");
  await world.settle(1_000);
  const change = other === "one comes"
    ? tablet.messenger.comeBack(accessKey, "beside")
    : phone.messenger.devices.remove(id, accessKey);
  // It comes to nothing if the device that does it is gone by then.
  await done<unknown>(world, change.catch(() => {}));
  await world.settle(1_000);
  const waited = sent > held;
  back.onMoment = undefined;
  back.release();
  assert.deepEqual(await done(world, coming), { ok: true });
  await world.settle(70_000);
  await saved(world, back);
  await (await only(bob)).send("to Ada");
  await (await only(back)).send("to Bob");
  for (const person of [bob, back]) {
    await sees(world, await only(person), ["to Ada", "to Bob"]);
  }
  assert.equal(back.messenger.standing.value, "current");
  assert.equal(await warned(bob), false);
  for (const person of [phone, laptop, tablet, back]) await person.close();
  return waited;
}

function insteadAtEveryMoment(
  other: "one comes" | "one is removed",
): Promise<void> {
  return withWorld(async (world) => {
    let held = 0;
    while (await insteadMeanwhile(world, other, held)) held += SLOW ? 1 : 3;
    assert.ok(held > 4, String(held));
  });
}

Deno.test("who comes back instead of all others while one comes, wherever it was by then: there is one list, and nobody is alarmed", () =>
  insteadAtEveryMoment("one comes"));

Deno.test("who comes back instead of all others while one is removed, wherever it was by then: there is one list, and nobody is alarmed", () =>
  insteadAtEveryMoment("one is removed"));
