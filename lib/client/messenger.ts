import { names } from "./names_on_demand.ts";
import { computed, type ReadonlySignal } from "@preact/signals-core";
import { type Adapters, NotReadyError } from "./adapters.ts";
import { Keeper } from "./keeper.ts";
import { wipe } from "./keys/mod.ts";
import { backupKeysTable, SELF, type SettingsRecord } from "./records.ts";
import { Vault, WrongKeyError } from "./storage/mod.ts";
import type {
  Alarm,
  AnotherAccessKey,
  BackupState,
  ComeBack,
  ConnectionState,
  ConversationSummary,
  ConversationView,
  DevicesView,
  InviteView,
  JoinState,
  LeftServer,
  LockView,
  LogInOutcome,
  MessengerView,
  MoveOutcome,
  NewAccount,
  OfferState,
  PasswordOutcome,
  Phase,
  Standing,
} from "./view.ts";

/** The messenger without a screen. See view.ts for what each part of its face means. */
export class Messenger implements MessengerView {
  readonly #adapters: Adapters;
  readonly #keeper: Keeper;
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly me: ReadonlySignal<{ readonly name: string } | undefined>;
  readonly conversations: ReadonlySignal<readonly ConversationSummary[]>;
  readonly invite: InviteView;
  readonly settings: MessengerView["settings"];
  readonly backup: ReadonlySignal<BackupState>;
  readonly standing: ReadonlySignal<Standing>;
  readonly devices: DevicesView;
  readonly left: ReadonlySignal<readonly LeftServer[]>;

