import type { Ledger } from "../ledger.ts";
import type { Random } from "../random.ts";
import { contactTable, isolationTable } from "../records.ts";

const LABEL = 16;

/**
 * The isolation label of each contact, and of each meeting: 16 random bytes, by which the own relay keeps apart
 * what goes over Tor. A contact's is kept on this device, and in no backup: a page that is loaded again goes
 * on by the circuits there are, and another device has others.
 */
export class Labels {
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #contacts = new Map<string, Promise<Uint8Array>>();
  readonly #meetings = new Map<string, Uint8Array>();

  constructor(ledger: Ledger, random: Random) {
    this.#ledger = ledger;
    this.#random = random;
  }

  /** The label of a contact, made now if there is none. Rejects as the ledger does. */
  ofContact(accountId: string): Promise<Uint8Array> {
    const known = this.#contacts.get(accountId);
    if (known) return known;
    const label = this.#kept(accountId);
    this.#contacts.set(accountId, label);
    label.catch(() => this.#contacts.delete(accountId)); // told to who asked
    return label;
  }

  /** Gives a contact another label. Rejects as the ledger does; then they have the one before. */
  async renew(accountId: string): Promise<Uint8Array> {
    const label = this.#random.bytes(LABEL);
    await this.#keep(accountId, label);
    this.#contacts.set(accountId, Promise.resolve(label));
    return label;
  }

  /** One has parted from a contact: were they met anew, it would be by another label. */
  forget(accountId: string): void {
    this.#contacts.delete(accountId);
  }

  /** The label of an invite under way; `id`: of its record. */
  ofMeeting(id: string): Uint8Array {
    return this.#meetings.get(id) ?? this.newMeeting(id);
  }

  /** Another meeting begins: nothing of the one before is to be seen by it. */
  newMeeting(id: string): Uint8Array {
    const label = this.#random.bytes(LABEL);
    this.#meetings.set(id, label);
    return label;
  }

  async #kept(accountId: string): Promise<Uint8Array> {
    const record = await this.#ledger.reader.get(isolationTable, accountId);
    if (record) return record.label;
    const label = this.#random.bytes(LABEL);
    await this.#keep(accountId, label);
    return label;
  }

  #keep(accountId: string, label: Uint8Array): Promise<void> {
    return this.#ledger.run(async (entry) => {
      // Deleted meanwhile: nothing of them is to stay.
      if (!await entry.get(contactTable, accountId)) return;
      entry.put(isolationTable, accountId, { label });
    });
  }
}
