import { type Signal, signal } from "@preact/signals-core";
import { NotLoadedError } from "./adapters.ts";
import type { Contact } from "./contact.ts";
import type { Desk } from "./desk.ts";
import type { Devices, DevicesEvents, EpochKeys } from "./devices/devices.ts";
import { Hearing, type HearingEvents } from "./devices/hearing.ts";
import type { Sync } from "./devices/sync.ts";
import type { Said } from "./inbox.ts";
import { type HistoryRecord, historyTable } from "./history/records.ts";
import type { DeviceList } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import { type Connection, RelayError } from "./link/mod.ts";
import type { Outbox } from "./outbox.ts";
import { hasOthers } from "./own_devices.ts";
import { announcedTable, SELF, standingTable } from "./records.ts";
import type { Standing } from "./view.ts";

type Events =
  & Omit<DevicesEvents, "heard" | "saved" | "forked" | "newerList" | "history">
  & Omit<HearingEvents, "standing" | "tell">;

/**
 * Devices that come and go, of contacts and of the own account. How one announces itself and follows
 * others is fetched when that happens: nothing else waits for it.
 */
export class DevicesOnDemand {
  readonly #desk: Desk;
  readonly #outbox: Outbox;
  readonly #events: Events;
  readonly #hearing: Hearing;
  readonly standing: Signal<Standing> = signal<Standing>("current");
  readonly history: Signal<HistoryRecord> = signal<HistoryRecord>({
    giving: [],
  });
  #fetching: Promise<Devices> | undefined;
  #devices: Devices | undefined;
  #connection: Connection | undefined;

