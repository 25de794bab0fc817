import assert from "node:assert/strict";
import { generateKeyPair, type KeyPair } from "../../signal/mod.ts";
import {
  deriveAccount,
  MalformedError,
  newAccessKey,
  newDevice,
  newQueue,
  type OwnDevice,
  publicDevice,
  sealRemoveKey,
  signDeviceList,
  signOwnAddress,
  signSuccession,
} from "../keys/mod.ts";
import { decided, newSettings } from "../contact_settings.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import { cellName, KINDS } from "./cells.ts";
import { readContents } from "./contents.ts";
import {
  type BackedAccount,
  type BackedContact,
  type BackedDevice,
  heldOfAccount,
  heldOfContact,
  heldOfDevice,
} from "./held.ts";
import { stated } from "./restate.ts";

const NOW = { now: 5_000, device: 1 };

async function someone() {
  const account = deriveAccount(newAccessKey());
  const { accountKey, accountId } = account;
  const device = await newDevice(1);
  const deviceList = await listBy(accountKey, accountId, device);
  return { account, deviceList, device };
}

async function listBy(
  accountKey: KeyPair,
  accountId: string,
  device?: OwnDevice,
) {
  const devices = [publicDevice(device ?? await newDevice(1))];
  return signDeviceList({ accountId, accountKey, devices });
}

async function backedAccount() {
  const { account, deviceList, device } = await someone();
  const backed: BackedAccount = {
    name: "Ada",
    successions: [],
    deviceList: { version: deviceList.version, bytes: deviceList.bytes },
    settings: { deliveryReceipts: true, readReceipts: false },
    writeKey: { epoch: 3, seed: new Uint8Array(32).fill(7) },
  };
  const owner = {
    accountId: account.accountId,
    accountKey: account.accountKey.publicKey,
  };
  return { backed, owner, device, recoveryKey: account.recovery.publicKey };
}

async function backedContact(
  recoveryKey: Uint8Array,
  metAt: number,
): Promise<BackedContact> {
  const { account, deviceList } = await someone();
  const queue = await newQueue();
  const identity = { accountKey: account.accountKey.publicKey, deviceList };
  const { receive, send, sealKey } = queue;
  return {
    record: {
      accountId: account.accountId,
      name: "Bob",
      accountKey: identity.accountKey,
      successions: [],
      deviceList: deviceList.bytes,
      devices: [{ id: 1, address: Uint8Array.of(1, 2, 3) }],
      accountAddress: Uint8Array.of(4, 5, 6),
      metAt,
      settings: decided(newSettings(identity), {
        name: "Bobby",
        muted: true,
        identity: {
          accountKey: identity.accountKey,
          deviceKeys: deviceList.devices.map(({ identityKey }) => identityKey),
          verified: true,
        },
      }, NOW),
    },
    queues: [{
      id: new Uint8Array(16).fill(9),
      removeKey: await sealRemoveKey(recoveryKey, queue),
    }],
    accountQueues: [{ receive, send, sealKey }],
  };
}

Deno.test("an account and its contacts come back from a backup as they were", async () => {
  const { backed, owner, device: own, recoveryKey } = await backedAccount();
  const first = await backedContact(recoveryKey, 1_000);
  const second = await backedContact(recoveryKey, 2_000);
  const { accountAddress: _, ...left } = second.record;
  const parted = {
    record: { ...left, devices: [] },
    queues: [],
    accountQueues: [],
  };
  const address = new Uint8Array(100).fill(8);
  const device: BackedDevice = {
    id: 1,
    address,
    signature: signOwnAddress(own, {
      accountId: owner.accountId,
      address,
      since: 4,
    }),
    since: 4,
    name: "Firefox on Linux",
    day: 20_000,
    queues: [{ from: first.record.accountId, ...first.queues[0] }],
  };
  const { cells } = stated(
    [
      ...heldOfAccount(backed),
      ...[parted, first].flatMap((contact) => heldOfContact(contact)),
      heldOfDevice(device),
    ],
    NOW,
  );
  const contents = await readContents(
    parseCells(encodeCells(cells)),
    owner.accountKey,
  );
  assert.deepEqual(contents, {
    accountId: owner.accountId,
    account: backed,
    contacts: [first, parted],
    devices: [device],
  });
});

