/** People for the tests of invites: real accounts, devices, bundles and queues. */
import {
  type Account,
  type Address,
  addressOf,
  deriveAccount,
  newAccessKey,
  newDevice,
  newQueue,
  type OwnDevice,
  publicDevice,
  signDeviceList,
} from "../keys/mod.ts";
import {
  generateKyberPreKey,
  generatePreKey,
  generateSignedPreKey,
  type LocalDevice,
  type PreKeyBundle,
  type PreKeySource,
} from "../../signal/mod.ts";
import type { Card, CardDevice } from "./card.ts";

export interface TestDevice {
  readonly own: OwnDevice;
  readonly local: LocalDevice;
  readonly bundle: PreKeyBundle;
  readonly preKeys: PreKeySource;
}

export interface Person {
  readonly account: Account;
  readonly devices: readonly TestDevice[];
  readonly card: Card;
}

export const RELAY = {
  url: "https://relay.example",
  key: new Uint8Array(32).fill(0x52),
};

async function newAddress(): Promise<Address> {
  return addressOf(await newQueue(), RELAY);
}

async function newTestDevice(
  account: Account,
  id: number,
): Promise<TestDevice> {
  const own = await newDevice(id);
  const signed = await generateSignedPreKey(1, own.identity);
  const kyber = await generateKyberPreKey(2, own.identity);
  const once = await generatePreKey(3);
  return {
    own,
    local: {
      identity: own.identity,
      registrationId: own.registrationId,
      address: { serviceId: account.accountId, deviceId: id },
    },
    bundle: {
      registrationId: own.registrationId,
      deviceId: id,
      identityKey: own.identity.publicKey,
      signedPreKey: {
        id: signed.id,
        publicKey: signed.keyPair.publicKey,
        signature: signed.signature,
      },
      kyberPreKey: {
        id: kyber.id,
        publicKey: kyber.publicKey,
        signature: kyber.signature,
      },
      preKey: { id: once.id, publicKey: once.keyPair.publicKey },
    },
    preKeys: {
      signedPreKey: (id) => Promise.resolve(id === 1 ? signed : undefined),
      kyberPreKey: (id) => Promise.resolve(id === 2 ? kyber : undefined),
      preKey: (id) => Promise.resolve(id === 3 ? once : undefined),
    },
  };
}

/** A new person with devices 1..`deviceCount`, each with `bundles` bundles in the card. */
export async function newPerson(
  displayName: string,
  { deviceCount = 1, bundles = 1 } = {},
): Promise<Person> {
  const account = deriveAccount(newAccessKey());
  const devices = await Promise.all(
    Array.from(
      { length: deviceCount },
      (_, index) => newTestDevice(account, index + 1),
    ),
  );
  const deviceList = signDeviceList({
    accountId: account.accountId,
    accountKey: account.accountKey,
    devices: devices.map(({ own }) => publicDevice(own)),
  });
  const entries = await Promise.all(
    devices.map(async ({ own, bundle }): Promise<CardDevice> => ({
      device: publicDevice(own),
      address: await newAddress(),
      bundles: Array<PreKeyBundle>(bundles).fill(bundle),
    })),
  );
  return {
    account,
    devices,
    card: {
      displayName,
      accountId: account.accountId,
      accountKey: account.accountKey.publicKey,
      successions: [],
      deviceList,
      devices: entries,
      accountQueue: await newAddress(),
    },
  };
}