  constructor(desk: Desk, outbox: Outbox, events: Events) {
    this.#desk = desk;
    this.#outbox = outbox;
    this.#events = events;
    this.#hearing = new Hearing(desk, {
      ...events,
      standing: (at) => this.standing.value = at,
      tell: () => this.ownChanged(),
    });
  }

  async load(): Promise<void> {
    const { reader } = this.#desk.ledger;
    const record = await reader.get(standingTable, SELF);
    if (record && !record.seen) this.standing.value = record.at;
    const history = await reader.get(historyTable, SELF);
    if (history) this.history.value = history;
  }

  /** What a person decides about the past, in one commit. Rejects with `NotLoadedError`. */
  async decide(
    what: "ask" | "stop" | "confirm" | "refuse",
    device = 0,
  ): Promise<void> {
    const { history } = await this.#fetched();
    await this.#desk.ledger.run((entry) => history[what](entry, device));
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    if (this.#devices) return this.#devices.connected(connection);
    this.#lookUp();
  }

  #lookUp(): void {
    this.#owes().then(async (owes) => {
      if (owes) await this.#fetched();
    })
      // What can't be fetched is tried again with the next connection.
      .catch((error) => {
        if (!(error instanceof NotLoadedError)) this.#desk.broken(error);
      });
  }

  lost(): void {
    this.#connection = undefined;
    this.#devices?.lost();
  }

  /** The own devices are others, or elsewhere. */
  ownChanged(): void {
    if (this.#devices) this.#devices.ownChanged();
    else if (this.#connection) this.#lookUp();
  }

  /** See `Devices.sure`. */
  async sure(connection: Connection): Promise<void> {
    const devices = await this.#fetched().catch(() => {
      throw new RelayError("unreachable", new Uint8Array());
    });
    await devices.sure(connection);
  }

  /** To the other own devices; with none, nothing is fetched. Rejects with `NotLoadedError`. */
  async tell(entry: Entry, sync: Sync): Promise<void> {
    if (!hasOthers(this.#desk.own.in(entry))) return;
    const devices = await this.#fetched();
    await devices.tell(entry, sync);
  }

  /** There is a session with another own device. */
  async siblingBegan(entry: Entry, device: number): Promise<void> {
    const devices = await this.#fetched();
    await devices.siblingBegan(entry, device);
  }

  /** What another own device said. */
  async told(entry: Entry, said: Said): Promise<void> {
    const { contact, device, content } = said;
    const { backupVersion, body, deviceList: { version }, time } = content;
    await this.#hearing.saved(entry, backupVersion);
    if (contact.record.renewed) {
      const devices = await this.#fetched();
      await devices.said(entry, said);
    }
    if (version < contact.deviceList.version) {
      const devices = await this.#fetched();
      await devices.siblingBehind(entry, device);
    }
    // What tells of the newer one may be on its way, or lost.
    if (version > contact.deviceList.version) {
      entry.after(() => this.askForKeys());
    }
    if (body.kind !== "sync") return;
    const devices = await this.#fetched();
    await devices.told(entry, device, body.bytes, time);
  }

  /** An epoch of the backup has begun that this device is yet to be told of. */
  askForKeys(): void {
    this.#fetched().then(
      (devices) => devices.askForKeys(),
      // What can't be fetched is tried again with the next connection.
      () => {},
    );
  }

  /** What the others told this device may be lost. */
  askMissed(): void {
    if (!hasOthers(this.#desk.own.state)) return;
    this.#fetched().then(
      (devices) => devices.askMissed(),
      // What can't be fetched is tried again with the next connection.
      () => {},
    );
  }

  /** This device has begun an epoch of the backup. */
  async begun(entry: Entry, keys: EpochKeys): Promise<void> {
    const devices = await this.#fetched();
    await devices.begun(entry, keys);
  }

  /** A contact is another one now, by what another own device learnt. */
  async became(entry: Entry, before: Contact, after: Contact): Promise<void> {
    const devices = await this.#fetched();
    await devices.became(entry, before, after);
  }

  /** The own device list, as the backup has it. */
  async listed(entry: Entry, list: DeviceList): Promise<void> {
    const devices = await this.#fetched();
    await devices.listed(entry, list);
  }

  /** Where other own devices are, as the backup has it. */
  async found(entry: Entry, before: Contact): Promise<void> {
    const devices = await this.#fetched();
    await devices.found(entry, before);
  }

  /** Notes what a message tells besides what it says. Gives the contact as they are then. */
  async said(entry: Entry, said: Said): Promise<Contact> {
    const contact = await this.#hearing.said(entry, said);
    if (!contact.record.renewed) return contact;
    const devices = await this.#fetched();
    return await devices.said(entry, { ...said, contact });
  }

  /** A device of a contact makes itself known; false for what can't be believed. */
  async announced(
    entry: Entry,
    contact: Contact,
    announcement: Uint8Array,
  ): Promise<boolean> {
    const devices = await this.#fetched();
    return await devices.announced(entry, contact, announcement);
  }

  /** A device of a contact sent what its session here does not open. */
  async outOfStep(
    entry: Entry,
    contact: Contact,
    device: number,
  ): Promise<void> {
    const devices = await this.#fetched();
    await devices.outOfStep(entry, contact, device);
  }

  /**
   * Whether somebody may have to hear of this device, or of other queues: a first list is in the card that
   * one was met by.
   */
  async #owes(): Promise<boolean> {
    const { account, contacts, ledger } = this.#desk;
    if (account.deviceList.version > 1) return true;
    const renewing = [...contacts.values()].some(({ record }) =>
      record.renewed
    );
    if (renewing) return true;
    const told = await ledger.reader.getMany(announcedTable, [
      ...contacts.keys(),
    ]);
    return told.some((record) => record?.version === 0);
  }

  /** Rejects with `NotLoadedError`. */
  #fetched(): Promise<Devices> {
    this.#fetching ??= this.#fetch().catch((cause) => {
      this.#fetching = undefined;
      throw new NotLoadedError({ cause });
    });
    return this.#fetching;
  }

  async #fetch(): Promise<Devices> {
    const { Devices } = await import("./devices/on_demand.ts");
    this.#devices = new Devices(this.#desk, this.#outbox, {
      ...this.#events,
      heard: async (entry, { heard }) => {
        if (heard) await this.#hearing.heard(entry, heard);
      },
      saved: (entry, version) => this.#hearing.saved(entry, version),
      forked: (entry, list) => this.#hearing.forked(entry, list),
      newerList: (entry) => this.#hearing.listed(entry),
      history: (record) => this.history.value = record,
    });
    if (this.#connection) this.#devices.connected(this.#connection);
    return this.#devices;
  }
}
