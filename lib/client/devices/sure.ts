/**
 * Before a device says anything to the others of its account, it asks on each connection whether a later
 * epoch of the backup has begun: then one of them was removed, and it is yet to hear which.
 */
import { openBlobKeys } from "../backup/blob_keys.ts";
import { mayWrite } from "../blobs.ts";
import type { Desk } from "../desk.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import { backupKeysTable, SELF } from "../records.ts";

/** Who is told so has it after this long, in ms; else there is no session with who would tell. */
const TOLD_MS = 20_000;

export class Sure {
  readonly #desk: Pick<Desk, "clock" | "ledger">;
  readonly #sure = new WeakSet<Connection>();
  /** Since when a later epoch is known to have begun, ms since the epoch. */
  #since: number | undefined;

  constructor(desk: Pick<Desk, "clock" | "ledger">) {
    this.#desk = desk;
  }

  /** Resolves when the others may be written to; rejects with RelayError "unreachable" when not yet. */
  async wait(connection: Connection): Promise<void> {
    if (this.#sure.has(connection)) return;
    if (await this.#isCurrent(connection)) this.#since = undefined;
    else {
      const now = this.#desk.clock.now();
      this.#since ??= now;
      if (now - this.#since < TOLD_MS) {
        throw new RelayError("unreachable", new Uint8Array());
      }
    }
    this.#sure.add(connection);
  }

  async #isCurrent(connection: Connection): Promise<boolean> {
    const record = await this.#desk.ledger.reader.get(backupKeysTable, SELF);
    // Without a backup, or one that is being made, nobody was removed.
    if (!record || record.ownSeed) return true;
    const { blob, write } = await openBlobKeys(record);
    return await mayWrite(connection, blob, write);
  }
}
