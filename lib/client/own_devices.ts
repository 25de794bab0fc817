import { names } from "./names_on_demand.ts";
import { equalBytes } from "@noble/ciphers/utils.js";
import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import { type Contact, conversationOf, openContact } from "./contact.ts";
import { newSettings } from "./contact_settings.ts";
import type { DeviceList } from "./keys/mod.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { openAccount, type OwnAccount } from "./own_account.ts";
import { makeQueue } from "./queues.ts";
import {
  type AccountRecord,
  accountTable,
  type OtherDeviceRecord,
  type OwnDevicesRecord,
  ownDevicesTable,
  SELF,
} from "./records.ts";
import { DamagedError } from "./storage/mod.ts";
import type { DeviceNews, DeviceView } from "./view.ts";

const DAY_MS = 86_400_000;
/** Devices that were removed, and what is told of devices, are remembered for so many. */
const MAX_FORMER = 8;
const MAX_NEWS = 16;

/** Days since 1970 at `now` (ms since the epoch). */
export const dayOf = (now: number) => Math.floor(now / DAY_MS);

/** The account with its devices, as far as this one knows them. */
export interface OwnState {
  readonly stored: AccountRecord;
  readonly account: OwnAccount;
  readonly devices: OwnDevicesRecord;
  /** The own account as a contact is seen: its list, and where the other devices receive. */
  readonly self: Contact;
}

/** What may change about it. */
export interface OwnChange {
  /** Signed by the account key, and the one to go by. */
  readonly deviceList?: Uint8Array;
  /** The account key that signed it, if another one than before, and how the account came to it. */
  readonly successor?: Pick<AccountRecord, "accountKey" | "successions">;
  readonly devices?: Partial<OwnDevicesRecord>;
}

/** The devices of the account, this one among them. */
export class OwnDevices {
  readonly #state: Signal<OwnState>;
  #changed: () => void = () => {};
  /** What a step has put and not committed. */
  readonly #pending = new WeakMap<Entry, OwnState>();
  /** What those are shown as that are called something, by their ids: see names.ts. */
  readonly #names: Signal<ReadonlyMap<string, string>> = signal(new Map());

  /** As a screen shows them, this device first. */
  readonly list: ReadonlySignal<readonly DeviceView[]>;
  readonly news: ReadonlySignal<readonly DeviceNews[]>;

