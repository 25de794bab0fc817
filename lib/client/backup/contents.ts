/** What a backup says, read from its cells. docs/protocol.md § Backup. */
import { equalBytes } from "@noble/ciphers/utils.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { queueId } from "../../wire/mod.ts";
import {
  type ContactSettings,
  type KnownIdentity,
  newSettings,
} from "../contact_settings.ts";
import {
  accountIdBy,
  accountIdFromBytes,
  checkOrigin,
  type Device,
  type DeviceList,
  ed25519PairOf,
  Fields,
  isOwnAddress,
  MalformedError,
  MAX_SUCCESSIONS,
  verifyDeviceList,
} from "../keys/mod.ts";
import { POOL_WAY_BYTES } from "../content/limits.ts";
import type { ContactRecord } from "../records.ts";
import type { Stamped } from "../stamped.ts";
import {
  type Cell,
  cellName,
  type Cells,
  DEVICE_KIND,
  KINDS,
} from "./cells.ts";
import type {
  AccountQueue,
  BackedAccount,
  BackedContact,
  BackedDevice,
  BackedQueue,
} from "./held.ts";

export interface BackupContents {
  /** What the account is called in every list and card: the id of its first key. */
  readonly accountId: string;
  readonly account: BackedAccount;
  readonly contacts: readonly BackedContact[];
  readonly devices: readonly BackedDevice[];
}

const MAX_DEVICES = 127;
/** Far more than fit in the largest backup. */
const MAX_CONTACTS = 100_000;
/** A removed seed: 32 bytes in a sealed box. */
const SEALED_SEED = 81;
const QUEUE_ID = 16;
/** The present one, and such as contacts may still know. */
const MAX_ACCOUNT_QUEUES = 127;
const NOBODY = new Uint8Array();
const MAX_U32 = 0xffff_ffff;
const MAX_TIME = 8_640_000_000_000_000; // the last moment a Date can hold

/**
 * Everything that the backup of the account of this key (33 bytes) says and this program knows.
 * @throws {MalformedError} and what `verifyDeviceList` does
 */
export async function readContents(
  cells: Cells,
  accountKey: Uint8Array,
): Promise<BackupContents> {
  const own = (kind: number) => needed(cells, kind, new Uint8Array());
  const successions = readSuccessions(cells);
  const accountId = await accountIdBy(accountKey, successions);
  const owner = { accountId, accountKey };
  const listed = own(KINDS.deviceList);
  const list = await verifyDeviceList(listed.value, owner);
  // Under a later stamp an old list would stay, with whoever was removed since.
  if (listed.stamp.time !== list.version) throw new MalformedError("list");
  const writeKey = own(KINDS.writeKey);
  if (writeKey.value.length !== 32) throw new MalformedError("write key");
  const account: BackedAccount = {
    name: readText(own(KINDS.name).value),
    successions,
    deviceList: { version: list.version, bytes: list.bytes },
    settings: {
      deliveryReceipts: readYesOrNo(own(KINDS.deliveryReceipts).value),
      readReceipts: readYesOrNo(own(KINDS.readReceipts).value),
    },
    writeKey: { epoch: writeKey.stamp.time, seed: writeKey.value },
  };
  // A removal may come between the two cells of a contact: then the contact was removed.
  const people = [...cells.values()].filter(({ kind, subject }) =>
    kind === KINDS.person && cells.has(cellName({ kind: KINDS.way, subject }))
  );
  const contacts = await Promise.all(
    people.map((person) => readContact(cells, person)),
  );
  return {
    accountId,
    account,
    contacts: contacts.sort((a, b) => a.record.metAt - b.record.metAt),
    devices: await Promise.all(list.devices.flatMap((device) => {
      const about = { kind: DEVICE_KIND + device.id, subject: NOBODY };
      const cell = cells.get(cellName(about));
      return cell && cell.value.length > 0
        ? readDeviceCell(device, accountId, cell.value)
        : [];
    })),
  };
}

async function readDeviceCell(
  device: Device,
  accountId: string,
  value: Uint8Array,
): Promise<BackedDevice> {
  const fields = new Fields(value);
  const address = fields.bytes(1);
  const signature = fields.has(5) ? fields.bytes(5) : NOBODY;
  const since = fields.has(6) ? fields.uint(6, 0, MAX_U32) : 0;
  const said = { accountId, address, since };
  const own = await isOwnAddress(device, said, signature);
  return {
    id: device.id,
    address: own ? address : NOBODY,
    signature: own ? signature : NOBODY,
    since: own ? since : 0,
    name: fields.text(2),
    day: fields.uint(3, 0, MAX_TIME),
    queues: fields.repeated(4, MAX_CONTACTS).map((bytes) => ({
      from: accountIdFromBytes(bytes.slice(0, 16)),
      ...readQueue(bytes.slice(16)),
    })),
  };
}

function readSuccessions(cells: Cells): readonly Uint8Array[] {
  const subject = new Uint8Array();
  const cell = cells.get(cellName({ kind: KINDS.successions, subject }));
  if (!cell) return [];
  const statements = new Fields(cell.value).repeated(1, MAX_SUCCESSIONS);
  if (cell.stamp.time !== statements.length) {
    throw new MalformedError("successions");
  }
  return statements;
}

