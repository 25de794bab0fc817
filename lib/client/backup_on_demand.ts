import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import type { AdopterEvents } from "./backup/adopt.ts";
import type { Backup } from "./backup/backup.ts";
import type { RemovalEvents } from "./backup/remove_device.ts";
import type { Desk } from "./desk.ts";
import {
  backoff,
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import {
  accountTable,
  backupKeysTable,
  backupTable,
  contactsTable,
  contactTable,
  ownDevicesTable,
  SELF,
  settingsTable,
} from "./records.ts";
import type { BackupState, RemovalOutcome } from "./view.ts";

/** What a change waits for others to be written with it, in ms. */
const TOGETHER_MS = 2_000;

/** What the backup says something of. */
const BACKED = [
  accountTable,
  ownDevicesTable,
  contactsTable,
  contactTable,
  settingsTable,
].map(({ name }) => name);

/**
 * When the backup is to be written: on every connection, and soon after something changed. How it is
 * done is fetched then: nothing that a person waits for needs it.
 */
export class BackupOnDemand {
  readonly #desk: Desk;
  readonly #events: AdopterEvents;
  readonly #backup: Signal<Backup | undefined> = signal(undefined);
  readonly #before: Signal<BackupState> = signal({
    at: "waiting",
    wentBack: false,
  });
  readonly state: ReadonlySignal<BackupState> = computed(() =>
    (this.#backup.value?.state ?? this.#before).value
  );
  #version = 0;
  #connection: Connection | undefined;
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #failures = 0;
  #stopped = false;

  constructor(desk: Desk, events: AdopterEvents) {
    this.#desk = desk;
    this.#events = events;
    desk.ledger.watch((tables) => {
      if (!BACKED.some((name) => tables.has(name))) return;
      this.#backup.peek()?.changed();
      this.#soon(TOGETHER_MS);
    });
  }

  /** The last version that this device has written, or else was told by the relay; 0: none. */
  get version(): number {
    return this.#backup.peek()?.version ?? this.#version;
  }

  async load(): Promise<void> {
    const { reader } = this.#desk.ledger;
    const record = await reader.get(backupTable, SELF);
    const keys = await reader.get(backupKeysTable, SELF);
    this.#version = record?.own ?? record?.written.version ?? 0;
    this.#before.value = {
      at: keys ? "waiting" : "no-keys",
      wentBack: record?.wentBack ?? false,
    };
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#failures = 0;
    this.look();
  }

  /** Looks soon whether there is something to be done. */
  look(): void {
    this.#soon(TOGETHER_MS);
  }

  /** See `DevicesView.remove`. */
  async removeDevice(
    events: RemovalEvents,
    id: number,
    accessKey: string,
  ): Promise<RemovalOutcome> {
    const { parseAccessKey, removeDevice } = await import(
      "./backup/on_demand.ts"
    );
    const reading = parseAccessKey(accessKey);
    if (!reading.ok) return reading;
    const { key } = reading;
    while (this.#writing) await this.#writing;
    const connection = this.#connection;
    const backup = connection && await this.#fetched();
    if (!backup) return { ok: false, reason: "unreachable" };
    const work = async (): Promise<RemovalOutcome> => {
      if (!await backup.isCurrent(connection)) {
        return { ok: false, reason: "unreachable" };
      }
      return await removeDevice(this.#desk, events, id, key);
    };
    const removing = work();
    // Nothing else reads or writes the backup meanwhile; what fails is told to who asked for it.
    this.#writing = removing.then(() => {}, () => {})
      .finally(() => this.#writing = undefined);
    const outcome = await removing;
    this.look();
    return outcome;
  }

  lost(): void {
    this.#connection = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #soon(ms: number): void {
    if (this.#stopped || this.#cancelTimer) return;
    this.#cancelTimer = this.#desk.clock.after(ms, () => {
      this.#cancelTimer = undefined;
      this.#write();
    });
  }

  #write(): void {
    const connection = this.#connection;
    if (!connection) return; // the next one brings it up again
    if (this.#writing) return this.#soon(TOGETHER_MS);
    this.#writing = this.#fetched()
      .then((backup) => backup?.write(connection)).then(
        () => {
          this.#failures = 0;
        },
        (error) => this.#failed(error),
      ).finally(() => this.#writing = undefined);
  }

  #failed(error: unknown): void {
    if (this.#stopped || error instanceof ConnectionLostError) return;
    if (!(error instanceof RelayError)) return this.#desk.broken(error);
    const wait = backoff(++this.#failures, this.#desk.random.fraction());
    this.#soon(wait);
  }

  /** Undefined when the code can't be had: it comes from the server, like the next connection. */
  async #fetched(): Promise<Backup | undefined> {
    if (!this.#backup.value) {
      const module = await import("./backup/on_demand.ts").catch(() =>
        undefined
      );
      if (!module) return undefined;
      this.#backup.value = new module.Backup(
        this.#desk,
        this.#before.value,
        this.#events,
      );
    }
    return this.#backup.value;
  }
}
