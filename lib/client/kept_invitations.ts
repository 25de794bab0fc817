import { equalBytes } from "@noble/ciphers/utils.js";
import type { Desk } from "./desk.ts";
import { keptTable } from "./invitation_records.ts";
import { formatInvitation, type InvitationLink } from "./invitation/mod.ts";
import type { Entry } from "./ledger.ts";
import { Shelf } from "./shelf.ts";
import type { KeptInvitation } from "./view.ts";

/**
 * Links of others that were opened here: on disk before anything is done with them, as the page has
 * taken them out of its address. Each until its person was asked, it is of no use, or it is dismissed.
 */
export class KeptInvitations {
  readonly #desk: Desk;
  readonly #shelf = new Shelf(keptTable, "kept");

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  load(): Promise<void> {
    return this.#shelf.load(this.#desk.ledger.reader);
  }

  /** Oldest first, without the one that is `open` now. Reads a signal. */
  list(open: InvitationLink | undefined): readonly KeptInvitation[] {
    return [...this.#shelf.all.value]
      .filter(([, { link }]) => !open || !isSame(link, open))
      .map(([id, { link, origin, name }]) => ({
        id,
        name,
        link: (origin === undefined ? "" : `${origin}/`) +
          formatInvitation(link),
      }));
  }

  keep(link: InvitationLink, origin: string | undefined): Promise<void> {
    return this.#desk.ledger.run(async (entry) => {
      if (await this.#find(entry, link)) return;
      await this.#shelf.put(entry, crypto.randomUUID(), { link, origin });
    });
  }

  /** It is known whose it is. */
  named(link: InvitationLink, name: string): Promise<void> {
    return this.#desk.ledger.run(async (entry) => {
      const id = await this.#find(entry, link);
      const record = id && await this.#shelf.get(entry, id);
      if (!record || record.name === name) return;
      await this.#shelf.put(entry, id, { ...record, name });
    });
  }

  async forget(entry: Entry, link: InvitationLink): Promise<void> {
    const id = await this.#find(entry, link);
    if (id) await this.#shelf.remove(entry, id);
  }

  dismiss(id: string): Promise<void> {
    return this.#desk.ledger.run((entry) => this.#shelf.remove(entry, id));
  }

  async #find(
    entry: Entry,
    link: InvitationLink,
  ): Promise<string | undefined> {
    const all = await this.#shelf.list(entry);
    return all.find(([, record]) => isSame(record.link, link))?.[0];
  }
}

function isSame(a: InvitationLink, b: InvitationLink): boolean {
  return equalBytes(a.blob, b.blob) && equalBytes(a.secret, b.secret);
}
