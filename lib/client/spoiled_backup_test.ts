import assert from "node:assert/strict";
import { concatBytes } from "@noble/hashes/utils.js";
import {
  type Cell,
  cellName,
  type Cells,
  DEVICE_KIND,
  KINDS,
} from "./backup/cells.ts";
import { backupAtRelay } from "./testing/backup_at_relay.ts";
import {
  done,
  fresh,
  meet,
  newcomer,
  only,
  saved,
  withWorld,
} from "./testing/people.ts";
import {
  accountIdFromBytes,
  deriveAccount,
  Fields,
  newAccessKey,
  newDevice,
  publicDevice,
  signDeviceList,
  writeMessage,
} from "./keys/mod.ts";
import { beside, together } from "./testing/several_devices.ts";
import { writeAsThief } from "./testing/thiefs_backup.ts";
import type { World } from "./testing/world.ts";

const NOBODY = new Uint8Array();
const LAST = Number.MAX_SAFE_INTEGER;

/** A cell about the account that is there, changed. */
function changed(cells: Cells, kind: number, how: Partial<Cell>): Cell {
  const cell = cells.get(cellName({ kind, subject: NOBODY }));
  assert.ok(cell);
  return { ...cell, ...how };
}

const last = { time: LAST, device: 127 };

/** Of each device: a box that nobody can open, and one that is of another queue. */
function undeletable(cells: Cells): Cell[] {
  return [...cells.values()].filter(({ kind }) => kind > DEVICE_KIND)
    .map((cell) => {
      const [own, other] = new Fields(cell.value).repeated(4, 9);
      const [from, id, box] = [[0, 16], [16, 32], [32]];
      const forged = [
        [other.slice(...from), own.slice(...id), other.slice(...box)],
        [other.slice(...from), other.slice(...id), new Uint8Array(81)],
      ];
      const first = writeMessage((writer) => {
        for (const parts of forged) {
          writer.writeBytesField(4, concatBytes(...parts));
        }
      });
      const time = cell.stamp.time + 1_000;
      return {
        ...cell,
        value: concatBytes(first, cell.value),
        stamp: { ...cell.stamp, time },
      };
    });
}

interface Spoiled {
  readonly cells: (cells: Cells) => readonly Cell[];
  /** Of the backup; the next one when it is left out. */
  readonly version?: number;
}

/** What whoever has a device may write to stay in the backup, or to spoil it for the others. */
const SPOILED: Readonly<Record<string, Spoiled>> = {
  "the list of now, for good": {
    cells: (cells) => [
      changed(cells, KINDS.deviceList, { stamp: { time: LAST, device: 0 } }),
    ],
  },
  "the write key of now, for good": {
    cells: (cells) => [
      changed(cells, KINDS.writeKey, { stamp: { time: LAST, device: 0 } }),
    ],
  },
  "what nobody can change any more": {
    cells: (cells) => [changed(cells, KINDS.readReceipts, { stamp: last })],
  },
  "a name that is no text": {
    cells: (
      cells,
    ) => [changed(cells, KINDS.name, { value: Uint8Array.of(0xff) })],
  },
  "a person who is none": {
    cells: () => [
      {
        kind: KINDS.person,
        subject: new Uint8Array(16),
        stamp: last,
        value: Uint8Array.of(0xff, 0xff),
      },
      {
        kind: KINDS.way,
        subject: new Uint8Array(16),
        stamp: last,
        value: NOBODY,
      },
    ],
  },
  "queues that nobody can delete": { cells: undeletable },
  "the last version there is": { cells: () => [], version: 0x7fff_fff0 },
};

async function isGone(
  world: World,
  { cells, version }: Spoiled,
  what: string,
): Promise<void> {
  const { phone, laptop } = await together(world);
  await world.settle();
  await laptop.messenger.close();
  await writeAsThief(world, laptop, cells, version);
  const { devices } = phone.messenger;
  const other = devices.list.value.find(({ own }) => !own);
  assert.ok(other);
  const removal = devices.remove(other.id, phone.accessKey);
  assert.deepEqual(await done(world, removal), { ok: true }, what);
  await phone.messenger.settings.setReadReceipts(false);
  await saved(world, phone);
  const backup = await backupAtRelay(world, phone.accessKey);
  assert.ok(backup);
  const { account, contacts } = backup;
  assert.equal(account.deviceList.version, 3, what);
  assert.equal(account.writeKey.epoch, 2, what);
  assert.equal(account.settings.readReceipts, false, what);
  assert.equal(account.name, "Ada", what);
  assert.ok(backup.version < 100, what);
  assert.deepEqual(contacts.map(({ record }) => record.name), ["Bob"], what);
}

Deno.test("a device that wrote into the backup what would keep it there, or spoil it, can be removed, and nothing of that stays", async () => {
  for (const [what, spoiled] of Object.entries(SPOILED)) {
    await withWorld((world) => isGone(world, spoiled, what));
  }
});