  private constructor(adapters: Adapters) {
    this.#adapters = adapters;
    this.#keeper = new Keeper(adapters);
    const { office } = this.#keeper;
    this.connection = computed(() =>
      office.value?.connection.value ?? { at: "connecting" }
    );
    this.me = computed(() =>
      office.value && { name: office.value.account.name }
    );
    this.conversations = computed(() =>
      office.value?.conversations.list.value ?? []
    );
    this.backup = computed(() =>
      office.value?.backup.state.value ??
        { at: "waiting", wentBack: false }
    );
    this.standing = computed(() =>
      office.value?.devices.standing.value ?? "current"
    );
    this.left = computed(() => office.value?.leaving.left ?? []);
    this.devices = {
      list: computed(() => office.value?.own.list.value ?? []),
      news: computed(() => office.value?.own.news.value ?? []),
      dismiss: async () => await this.#keeper.atWork("dismiss").dismissNews(),
      rename: async (name) => {
        const { checkName } = await names();
        await this.#keeper.atWork("rename").renameDevice(checkName(name));
      },
      remove: async (id, accessKey) =>
        await this.#keeper.atWork("remove").removeDevice(id, accessKey),
      history: computed(() =>
        office.value?.devices.history.value ?? { giving: [] }
      ),
      missed: computed(() => office.value?.presence.missed.value ?? false),
      sawMissed: async () =>
        await this.#keeper.atWork("sawMissed").presence.seen(),
      askHistory: async () =>
        await this.#keeper.atWork("history").devices.decide("ask"),
      stopHistory: async () =>
        await this.#keeper.atWork("history").devices.decide("stop"),
      confirmHistory: async (id) =>
        await this.#keeper.atWork("history").devices.decide("confirm", id),
      refuseHistory: async (id) =>
        await this.#keeper.atWork("history").devices.decide("refuse", id),
    };
    this.invite = {
      offer: computed<OfferState>(() =>
        office.value?.invites.offer.value ?? { at: "none" }
      ),
      join: computed<JoinState>(() =>
        office.value?.invites.join.value ?? { at: "none" }
      ),
      generate: async () =>
        await this.#keeper.atWork("generate").invites.generate(),
      withdraw: async () =>
        await this.#keeper.atWork("withdraw").invites.withdraw(),
      connect: async (code) =>
        await this.#keeper.atWork("connect").invites.connect(code),
      reset: () => office.value?.invites.reset(),
      relayUrl: computed(() => office.value?.invites.relayUrl.value),
      invitations: computed(() => office.value?.invites.invitations.value),
      openInvitations: async () =>
        await this.#keeper.atWork("invitations").invites.openInvitations(),
    };
    const chosen = (which: "deliveryReceipts" | "readReceipts") =>
      computed(() => office.value?.settings.record.value[which] ?? true);
    const choose = async (choice: Partial<SettingsRecord>) => {
      const { settings, ledger } = this.#keeper.atWork("settings");
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
    await messenger.#keeper.open();
    return messenger;
  }

  get phase(): ReadonlySignal<Phase> {
    return this.#keeper.phase;
  }

  conversation(id: string): ConversationView | undefined {
    return this.#keeper.office.value?.conversations.view(id);
  }

  async newAccount(displayName: string): Promise<NewAccount> {
    this.#keeper.expect("no-account", "newAccount");
    const { checkName } = await names();
    const name = checkName(displayName);
    const { createAccount, formatAccessKey, newAccessKey } = await import(
      "./backup/on_demand.ts"
    );
    this.#keeper.expect("no-account", "newAccount");
    const key = newAccessKey();
    const accessKey = formatAccessKey(key);
    const { recoveryKey, changes } = await createAccount(
      name,
      key,
      this.#adapters.clock.now(),
    );
    wipe(key);
    let committed: Promise<void> | undefined;
    const commit = () =>
      this.#keeper.untilThereIsRoom({ at: "no-account" }, async () => {
        this.#keeper.expect("no-account", "commit");
        const vault = await Vault.create(
          this.#keeper.disk(),
          { recoveryPublicKey: recoveryKey },
          changes,
        );
        await this.#keeper.work(vault);
      });
    return { accessKey, commit: () => committed ??= commit() };
  }

  async logIn(accessKey: string): Promise<LogInOutcome> {
    const accounts = await import("./backup/on_demand.ts");
    const reading = accounts.parseAccessKey(accessKey);
    if (!reading.ok) return reading;
    const { key } = reading;
    const before = this.phase.value;
    if (before.at === "no-account") {
      return await accounts.find(this.#adapters, key);
    }
    if (before.at !== "logged-out" && before.at !== "locked") {
      throw new NotReadyError("logIn");
    }
    const account = accounts.deriveAccount(key);
    wipe(key);
    try {
      await this.#keeper.untilThereIsRoom(before, async () => {
        const vault = await Vault.recover(
          this.#keeper.disk(),
          account.recovery,
        );
        // With the access key at hand the backup can begin, or begin again.
        const before = await vault.get(backupKeysTable, SELF);
        const keys = await accounts.backupKeys(account, before);
        await vault.commit([backupKeysTable.put(SELF, keys)]);
        await this.#keeper.work(vault);
      });
      return { ok: true };
    } catch (error) {
      if (!(error instanceof WrongKeyError)) throw error;
      return { ok: false, reason: "other-account" };
    } finally {
      accounts.wipeAccount(account);
    }
  }

  async comeBack(accessKey: string, how: ComeBack): Promise<LogInOutcome> {
    this.#keeper.expect("no-account", "comeBack");
    const { comeBack } = await import("./backup/on_demand.ts");
    return await comeBack(this.#adapters, this.#keeper, accessKey, how);
  }

  async findElsewhere(
    accessKey: string,
    server: string,
    password?: string,
  ): Promise<MoveOutcome> {
    this.#keeper.expect("no-account", "findElsewhere");
    const { findElsewhere, parseAccessKey, readServer } = await import(
      "./backup/on_demand.ts"
    );
    const url = readServer(server);
    if (url === undefined) return { ok: false, reason: "server-malformed" };
    const reading = parseAccessKey(accessKey);
    if (!reading.ok) return reading;
    return await findElsewhere(this.#adapters, reading.key, {
      url,
      password,
    });
  }

  async moveHere(
    accessKey: string,
    server: string,
    password?: string,
  ): Promise<MoveOutcome> {
    this.#keeper.expect("no-account", "moveHere");
    const { moveHere, readServer } = await import("./backup/on_demand.ts");
    const url = readServer(server);
    if (url === undefined) return { ok: false, reason: "server-malformed" };
    return await moveHere(this.#adapters, this.#keeper, accessKey, {
      url,
      password,
    });
  }

  async changeAccessKey(accessKey: string): Promise<AnotherAccessKey> {
    const atWork = () => this.#keeper.atWork("changeAccessKey");
    const { account, ledger } = atWork();
    const { anotherAccessKey } = await import("./backup/on_demand.ts");
    return await anotherAccessKey(accessKey, {
      account,
      reader: ledger.reader,
      clock: this.#adapters.clock,
      isCurrent: () => atWork().backup.isCurrent(),
      change: (work) => this.#keeper.changeVault(work),
    });
  }

  async putAway(alarm: Alarm): Promise<void> {
    const { putAway } = await import("./alarms_seen.ts");
    await putAway(this.#keeper.atWork("putAway"), alarm);
  }

  async logOut(): Promise<void> {
    this.#keeper.expect("ready", "logOut");
    await this.#keeper.logOut();
  }

  get lock(): LockView {
    return this.#keeper.lock;
  }

  touched(): void {
    this.#keeper.touched();
  }

  async erase(): Promise<void> {
    const { at } = this.phase.value;
    if (at !== "ready" && at !== "locked" && at !== "logged-out") {
      throw new NotReadyError("erase");
    }
    await this.#keeper.erase();
  }

  takeOver(): Promise<void> {
    return this.#keeper.takeOver();
  }

  retry(): Promise<void> {
    this.#keeper.retry();
    return Promise.resolve();
  }

  reconnect(): void {
    this.#keeper.office.value?.reconnect();
  }

  usePassword(password: string): Promise<PasswordOutcome> {
    return this.#keeper.atWork("usePassword").usePassword(password);
  }

  exportData(): AsyncIterable<string> {
    return this.#keeper.atWork("exportData").exportData();
  }

  close(): Promise<void> {
    return this.#keeper.close();
  }
}