async function readContact(
  cells: Cells,
  { subject, value }: Cell,
): Promise<BackedContact> {
  const person = new Fields(value);
  const identity = {
    accountId: accountIdFromBytes(sized(subject, 16)),
    accountKey: person.bytes(2, 33),
  };
  // Another device may be in somebody else's hands: it puts nobody in a contact's place.
  const successions = person.repeated(5, MAX_SUCCESSIONS);
  const whose = await accountIdBy(identity.accountKey, successions);
  if (whose !== identity.accountId) throw new MalformedError("account key");
  const deviceList = await verifyDeviceList(person.bytes(3), identity);
  const way = new Fields(needed(cells, KINDS.way, subject).value);
  const record: BackedContact["record"] = {
    accountId: identity.accountId,
    name: person.text(1),
    accountKey: identity.accountKey,
    successions,
    deviceList: deviceList.bytes,
    devices: way.repeated(1, MAX_DEVICES).map(readDevice),
    ...way.has(2) ? { accountAddress: way.bytes(2) } : {},
    metAt: person.uint(4, 0, MAX_TIME),
    settings: readSettings(cells, subject, { ...identity, deviceList }),
  };
  return {
    record,
    queues: way.repeated(4, MAX_DEVICES + 1).map(readQueue),
    accountQueues: placed(
      await Promise.all(
        way.repeated(3, MAX_ACCOUNT_QUEUES).map(readAccountQueue),
      ),
      way.repeated(5, MAX_ACCOUNT_QUEUES),
    ),
  };
}

/** Those that are at relays which the account has left say where: queue 16 ‖ relay key 32 ‖ URL. */
function placed(
  queues: readonly AccountQueue[],
  places: readonly Uint8Array[],
): AccountQueue[] {
  return queues.map((queue) => {
    const id = queueId(queue.send.publicKey);
    const place = places.find((bytes) =>
      equalBytes(bytes.slice(0, QUEUE_ID), id)
    );
    if (!place) return queue;
    const key = sized(place.slice(QUEUE_ID, QUEUE_ID + 32), 32);
    const url = readText(place.slice(QUEUE_ID + 32));
    checkOrigin(url);
    return { ...queue, left: { url, key } };
  });
}

function readDevice(bytes: Uint8Array): ContactRecord["devices"][number] {
  const device = new Fields(bytes);
  return {
    id: device.uint(1, 1, MAX_DEVICES),
    address: device.bytes(2),
    ...device.has(3) ? { pool: device.bytes(3, POOL_WAY_BYTES) } : {},
  };
}

function readQueue(bytes: Uint8Array): BackedQueue {
  sized(bytes, QUEUE_ID + SEALED_SEED);
  return { id: bytes.slice(0, QUEUE_ID), removeKey: bytes.slice(QUEUE_ID) };
}

async function readAccountQueue(bytes: Uint8Array): Promise<AccountQueue> {
  sized(bytes, bytes.length > 96 ? 128 : 96);
  return {
    receive: await ed25519PairOf(bytes.slice(0, 32)),
    send: await ed25519PairOf(bytes.slice(32, 64)),
    sealKey: bytes.slice(64, 96),
    ...bytes.length > 96
      ? { remove: await ed25519PairOf(bytes.slice(96)) }
      : {},
  };
}

function readSettings(
  cells: Cells,
  subject: Uint8Array,
  identity: { accountKey: Uint8Array; deviceList: DeviceList },
): ContactSettings {
  const nothing = newSettings(identity);
  const chosen = <T>(
    kind: number,
    read: (value: Uint8Array) => T,
    otherwise: Stamped<T>,
  ): Stamped<T> => {
    const cell = cells.get(cellName({ kind, subject }));
    return cell ? { value: read(cell.value), ...cell.stamp } : otherwise;
  };
  return {
    name: chosen(KINDS.ownName, readText, nothing.name),
    muted: chosen(KINDS.muted, readYesOrNo, nothing.muted),
    archived: chosen(KINDS.archived, readYesOrNo, nothing.archived),
    blocked: chosen(KINDS.blocked, readYesOrNo, nothing.blocked),
    identity: chosen(KINDS.identity, readIdentity, nothing.identity),
  };
}

function readIdentity(bytes: Uint8Array): KnownIdentity {
  const fields = new Fields(bytes);
  return {
    accountKey: fields.bytes(1, 33),
    deviceKeys: fields.repeated(2, MAX_DEVICES).map((key) => sized(key, 33)),
    verified: fields.uint(3, 0, 1) === 1,
  };
}

function readText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    throw new MalformedError("text");
  }
}

function readYesOrNo(bytes: Uint8Array): boolean {
  if (bytes.length !== 1 || bytes[0] > 1) throw new MalformedError("choice");
  return bytes[0] === 1;
}

function sized(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new MalformedError("length");
  return bytes;
}

function needed(cells: Cells, kind: number, subject: Uint8Array): Cell {
  const cell = cells.get(cellName({ kind, subject }));
  if (!cell) {
    throw new MalformedError(`no cell ${kind} of ${bytesToHex(subject)}`);
  }
  return cell;
}
