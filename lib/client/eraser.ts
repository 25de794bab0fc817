import { eraseCleared, removeLog, unerased } from "./content/mod.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { leavingTable, SELF } from "./records.ts";

/**
 * Takes cleared messages off the disk, a page in each step, with everybody else's steps in between.
 * That they are gone from sight is on disk before it begins, so that it can go on at the next opening.
 */
export class Eraser {
  readonly #ledger: Ledger;
  readonly #at = new Set<string>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Takes up what was not finished when the account was last open. `kept`: conversations with contacts. */
  async load(kept: readonly string[]): Promise<void> {
    const { reader } = this.#ledger;
    const leaving = await reader.get(leavingTable, SELF);
    for (const conversation of leaving?.conversations ?? []) {
      this.begin(conversation);
    }
    for (const conversation of await unerased(reader, kept)) {
      this.begin(conversation);
    }
  }

  /** A conversation was cleared. */
  begin(conversation: string): void {
    if (this.#at.has(conversation)) return;
    this.#at.add(conversation);
    this.#next(conversation);
  }

  /** In the commit that clears a conversation: when it is erased, nothing of it is to stay. */
  async leave(entry: Entry, conversation: string): Promise<void> {
    const leaving = await this.#leaving(entry);
    entry.put(leavingTable, SELF, {
      conversations: [...leaving, conversation],
    });
    entry.after(() => this.begin(conversation));
  }

  /** There is such a conversation again: what was cleared goes, the rest stays. */
  async keep(entry: Entry, conversation: string): Promise<void> {
    const leaving = await this.#leaving(entry);
    if (!leaving.includes(conversation)) return;
    entry.put(leavingTable, SELF, {
      conversations: leaving.filter((other) => other !== conversation),
    });
  }

  #next(conversation: string): void {
    this.#ledger.post(async (entry) => {
      const more = await eraseCleared(entry, conversation);
      if (!more && (await this.#leaving(entry)).includes(conversation)) {
        await removeLog(entry, conversation);
        await this.keep(entry, conversation);
      }
      entry.after(() => {
        if (more) this.#next(conversation);
        else this.#at.delete(conversation);
      });
    });
  }

  async #leaving(entry: Entry): Promise<readonly string[]> {
    const record = await entry.get(leavingTable, SELF);
    return record?.conversations ?? [];
  }
}