  constructor(state: OwnState) {
    this.#state = signal(state);
    this.list = computed(() => listOf(this.#state.value, this.#names.value));
    this.news = computed(() => newsOf(this.#state.value, this.list.value));
    this.#tellApart();
  }

  #tellApart(): void {
    if (!hasOthers(this.state) && this.#names.peek().size === 0) return;
    names().then(({ devicesToldApart }) => {
      this.#names.value = devicesToldApart(this.state);
    }, () => {}); // it can't be fetched now: with the next change it is tried again
  }

  /** As it is on disk. */
  get state(): OwnState {
    return this.#state.peek();
  }

  /** Tells `changed` after each commit that changed something; there is one. */
  watch(changed: () => void): void {
    this.#changed = changed;
  }

  /** As a step has it. */
  in(entry: Entry): OwnState {
    return this.#pending.get(entry) ?? this.state;
  }

  /** Keeps what changed; the rest is as it was. */
  async put(entry: Entry, change: OwnChange): Promise<OwnState> {
    const before = this.in(entry);
    const { deviceList = before.stored.deviceList, successor } = change;
    const devices = { ...before.devices, ...change.devices };
    const stored = { ...before.stored, ...successor, deviceList };
    const opened = await openOwn(stored, devices);
    const noted = withChanges(before, opened, this.list.peek());
    const state = { ...opened, devices: noted };
    entry.put(accountTable, SELF, state.stored);
    entry.put(ownDevicesTable, SELF, state.devices);
    this.#pending.set(entry, state);
    entry.after(() => {
      this.#state.value = state;
      this.#tellApart();
      this.#changed();
    });
    return state;
  }
}

/** Those that came and went, noted: what there is to tell, and where those that went are told so. */
function withChanges(
  { account: was, devices: { others } }: OwnState,
  { account: is, devices }: OwnState,
  shown: readonly DeviceView[],
): OwnDevicesRecord {
  const added = missingIn(was.deviceList, is.deviceList);
  const removed = missingIn(is.deviceList, was.deviceList);
  if (added.length + removed.length === 0) return devices;
  return {
    ...noted(devices, others, added, removed, shown),
    ...removed.includes(was.device.id) ? { removed: true } : {},
  };
}

/** All others are gone: `removed` are their ids. */
export function alone(
  devices: OwnDevicesRecord,
  removed: readonly number[],
): OwnDevicesRecord {
  return { ...noted(devices, devices.others, [], removed), others: [] };
}

function noted(
  devices: OwnDevicesRecord,
  others: readonly OtherDeviceRecord[],
  added: readonly number[],
  removed: readonly number[],
  shown: readonly { id: number; name: string }[] = others,
): OwnDevicesRecord {
  const known = others.filter(({ id }) => removed.includes(id));
  const nameOf = (id: number) => shown.find((one) => one.id === id)?.name;
  return {
    ...devices,
    former: [
      ...devices.former ?? [],
      ...known.flatMap(({ address }) => address.length > 0 ? address : []),
    ].slice(-MAX_FORMER),
    news: [
      // What it is called is forgotten with it, and it may not have been told of yet that it came.
      ...(devices.news ?? []).map((told) =>
        removed.includes(told.id) && told.name === undefined
          ? { ...told, name: nameOf(told.id) ?? "" }
          : told
      ),
      ...added.map((id) => ({ what: "added" as const, id })),
      ...removed.map((id) => ({
        what: "removed" as const,
        id,
        name: nameOf(id) ?? "",
      })),
    ].slice(-MAX_NEWS),
  };
}

/** Ids of the devices of `list` that the other one does not have: one id may be another's by then. */
function missingIn(other: DeviceList, list: DeviceList): number[] {
  return list.devices.filter(({ identityKey }) =>
    !other.devices.some((device) => equalBytes(device.identityKey, identityKey))
  ).map(({ id }) => id);
}

function listOf(
  { account, devices }: OwnState,
  names: ReadonlyMap<string, string>,
): DeviceView[] {
  const own = account.device.id;
  const rest = account.deviceList.devices.filter(({ id }) => id !== own);
  return [{ id: own }, ...rest].map(({ id }) => {
    const { name: chosenName = "", day = 0 } = id === own
      ? devices
      : devices.others.find((other) => other.id === id) ?? {};
    const name = names.get(`${id}`) ?? chosenName;
    return { id, name, chosenName, lastUsed: day * DAY_MS, own: id === own };
  });
}

function newsOf(
  { devices: { news = [] } }: OwnState,
  shown: readonly DeviceView[],
): DeviceNews[] {
  return news.map(({ what, id, name, here }) => ({
    what,
    name: name ?? shown.find((one) => one.id === id)?.name ?? "",
    ...here && { here },
  }));
}

/** Whether the account has devices besides this one. */
export function hasOthers({ account }: Pick<OwnState, "account">): boolean {
  return account.deviceList.devices.length > 1;
}

/** Whether this device is still one of the account's. */
export function isListed({ devices }: Pick<OwnState, "devices">): boolean {
  return !devices.removed;
}

/** Opens the account that is stored here, and its devices. Throws what reading does, and DamagedError. */
export async function loadOwn(
  ledger: Ledger,
  { name, now }: { name: string; now: number },
): Promise<OwnDevices> {
  return await ledger.run(async (entry) => {
    const stored = await entry.get(accountTable, SELF);
    if (!stored) throw new DamagedError("there is no account in the vault");
    const day = dayOf(now);
    const devices = await entry.get(ownDevicesTable, SELF) ?? {
      queue: await makeSelfQueue(entry, stored),
      name,
      day,
      others: [],
    };
    const state = await openOwn(stored, devices);
    // Who has one device needs no list of when which was used, and the relay no sign of each day.
    const used = hasOthers(state)
      ? { ...devices, day: Math.max(day, devices.day) }
      : devices;
    entry.put(ownDevicesTable, SELF, used);
    return new OwnDevices({ ...state, devices: used });
  });
}

/** A queue by which the other devices reach this one. */
async function makeSelfQueue(
  entry: Entry,
  account: AccountRecord,
): Promise<string> {
  const { name } = await makeQueue(entry, account, account.accountId);
  return name;
}

async function openOwn(
  stored: AccountRecord,
  devices: OwnDevicesRecord,
): Promise<OwnState> {
  const account = await openAccount(stored);
  const { accountId, accountKey, deviceList, name } = account;
  const self = await openContact({
    accountId,
    name,
    accountKey,
    deviceList: deviceList.bytes,
    devices: devices.others.filter(({ id, address }) =>
      id !== account.device.id && address.length > 0
    ),
    queues: [devices.queue],
    renewed: devices.renewed && { ...devices.renewed, shared: [] },
    conversation: conversationOf(accountId, accountId),
    metAt: 0,
    settings: newSettings({ accountKey, deviceList }),
  });
  return { stored, account, devices, self };
}
