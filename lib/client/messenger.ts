import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import type { Clock } from "./clock.ts";
import {
  deriveAccount,
  formatAccessKey,
  newAccessKey,
  parseAccessKey,
  wipe,
  wipeAccount,
} from "./keys/mod.ts";
import type { Network, Transport } from "./link/mod.ts";
import { Office } from "./office.ts";
import { checkName, createAccount } from "./own_account.ts";
import type { Random } from "./random.ts";
import type { SettingsRecord } from "./records.ts";
import {
  DamagedError,
  NewerVersionError,
  type OneTab,
  type Platform,
  StorageFullError,
  StorageUnavailableError,
  TakenOverError,
  Vault,
  WrongKeyError,
} from "./storage/mod.ts";
import type {
  ConnectionState,
  ConversationSummary,
  ConversationView,
  InviteView,
  JoinState,
  LogInOutcome,
  MessengerView,
  NewAccount,
  OfferState,
  Phase,
} from "./view.ts";

/** What the messenger stands on: the browser's own, or what a test puts in their place. */
export interface Adapters {
  /** Opens the disk; what was opened before can't write any more. */
  openPlatform(): Promise<Platform>;
  readonly tab: OneTab;
  /** Where the relay listens: ws: or wss:. */
  readonly relaySocketUrl: string;
  readonly transport: Transport;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

/** A command that the present phase does not allow. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
  constructor(command: string) {
    super(`${command} is not possible now`);
  }
}

/** The messenger without a screen. See view.ts for what each part of its face means. */
export class Messenger implements MessengerView {
  readonly #adapters: Adapters;
  readonly #phase: Signal<Phase> = signal<Phase>({ at: "starting" });
  readonly #office: Signal<Office | undefined> = signal(undefined);
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly me: ReadonlySignal<{ readonly name: string } | undefined>;
  readonly conversations: ReadonlySignal<readonly ConversationSummary[]>;
  readonly invite: InviteView;
  readonly settings: MessengerView["settings"];
  #platform: Platform | undefined;
  #vault: Vault | undefined;
  /** Those who wait for room on the disk. */
  #waiting: (() => void)[] = [];
  #closed = false;

  private constructor(adapters: Adapters) {
    this.#adapters = adapters;
    const office = this.#office;
    this.connection = computed(() =>
      office.value?.connection.value ?? { at: "connecting" }
    );
    this.me = computed(() =>
      office.value && { name: office.value.account.name }
    );
    this.conversations = computed(() =>
      office.value?.conversations.list.value ?? []
    );
    this.invite = {
      offer: computed<OfferState>(() =>
        office.value?.invites.offer.value ?? { at: "none" }
      ),
      join: computed<JoinState>(() =>
        office.value?.invites.join.value ?? { at: "none" }
      ),
      generate: async () => await this.#atWork("generate").invites.generate(),
      withdraw: async () => await this.#atWork("withdraw").invites.withdraw(),
      connect: async (code) =>
        await this.#atWork("connect").invites.connect(code),
      reset: () => office.value?.invites.reset(),
    };
    const chosen = (which: "deliveryReceipts" | "readReceipts") =>
      computed(() => office.value?.settings.record.value[which] ?? true);
    const choose = async (choice: Partial<SettingsRecord>) => {
      const { settings, ledger } = this.#atWork("settings");
      await settings.change(ledger, choice);
    };
    this.settings = {
      deliveryReceipts: chosen("deliveryReceipts"),
      readReceipts: chosen("readReceipts"),
      setDeliveryReceipts: (on) => choose({ deliveryReceipts: on }),
      setReadReceipts: (on) => choose({ readReceipts: on }),
    };
  }

  /** Opens what is stored here. Resolves when the phase says what a screen is to show. */
  static async open(adapters: Adapters): Promise<Messenger> {
    const messenger = new Messenger(adapters);
    const held = await adapters.tab.hold(() => messenger.#letGo());
    if (held) await messenger.#enter();
    else messenger.#phase.value = { at: "elsewhere" };
    return messenger;
  }

  get phase(): ReadonlySignal<Phase> {
    return this.#phase;
  }

  conversation(id: string): ConversationView | undefined {
    return this.#office.value?.conversations.view(id);
  }

  async newAccount(displayName: string): Promise<NewAccount> {
    this.#expect("no-account", "newAccount");
    const name = checkName(displayName);
    const key = newAccessKey();
    const accessKey = formatAccessKey(key);
    const { recoveryKey, changes } = await createAccount(name, key);
    wipe(key);
    let committed: Promise<void> | undefined;
    const commit = () =>
      this.#untilThereIsRoom("no-account", async () => {
        this.#expect("no-account", "commit");
        const vault = await Vault.create(
          this.#disk(),
          { recoveryPublicKey: recoveryKey },
          changes,
        );
        await this.#work(vault);
      });
    return { accessKey, commit: () => committed ??= commit() };
  }