Deno.test("where a device receives is believed as it has signed that itself, for its account, its place in the list and a list, and nothing else", async () => {
  const { backed, owner, device } = await backedAccount();
  const address = new Uint8Array(100).fill(8);
  const said = { accountId: owner.accountId, address, since: 4 };
  const { account } = await someone();
  const wrong = [
    signOwnAddress(await newDevice(1), said),
    signOwnAddress({ ...device, id: 2 }, said),
    signOwnAddress(device, { ...said, address: new Uint8Array(100) }),
    signOwnAddress(device, { ...said, accountId: account.accountId }),
    signOwnAddress(device, { ...said, since: 3 }),
    new Uint8Array(64),
    new Uint8Array(),
  ];
  const right = signOwnAddress(device, said);
  for (const signature of [...wrong, right]) {
    const cell = heldOfDevice({
      ...said,
      id: 1,
      signature,
      name: "",
      day: 1,
      queues: [],
    });
    const { cells } = stated([...heldOfAccount(backed), cell], NOW);
    const { devices: [read] } = await readContents(cells, owner.accountKey);
    assert.deepEqual(
      [read.address, read.since],
      signature === right ? [address, 4] : [new Uint8Array(), 0],
    );
  }
});

Deno.test("a contact takes about a kilobyte", async () => {
  const { recoveryKey } = await backedAccount();
  const contact = await backedContact(recoveryKey, 1_000);
  const { length } = encodeCells(stated(heldOfContact(contact), NOW).cells);
  assert.ok(length < 1_200, String(length));
});

Deno.test("what is no backup of this account is refused", async () => {
  const { backed, owner, recoveryKey } = await backedAccount();
  const contact = await backedContact(recoveryKey, 1_000);
  const { cells } = stated(
    [...heldOfAccount(backed), ...heldOfContact(contact)],
    NOW,
  );
  const other = await backedAccount();
  await assert.rejects(readContents(cells, other.owner.accountKey));
  const without = new Map(cells);
  without.delete(cellName({ kind: KINDS.name, subject: new Uint8Array() }));
  await assert.rejects(readContents(without, owner.accountKey), MalformedError);
});

Deno.test("a contact is who can show how their key came from the first, and nobody in their place", async () => {
  const { backed, owner, recoveryKey } = await backedAccount();
  const { account } = await someone();
  const { accountId } = account;
  const next = await generateKeyPair();
  const statement = signSuccession(
    accountId,
    account.accountKey,
    next.publicKey,
  );
  const known = await backedContact(recoveryKey, 1_000);
  const read = async (key: KeyPair, successions: readonly Uint8Array[]) => {
    const record = {
      ...known.record,
      accountId,
      accountKey: key.publicKey,
      successions,
      deviceList: (await listBy(key, accountId)).bytes,
    };
    const held = [
      ...heldOfAccount(backed),
      ...heldOfContact({ ...known, record }),
    ];
    const { cells } = stated(held, NOW);
    const { contacts } = await readContents(cells, owner.accountKey);
    assert.deepEqual(contacts, [{ ...known, record }]);
  };
  await read(account.accountKey, []);
  await read(next, [statement]);
  await assert.rejects(read(next, []), MalformedError);
  const other = await generateKeyPair();
  await assert.rejects(read(other, []), MalformedError);
  await assert.rejects(read(other, [statement]), MalformedError);
  const forged = signSuccession(accountId, other, other.publicKey);
  await assert.rejects(read(other, [forged]), MalformedError);
});
