/** Somebody who lost their device and goes on with another: same account, a later signed list. */
import assert from "node:assert/strict";
import {
  deriveAccount,
  type DeviceList,
  parseAccessKey,
  parseOwnDevice,
  publicDevice,
  signDeviceList,
  verifyDeviceList,
} from "../keys/mod.ts";
import { createAccount } from "../new_device.ts";
import { type AccountRecord, accountTable, SELF } from "../records.ts";
import { Vault } from "../storage/mod.ts";
import { online } from "./people.ts";
import type { Person, World } from "./world.ts";

/** A started person with the account of `accessKey` on a new device, whose list follows `before`. */
export async function otherDevice(
  world: World,
  name: string,
  accessKey: string,
  before: DeviceList | undefined,
): Promise<Person> {
  const account = await deriveAccount(keyOf(accessKey));
  const { recoveryKey, changes } = await createAccount(
    name,
    keyOf(accessKey),
    world.clock.now(),
  );
  const [made] = changes.filter(({ table }) => table === accountTable.name);
  assert.ok(made.value);
  const record = accountTable.codec.decode(made.value);
  const list = signDeviceList({
    accountId: account.accountId,
    accountKey: account.accountKey,
    devices: [publicDevice(await parseOwnDevice(record.device))],
    before,
  });
  const person = world.person();
  const vault = await Vault.create(
    person.disk.platform(),
    { recoveryPublicKey: recoveryKey },
    [...changes, accountTable.put(SELF, { ...record, deviceList: list.bytes })],
  );
  await vault.close();
  await person.start();
  await online(world, person);
  return person;
}

/** The device list of somebody who is not there. */
export async function deviceListOf(person: Person): Promise<DeviceList> {
  const vault = await Vault.open(person.disk.platform());
  assert.ok(vault instanceof Vault);
  const record: AccountRecord | undefined = await vault.get(accountTable, SELF);
  await vault.close();
  assert.ok(record);
  return await verifyDeviceList(record.deviceList, record);
}

function keyOf(accessKey: string) {
  const reading = parseAccessKey(accessKey);
  assert.ok(reading.ok);
  return reading.key;
}