  async logIn(accessKey: string): Promise<LogInOutcome> {
    const reading = parseAccessKey(accessKey);
    if (!reading.ok) return reading;
    const { key } = reading;
    if (this.#phase.value.at === "no-account") {
      wipe(key);
      return { ok: false, reason: "nothing-here" };
    }
    this.#expect("logged-out", "logIn");
    const account = await deriveAccount(key);
    wipe(key);
    try {
      await this.#untilThereIsRoom("logged-out", async () => {
        await this.#work(await Vault.recover(this.#disk(), account.recovery));
      });
      return { ok: true };
    } catch (error) {
      if (!(error instanceof WrongKeyError)) throw error;
      return { ok: false, reason: "other-account" };
    } finally {
      wipeAccount(account);
    }
  }

  async logOut(): Promise<void> {
    this.#expect("ready", "logOut");
    const vault = this.#vault;
    await this.#stopWork();
    try {
      await vault?.logOut();
    } finally {
      // Also when the disk refused: then what is stored is open as before, and shown so.
      await vault?.close();
      await this.#enter();
    }
  }

  async takeOver(): Promise<void> {
    this.#expect("elsewhere", "takeOver");
    this.#phase.value = { at: "starting" };
    await this.#adapters.tab.takeOver(() => this.#letGo());
    await this.#enter();
  }

  retry(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    for (const again of waiting) again();
    return Promise.resolve();
  }

  reconnect(): void {
    this.#office.value?.reconnect();
  }

  exportData(): AsyncIterable<string> {
    return this.#atWork("exportData").exportData();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#leave();
    await this.#adapters.tab.release();
  }

  #expect(phase: Phase["at"], command: string): void {
    if (this.#phase.value.at !== phase) throw new NotReadyError(command);
  }

  #atWork(command: string): Office {
    const office = this.#office.value;
    if (!office) throw new NotReadyError(command);
    return office;
  }

  #disk(): Platform {
    if (!this.#platform) throw new NotReadyError("this");
    return this.#platform;
  }

  /** Opens the disk and what is on it. */
  async #enter(): Promise<void> {
    try {
      await this.#untilThereIsRoom("starting", async () => {
        const platform = await this.#adapters.openPlatform();
        this.#platform = platform;
        const opened = await Vault.open(platform);
        if (opened === "none") this.#phase.value = { at: "no-account" };
        else if (opened === "logged-out") {
          this.#phase.value = { at: "logged-out" };
        } else await this.#work(opened);
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  async #work(vault: Vault): Promise<void> {
    const { relaySocketUrl, transport, network, clock, random } =
      this.#adapters;
    this.#vault = vault;
    const office = await Office.open({
      vault,
      relaySocketUrl,
      transport,
      network,
      clock,
      random,
    }, {
      full: () => this.#waitForRoom("ready"),
      broken: (error) => this.#failed(error),
      replaced: () => this.#failed(new TakenOverError()),
    });
    if (this.#closed) return await office.stop(true);
    this.#office.value = office;
    this.#phase.value = { at: "ready" };
  }

  async #stopWork(): Promise<void> {
    const office = this.#office.value;
    const canWrite = this.#phase.value.at === "ready";
    this.#office.value = undefined;
    this.#vault = undefined;
    await office?.stop(canWrite);
    await this.retry(); // those who waited for room learn that it is over
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
    if (this.#closed) return;
    const phase = phaseOf(error);
    // Stopping waits for nothing that could fail: the ledger is broken already.
    this.#phase.value = phase;
    this.#leave().catch(reportError);
    if (phase.at === "failed" && !isStorageError(error)) reportError(error);
  }

  async #untilThereIsRoom(
    before: Phase["at"],
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
  #waitForRoom(before: Phase["at"]): Promise<void> {
    this.#phase.value = { at: "storage-full" };
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        if (this.#phase.value.at === "storage-full") {
          // A phase that can be waited in has no more to it than its name.
          this.#phase.value = { at: before } as Phase;
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
  return { at: "failed", reason: "damaged" };
}
