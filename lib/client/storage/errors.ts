/** One class per cause that the caller can act on. No message holds anything of the user's. */

/** The disk, or this site's share of it, is full. Nothing of the refused commit was written. */
export class StorageFullError extends Error {
  override readonly name = "StorageFullError";
  constructor(options?: ErrorOptions) {
    super(
      "There is no room left to store this. Free some space and try again.",
      options,
    );
  }
}

/** The browser refuses to store anything here, or stopped doing so. */
export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
  constructor(why: string, options?: ErrorOptions) {
    super(`The browser's storage can't be used: ${why}.`, options);
  }
}

/** Another tab opened the same storage after this one did; this one may not write any more. */
export class TakenOverError extends Error {
  override readonly name = "TakenOverError";
  constructor() {
    super("Another tab uses this storage now.");
  }
}

/** What is stored was written by a newer version of Whisper. It is left as it is. */
export class NewerVersionError extends Error {
  override readonly name = "NewerVersionError";
  constructor(options?: ErrorOptions) {
    super(
      "What is stored here was written by a newer version of Whisper.",
      options,
    );
  }
}

/** What is stored was changed or cut by something other than Whisper. It is left as it is. */
export class DamagedError extends Error {
  override readonly name = "DamagedError";
  constructor(what: string, options?: ErrorOptions) {
    super(`What is stored here is damaged: ${what}.`, options);
  }
}

/** A valid recovery key, but not the one this vault was sealed to. */
export class WrongKeyError extends Error {
  override readonly name = "WrongKeyError";
  constructor(options?: ErrorOptions) {
    super("This key does not open what is stored here.", options);
  }
}

/** Used after `close`, `logOut` or the end of its transaction. */
export class VaultClosedError extends Error {
  override readonly name = "VaultClosedError";
  constructor() {
    super("The vault is closed.");
  }
}

/** `Vault.create` where a vault is stored already, or `Vault.recover` where there is none. */
export class VaultStateError extends Error {
  override readonly name = "VaultStateError";
  constructor(what: "exists" | "none") {
    super(
      what === "exists"
        ? "An account is stored here already."
        : "No account is stored here.",
    );
  }
}
