import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import type { AdopterEvents } from "./backup/adopt.ts";
import type { Backup } from "./backup/backup.ts";
import type { RemovalEvents } from "./backup/removal_steps.ts";
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

/** What a doubt waits for another look at the backup: twice as long each time, and at most, in ms. */
const DOUBT_MS = 5_000;
const LONGEST_DOUBT_MS = 3_600_000;

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
  readonly #events: AdopterEvents & RemovalEvents;
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
  /** While there are some. */
  #doubts: Promise<void> | undefined;
  #cancelDoubts: () => void = () => {};
  #stopped = false;

  constructor(desk: Desk, events: AdopterEvents & RemovalEvents) {
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

  /**
   * Another device may have taken the account elsewhere: then the backup goes, too, though perhaps not at
   * once. It is read now and then until that shows.
   */
  doubt(): void {
    this.#doubts ??= this.#read(1);
  }

  /** See `DevicesView.remove`. */
  async removeDevice(id: number, accessKey: string): Promise<RemovalOutcome> {
    const { parseAccessKey } = await import("./backup/on_demand.ts");
    const reading = parseAccessKey(accessKey);
    if (!reading.ok) return reading;
    const outcome = await this.#alone((backup, connection) =>
      backup.remove(connection, id, reading.key)
    );
    return outcome ?? { ok: false, reason: "unreachable" };
  }

  /** Reads what others wrote and writes what is missing; false when that can't be done now. */
  async isCurrent(): Promise<boolean> {
    return await this.#alone((backup, connection) =>
      backup.isCurrent(connection)
    ) ?? false;
  }

  /** Does it while nothing else reads or writes the backup; undefined when the relay can't be reached now. */
  async #alone<T>(
    act: (backup: Backup, connection: Connection) => Promise<T>,
  ): Promise<T | undefined> {
    while (this.#writing) await this.#writing;
    const connection = this.#connection;
    const backup = connection && await this.#fetched();
    if (!backup) return undefined;
    const working = act(backup, connection);
    // What fails is told to who asked for it.
    this.#writing = working.then(() => {}, () => {})
      .finally(() => this.#writing = undefined);
    const outcome = await working;
    this.look();
    return outcome;
  }

  lost(): void {
    this.#connection = undefined;
  }

  /** It is not on disk any more that the relay once went back. */
  wentBackSeen(): void {
    const state = this.#backup.value?.state ?? this.#before;
    state.value = { ...state.value, wentBack: false };
  }

  async #read(times: number): Promise<void> {
    try {
      await this.isCurrent();
    } catch (error) {
      if (!this.#stopped) this.#desk.broken(error);
      return;
    }
    if (this.#stopped || this.state.peek().at === "failed") {
      this.#doubts = undefined;
      return;
    }
    const wait = Math.min(DOUBT_MS * 2 ** times, LONGEST_DOUBT_MS);
    this.#cancelDoubts = this.#desk.clock.after(
      wait,
      () => this.#doubts = this.#read(times + 1),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelDoubts();
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