/** Of these nothing shows until something is chosen after them. */
const NOTHING_LATER = [
  SPOILED["what nobody can change any more"],
  SPOILED["queues that nobody can delete"],
  { cells: () => [], version: 0x7fff_fffe },
];

Deno.test("who comes back with the access key can choose all anew, and come back again, whatever a device wrote into the backup", async () => {
  for (const { cells, version } of NOTHING_LATER) {
    await withWorld(async (world) => {
      const ada = await newcomer(world, "Ada");
      await meet(world, ada, await newcomer(world, "Bob"));
      await saved(world, ada);
      await ada.messenger.close();
      await writeAsThief(world, ada, cells, version);
      const { accessKey } = ada;
      for (const on of [false, true]) {
        const back = await fresh(world);
        const outcome = back.messenger.comeBack(accessKey, "instead");
        assert.deepEqual(await done(world, outcome), { ok: true });
        await back.messenger.settings.setReadReceipts(on);
        await world.settle();
        await saved(world, back);
        const backup = await backupAtRelay(world, accessKey);
        assert.equal(backup?.account.settings.readReceipts, on);
        const other = await beside(world, { accessKey });
        assert.equal(other.messenger.settings.readReceipts.value, on);
        await other.messenger.settings.setDeliveryReceipts(on);
        await world.until(
          () => back.messenger.settings.deliveryReceipts.value === on,
          "what one device chooses the other hears",
        );
        await back.messenger.close();
        await other.messenger.close();
      }
    });
  }
});

Deno.test("nobody stands beside by a version that the devices there are do not follow", () =>
  withWorld(async (world) => {
    const { laptop, phone } = await together(world);
    await phone.messenger.close();
    await laptop.messenger.close();
    await writeAsThief(world, laptop, () => [], 0x7fff_fff0);
    const other = await fresh(world);
    const outcome = other.messenger.comeBack(phone.accessKey, "beside");
    assert.deepEqual(await done(world, outcome), {
      ok: false,
      reason: "damaged",
    });
    await phone.start();
    await phone.messenger.settings.setReadReceipts(false);
    await world.settle();
    await saved(world, phone);
    await beside(world, phone);
  }));

Deno.test("a device that wrote another write key into the backup keeps nobody from standing beside", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await together(world);
    await world.settle();
    await laptop.messenger.close();
    await writeAsThief(
      world,
      laptop,
      (cells) => [
        changed(cells, KINDS.writeKey, {
          value: new Uint8Array(32).fill(7),
          stamp: { time: 1, device: 127 },
        }),
      ],
    );
    await phone.messenger.settings.setReadReceipts(false);
    await world.settle();
    await saved(world, phone);
    await beside(world, phone);
  }));

/** Bob, as somebody says he is who has a device of Ada's: under a key of theirs, and compared. */
async function inBobsPlace(cells: Cells): Promise<readonly Cell[]> {
  const person = [...cells.values()].find(({ kind }) => kind === KINDS.person);
  assert.ok(person);
  const { subject, value, stamp } = person;
  const { accountKey } = deriveAccount(newAccessKey());
  const device = publicDevice(await newDevice(1));
  const accountId = accountIdFromBytes(subject);
  const devices = [device];
  const first = signDeviceList({ accountId, accountKey, devices });
  const second = { accountId, accountKey, devices, before: first };
  const { bytes } = signDeviceList({
    ...second,
    before: signDeviceList(second),
  });
  const later = { time: stamp.time + 1_000, device: 127 };
  const metAt = new Fields(value).uint(4, 0, LAST);
  return [
    {
      kind: KINDS.person,
      subject,
      stamp: later,
      value: writeMessage((writer) => {
        writer.writeStringField(1, "Bob");
        writer.writeBytesField(2, accountKey.publicKey);
        writer.writeBytesField(3, bytes);
        writer.writeVarintField(4, metAt);
      }),
    },
    {
      kind: KINDS.identity,
      subject,
      stamp: later,
      value: writeMessage((writer) => {
        writer.writeBytesField(1, accountKey.publicKey);
        writer.writeBytesField(2, device.identityKey);
        writer.writeVarintField(3, 1);
      }),
    },
  ];
}

Deno.test("a device that wrote into the backup puts nobody in the place of a contact, neither on other devices nor for who comes back", () =>
  withWorld(async (world) => {
    const { phone, laptop } = await together(world);
    await world.settle();
    await laptop.messenger.close();
    await writeAsThief(world, laptop, inBobsPlace);
    const { contact } = await only(phone);
    const { groups } = await contact.safetyNumber();
    await contact.setVerified(true);
    await world.settle();
    await saved(world, phone);
    assert.deepEqual((await contact.safetyNumber()).groups, groups);
    assert.equal(contact.state.value.verification, "verified");
    assert.equal(contact.state.value.deviceLeft, false);
    await phone.messenger.close();
    await writeAsThief(world, laptop, inBobsPlace);
    const back = await fresh(world);
    const outcome = back.messenger.comeBack(phone.accessKey, "instead");
    assert.deepEqual(await done(world, outcome), {
      ok: false,
      reason: "damaged",
    });
  }));
