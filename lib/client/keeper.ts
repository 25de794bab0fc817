import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { type Adapters, NotLoadedError, NotReadyError } from "./adapters.ts";
import { AutoLock, Lock } from "./lock/mod.ts";
import { Office } from "./office.ts";
import { deviceSettingsTable, SELF } from "./records.ts";
import {
  DamagedError,
  type Lock as VaultLock,
  NewerVersionError,
  type Platform,
  type Progress,
  StorageFullError,
  StorageUnavailableError,
  TakenOverError,
  Vault,
  VaultClosedError,
  type WrongSecret,
} from "./storage/mod.ts";
import type { Phase } from "./view.ts";

/**
 * Keeps the disk, the vault on it and the office that works on the account inside, and says in
 * `phase` where that stands. One thing at a time: whoever changes the phase ends what went before.
 */
export class Keeper {
  readonly #adapters: Adapters;
  readonly #phase: Signal<Phase> = signal<Phase>({ at: "starting" });
  readonly #office: Signal<Office | undefined> = signal(undefined);
  readonly lock: Lock;
  readonly #autoLock: AutoLock;
  /** The lock of the vault that is shut. */
  #shut: VaultLock | undefined;
  #platform: Platform | undefined;
  #vault: Vault | undefined;
  /** Those who wait for room on the disk. */
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(adapters: Adapters) {
    this.#adapters = adapters;
    this.lock = new Lock({
      vault: () => this.#openVault(),
      shut: () => this.#shutLock(),
      replaceVault: (change) => this.#replaceVault(change),
      open: (secret) => this.#unlock(secret),
      shutDown: () => this.#shutDown(),
      storeAutoLock: (minutes) => this.#storeAutoLock(minutes),
    }, adapters);
    this.#autoLock = new AutoLock(adapters.clock, () => {
      this.#shutDown().catch((error) => this.#failed(error));
    });
  }

  get phase(): ReadonlySignal<Phase> {
    return this.#phase;
  }

  get office(): ReadonlySignal<Office | undefined> {
    return this.#office;
  }

  /** @throws {NotReadyError} in another phase than `phase` */
  expect(phase: Phase["at"], command: string): void {
    if (this.#phase.value.at !== phase) throw new NotReadyError(command);
  }

  /** @throws {NotReadyError} when no account is open */
  atWork(command: string): Office {
    const office = this.#office.value;
    if (!office) throw new NotReadyError(command);
    return office;
  }

  /** @throws {NotReadyError} when the disk is not ours */
  disk(): Platform {
    if (!this.#platform) throw new NotReadyError("this");
    return this.#platform;
  }

  /** Opens what is stored here, when this tab holds it. */
  async open(): Promise<void> {
    const held = await this.#adapters.tab.hold(() => this.#letGo());
    if (held) await this.enter();
    else this.#phase.value = { at: "elsewhere" };
  }

  async takeOver(): Promise<void> {
    this.expect("elsewhere", "takeOver");
    this.#phase.value = { at: "starting" };
    await this.#adapters.tab.takeOver(() => this.#letGo());
    await this.enter();
  }

  /** Seals what is stored to the access key. */
  logOut(): Promise<void> {
    return this.#endWith((vault) => vault?.logOut());
  }

  /** Removes what is stored. */
  erase(): Promise<void> {
    return this.#endWith(async (vault) => {
      await vault?.close();
      await this.disk().erase();
    });
  }

  /** This device is none of the account's any more: nothing of it stays here. */
  async #removed(): Promise<void> {
    await this.erase();
    if (this.#phase.value.at === "no-account") {
      this.#phase.value = { at: "removed" };
    }
  }

  /**
   * Ends the work, has `change` write to the vault what an open account must not see changing, and goes on.
   * What fails meanwhile is shown in the phase.
   */
  async changeVault(change: (vault: Vault) => Promise<void>): Promise<void> {
    await this.#replaceVault(async (vault) => {
      await change(vault);
      return vault;
    }, { at: "starting" });
  }

  /** The person did something. */
  touched(): void {
    this.#autoLock.touched();
  }

  /** Those who wait for room try again. */
  retry(): void {
    const waiting = this.#waiting.splice(0);
    for (const again of waiting) again();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#leave();
    await this.#adapters.tab.release();
  }

  /** Ends the work, does `end` to what is stored, and shows what came of it. */
  async #endWith(
    end: (vault: Vault | undefined) => Promise<void> | undefined,
  ): Promise<void> {
    const vault = this.#vault;
    await this.#stopWork();
    try {
      await end(vault);
    } finally {
      // Also when the disk refused: then what is stored is as before, and shown so.
      await vault?.close();
      await this.enter();
    }
  }

  #openVault(): Vault {
    if (!this.#vault) throw new NotReadyError("this");
    return this.#vault;
  }

  #shutLock(): VaultLock {
    this.expect("locked", "unlock");
    if (!this.#shut) throw new NotReadyError("unlock");
    return this.#shut;
  }

  /** Opens the disk and what is on it. */
  async enter(): Promise<void> {
    this.#platform?.store.close();
    try {
      await this.untilThereIsRoom({ at: "starting" }, async () => {
        const platform = await this.#adapters.openPlatform();
        this.#platform = platform;
        const opened = await Vault.open(platform);
        if (opened === "none") this.#phase.value = { at: "no-account" };
        else if (opened === "logged-out") {
          this.#phase.value = { at: "logged-out" };
        } else if (opened instanceof Vault) await this.work(opened);
        else this.#showShut(opened.lock);
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Goes to work on the account in `vault`. Throws what reading the vault does. */
  async work(vault: Vault): Promise<void> {
    const { relaySocketUrl, transport, network, clock, random, deviceName } =
      this.#adapters;
    this.#vault = vault;
    const office = await Office.open({
      vault,
      relaySocketUrl,
      transport,
      network,
      clock,
      random,
      deviceName: deviceName ?? "",
    }, {
      full: () => this.#waitForRoom({ at: "ready" }),
      broken: (error) => this.#failed(error),
      replaced: () => this.#failed(new TakenOverError()),
      removed: () => {
        this.#removed().catch((error) => {
          // The disk is gone meanwhile, for a reason that is shown; the next opening erases it.
          if (!(error instanceof NotReadyError)) this.#failed(error);
        });
      },
    });
    const chosen = await vault.get(deviceSettingsTable, SELF);
    // It may have come to an end while it was being opened.
    if (this.#closed || this.#vault !== vault) {
      return await office.stop(this.#closed);
    }
    const autoLock = chosen?.autoLock ?? 0;
    this.lock.opened(vault.lock, autoLock);
    if (vault.lock) this.#autoLock.after(autoLock);
    this.#office.value = office;
    this.#phase.value = { at: "ready" };
  }

  #showShut(lock: VaultLock): void {
    this.#shut = lock;
    this.lock.opened(undefined, 0);
    const by = lock.means.kind;
    const counts = by === "passphrase" && lock.eraseAfter > 0;
    this.#phase.value = {
      at: "locked",
      by,
      ...counts ? { triesLeft: lock.eraseAfter - lock.failures } : {},
    };
  }

  readonly #showShare: Progress = (share) => {
    this.#phase.value = { at: "securing", share };
  };

  /**
   * Ends the work, has `change` give another vault for the open one, and goes on with that.
   * @returns false when it came to nothing, which the phase shows
   */
  async #replaceVault(
    change: (
      vault: Vault,
      recoveryKey: Uint8Array,
      progress: Progress,
    ) => Promise<Vault>,
    shown: Phase = { at: "securing", share: 0 },
  ): Promise<boolean> {
    const { recoveryKey } = this.atWork("changing the lock").account;
    const vault = this.#openVault();
    await this.#stopWork();
    try {
      this.#phase.value = shown;
      await this.work(await change(vault, recoveryKey, this.#showShare));
      return true;
    } catch (error) {
      if (this.#phase.value.at !== shown.at) return false; // another tab has it now
      // What is stored is as before, or locked already; either is shown.
      if (error instanceof StorageFullError) {
        await this.#waitForRoom({ at: "starting" });
        await this.enter();
      } else this.#failed(error);
      return false;
    }
  }

  async #unlock(
    secret: Uint8Array,
  ): Promise<WrongSecret | "erased" | "opened"> {
    const locked = this.#phase.value;
    if (locked.at !== "locked") throw new NotReadyError("unlock");
    let outcome: Vault | WrongSecret | "erased" | undefined;
    await this.untilThereIsRoom(locked, async () => {
      outcome = await Vault.unlock(this.disk(), secret, this.#showShare);
      if (outcome instanceof Vault) await this.work(outcome);
    });
    if (outcome === undefined || outcome instanceof Vault) return "opened";
    // The count is on disk, or there is nothing any more.
    await this.enter();
    return outcome;
  }

  /** Forgets what is in memory. */
  async #shutDown(): Promise<void> {
    const vault = this.#vault;
    if (!vault?.lock) throw new NotReadyError("locking");
    await this.#stopWork();
    await vault.close();
    await this.enter();
  }

  async #storeAutoLock(autoLock: number): Promise<void> {
    const { ledger } = this.atWork("settings");
    await ledger.run((entry) =>
      entry.put(deviceSettingsTable, SELF, { autoLock })
    );
    if (this.#openVault().lock) this.#autoLock.after(autoLock);
  }

  /** Ends the work. What was begun is written first, unless the disk takes nothing. */
  async #stopWork(): Promise<void> {
    const office = this.#office.value;
    const canWrite = this.#phase.value.at === "ready";
    this.#office.value = undefined;
    this.#vault = undefined;
    this.#autoLock.stop();
    await office?.stop(canWrite);
    this.retry(); // those who waited for room learn that it is over
  }

  /** Lets go of the disk. */
  async #leave(): Promise<void> {
    const vault = this.#vault;
    await this.#stopWork();
    await vault?.close();
    this.#platform?.store.close();
    this.#platform = undefined;
  }

  /** Another tab takes over. */
  async #letGo(): Promise<void> {
    await this.#leave();
    this.#phase.value = { at: "elsewhere" };
  }

  /** Nothing more can be done here; what is stored is left as it is. */
  #failed(error: unknown): void {
    // What finds the vault closed comes late: why it was closed is shown already.
    if (this.#closed || error instanceof VaultClosedError) return;
    const phase = phaseOf(error);
    // Stopping waits for nothing that could fail: the ledger is broken already.
    this.#phase.value = phase;
    this.#leave().catch(reportError);
    if (phase.at === "failed" && !isStorageError(error)) reportError(error);
  }

  /** Does `work`, again whenever the disk was full and the person asked to try again. */
  async untilThereIsRoom(
    before: Phase,
    work: () => Promise<void>,
  ): Promise<void> {
    while (true) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StorageFullError)) throw error;
        await this.#waitForRoom(before);
      }
    }
  }

  /** Shows that the disk is full until the person asks to try again. */
  #waitForRoom(before: Phase): Promise<void> {
    this.#phase.value = { at: "storage-full" };
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        if (this.#phase.value.at === "storage-full") {
          this.#phase.value = before;
        }
        resolve();
      });
    });
  }
}

function isStorageError(error: unknown): boolean {
  return [
    NewerVersionError,
    DamagedError,
    StorageUnavailableError,
    TakenOverError,
  ].some((cause) => error instanceof cause);
}

function phaseOf(error: unknown): Phase {
  if (error instanceof TakenOverError) return { at: "elsewhere" };
  if (error instanceof NewerVersionError) {
    return { at: "failed", reason: "newer-version" };
  }
  if (error instanceof StorageUnavailableError) {
    return { at: "failed", reason: "storage-unavailable" };
  }
  if (error instanceof NotLoadedError) {
    return { at: "failed", reason: "not-loaded" };
  }
  return { at: "failed", reason: "damaged" };
}
