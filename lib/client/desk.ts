import type { Clock } from "./clock.ts";
import type { Contact } from "./contact.ts";
import type { Forwarding } from "./forwarding.ts";
import type { Entry, Ledger } from "./ledger.ts";
import type { Sync } from "./devices/sync.ts";
import type { OwnAccount } from "./own_account.ts";
import type { OwnDevices } from "./own_devices.ts";
import type { Random } from "./random.ts";
import type { ConnectionState } from "./view.ts";

/** See sessions.ts. */
export type Sessions = typeof import("./sessions.ts");

/** What the parts that work on an open account share. */
export interface Desk {
  readonly own: OwnDevices;
  /** The account as it is on disk. */
  readonly account: OwnAccount;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  /** Fetched when the account is opened. Its failure is told to `broken`. */
  readonly sessions: Promise<Sessions>;
  /** The ways to people, at whatever relay. */
  readonly forwarding: Forwarding;
  /** By account id. Grows when a meeting is on disk. */
  readonly contacts: ReadonlyMap<string, Contact>;
  /**
   * A contact as `entry` has them: what it puts is not seen elsewhere before the commit. The own
   * account is one too: its other devices are met like those of contacts.
   */
  contactIn(entry: Entry, accountId: string): Contact | undefined;
  /** The other devices of the account hear of what is done here, as soon as they can be reached. */
  tell(entry: Entry, sync: Sync): Promise<void>;
  /** The last version of the backup that the relay is known to have; 0: none. */
  backupVersion(): number;
  /** How it stands with the relay. Reads a signal. */
  connection(): ConnectionState;
  /** Tries the relay now, if it is to be tried later. */
  reconnect(): void;
  /** Something failed that can't fail unless the disk or the program is at fault. */
  broken(error: unknown): void;
}
