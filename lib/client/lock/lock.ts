import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import { wipe } from "../keys/mod.ts";
import type { Random } from "../random.ts";
import {
  type Lock as VaultLock,
  type LockMeans,
  type Progress,
  SALT_LENGTH,
  type Vault,
  type WrongSecret,
} from "../storage/mod.ts";
import type {
  LockChange,
  LockKind,
  LockRefusal,
  LockView,
  UnlockOutcome,
} from "../view.ts";
import {
  MIN_PASSPHRASE,
  NoPasskeyError,
  type Passkeys,
  passphraseBytes,
  passphraseLength,
  type Stretch,
  STRETCH_COST,
} from "./secrets.ts";

/** What the lock asks of the messenger, which says what may happen when. */
export interface LockHost {
  /** The open vault. Throws when there is none. */
  vault(): Vault;
  /** The lock of the vault that is shut. Throws when the messenger is not locked. */
  shut(): VaultLock;
  /** Ends the work, has `change` give another vault for the one there is, and goes on with that, if it can. */
  replaceVault(
    change: (
      vault: Vault,
      recoveryKey: Uint8Array,
      progress: Progress,
    ) => Promise<Vault>,
  ): Promise<boolean>;
  /** Opens the vault that is shut and goes to work, when the secret is right. */
  open(secret: Uint8Array): Promise<WrongSecret | "erased" | "opened">;
  /** Ends the work and shuts the vault. */
  shutDown(): Promise<void>;
  /** Minutes until the messenger locks by itself, stored. */
  storeAutoLock(minutes: number): Promise<void>;
}

export interface LockAdapters {
  readonly stretch: Stretch;
  /** Where the browser has none, there are none. */
  readonly passkeys: Passkeys | undefined;
  readonly random: Random;
}

const NO_PASSKEY = { ok: false, reason: "no-passkey" } as const;
const WRONG = { ok: false, reason: "wrong" } as const;

/** The lock of this browser: what only a person who knows or has something can open. */
export class Lock implements LockView {
  readonly #host: LockHost;
  readonly #adapters: LockAdapters;
  readonly #lock = signal<VaultLock | undefined>(undefined);
  readonly kind: ReadonlySignal<LockKind> = computed(() =>
    this.#lock.value?.means.kind ?? "none"
  );
  readonly eraseAfter: ReadonlySignal<number> = computed(() =>
    this.#lock.value?.eraseAfter ?? 0
  );
  readonly #autoLock = signal(0);
  readonly passkeys: boolean;

  constructor(host: LockHost, adapters: LockAdapters) {
    this.#host = host;
    this.#adapters = adapters;
    this.passkeys = adapters.passkeys !== undefined;
  }

  get autoLock(): ReadonlySignal<number> {
    return this.#autoLock;
  }

  /** A vault was opened, or its lock changed. */
  opened(lock: VaultLock | undefined, autoLock: number): void {
    this.#lock.value = lock;
    this.#autoLock.value = autoLock;
  }

  setPassphrase(passphrase: string, current?: string): Promise<LockChange> {
    if (passphraseLength(passphrase) < MIN_PASSPHRASE) {
      return Promise.resolve({ ok: false, reason: "short" });
    }
    return this.#change(current, async () => {
      const means: LockMeans = {
        kind: "passphrase",
        salt: this.#adapters.random.bytes(SALT_LENGTH.passphrase),
        cost: STRETCH_COST,
      };
      const bytes = passphraseBytes(passphrase);
      const secret = await this.#adapters.stretch(
        bytes,
        means.salt,
        means.cost,
      );
      wipe(bytes);
      return { means, secret };
    });
  }

  setPasskey(current?: string): Promise<LockChange> {
    return this.#change(current, async () => {
      const { passkeys, random } = this.#adapters;
      if (!passkeys) throw new NoPasskeyError();
      const salt = random.bytes(SALT_LENGTH.passkey);
      const { credential, secret } = await passkeys.create(salt);
      return { means: { kind: "passkey", salt, credential }, secret };
    });
  }

  async remove(current?: string): Promise<LockChange> {
    const vault = this.#host.vault();
    const secret = await this.#currentSecret(vault, current);
    if (!(secret instanceof Uint8Array)) return secret;
    try {
      await vault.removeLock(secret);
    } finally {
      wipe(secret);
    }
    this.opened(undefined, this.#autoLock.value);
    return { ok: true };
  }

  async setAutoLock(minutes: number): Promise<void> {
    await this.#host.storeAutoLock(minutes);
    this.#autoLock.value = minutes;
  }

  async setEraseAfter(tries: number): Promise<void> {
    const vault = this.#host.vault();
    await vault.setEraseAfter(tries);
    this.#lock.value = vault.lock;
  }

  lock(): Promise<void> {
    return this.#host.shutDown();
  }

  async unlock(passphrase?: string): Promise<UnlockOutcome> {
    const { means } = this.#host.shut();
    const secret = await this.#secretOf(means, passphrase);
    if (!secret) return NO_PASSKEY;
    try {
      const outcome = await this.#host.open(secret);
      if (outcome === "opened") return { ok: true };
      if (outcome === "erased") return { ok: false, reason: "erased" };
      return { ...WRONG, triesLeft: outcome.triesLeft };
    } finally {
      wipe(secret);
    }
  }

  /** Sets another lock, when whoever asks for it can open the one that is set. */
  async #change(
    current: string | undefined,
    make: () => Promise<{ means: LockMeans; secret: Uint8Array }>,
  ): Promise<LockChange> {
    const vault = this.#host.vault();
    if (vault.lock) {
      const secret = await this.#currentSecret(vault, current);
      if (!(secret instanceof Uint8Array)) return secret;
      wipe(secret);
    }
    let made;
    try {
      made = await make();
    } catch (error) {
      if (error instanceof NoPasskeyError) return NO_PASSKEY;
      throw error;
    }
    const { means, secret } = made;
    // Tries of a passphrase can be counted, those of a passkey can't.
    const eraseAfter = means.kind === "passphrase" ? this.eraseAfter.value : 0;
    try {
      const set = await this.#host.replaceVault((
        vault,
        recoveryKey,
        progress,
      ) => vault.setLock({ means, secret, eraseAfter }, recoveryKey, progress));
      return set ? { ok: true } : { ok: false, reason: "not-stored" };
    } finally {
      wipe(secret);
    }
  }

  /** The secret of the lock that is set, or why there is none. */
  async #currentSecret(
    vault: Vault,
    current: string | undefined,
  ): Promise<Uint8Array | LockRefusal> {
    if (!vault.lock) return WRONG;
    const secret = await this.#secretOf(vault.lock.means, current);
    if (!secret) return NO_PASSKEY;
    return vault.isOpenedBy(secret) ? secret : WRONG;
  }

  /** undefined when a passkey was called off or is not there. */
  async #secretOf(
    means: LockMeans,
    passphrase = "",
  ): Promise<Uint8Array | undefined> {
    const { stretch, passkeys } = this.#adapters;
    if (means.kind === "passphrase") {
      const bytes = passphraseBytes(passphrase);
      const secret = await stretch(bytes, means.salt, means.cost);
      wipe(bytes);
      return secret;
    }
    try {
      return await passkeys?.secret(means.credential, means.salt);
    } catch (error) {
      if (error instanceof NoPasskeyError) return undefined;
      throw error;
    }
  }
}
