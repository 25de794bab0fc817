/**
 * What own devices told each other and was lost on its way: there is nothing in it to be shown as failed. When
 * there is a session anew, each asks the other for what happened since it last heard it.
 */
import type { ConversationLog } from "../content/mod.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import { sessionName } from "../outbox.ts";
import { type RepairRecord, repairTable } from "../records.ts";
import { happened, RECENT_MS } from "./recent.ts";
import { mayHaveAgain } from "./repair.ts";
import type { Siblings } from "./siblings.ts";

/** When a device was last heard is noted no more often, ms: it costs a record. */
const NOTED_MS = 60_000;

/** What is older is history, ms. */
const OLDEST_MS = 14 * 86_400_000;

export class Missed {
  readonly #desk: Desk;
  readonly #siblings: Siblings;
  readonly #log: ConversationLog;

  constructor(desk: Desk, siblings: Siblings, log: ConversationLog) {
    this.#desk = desk;
    this.#siblings = siblings;
    this.#log = log;
  }

  /** What a device said at this time, by its clock, was read. */
  async heard(entry: Entry, device: number, time: number): Promise<void> {
    const { name, record } = await this.#record(entry, device);
    if (Math.abs(time - (record.heard ?? 0)) < NOTED_MS) return;
    entry.put(repairTable, name, { ...record, heard: time });
  }

  /** There is a session with a device: what it told in one before may be lost. */
  async began(entry: Entry, device: number): Promise<void> {
    const { name, record } = await this.#record(entry, device);
    if (record.came === undefined) {
      entry.put(repairTable, name, { ...record, came: this.#desk.clock.now() });
    }
    await this.#ask(entry, device);
  }

  /** What any of them told may be lost. */
  async askAll(entry: Entry): Promise<void> {
    const { account } = this.#desk.own.in(entry);
    for (const { id } of account.deviceList.devices) {
      if (id !== account.device.id) await this.#ask(entry, id);
    }
  }

  /** Nothing is missed of one that was never heard. What was asked and not answered is asked again. */
  async #ask(entry: Entry, device: number): Promise<void> {
    const { name, record } = await this.#record(entry, device);
    const time = record.missing ?? record.heard;
    if (time === undefined) return;
    entry.put(repairTable, name, { ...record, missing: time });
    await this.#tellCleared(entry, device);
    await this.#siblings.tell(entry, { kind: "missed", time }, device);
  }

  /** A device has told all since then. */
  async answered(entry: Entry, device: number, time: number): Promise<void> {
    const { name, record } = await this.#record(entry, device);
    const { missing, ...rest } = record;
    if (missing === time) entry.put(repairTable, name, rest);
  }

  /** What was cleared here may still be there, and comes back from there else. */
  async #tellCleared(entry: Entry, device: number): Promise<void> {
    const since = this.#desk.clock.now() - OLDEST_MS;
    for (const { record } of this.#desk.contacts.values()) {
      const { accountId: about, conversation } = record;
      const cleared = await this.#log.cleared(entry, conversation);
      if (!cleared || cleared.at < since) continue;
      const sync = { kind: "cleared", about, upTo: cleared.rank } as const;
      await this.#siblings.tell(entry, sync, device);
    }
  }

  /** A device last heard this one at `time`. It is told no more of what was before it came than any other. */
  async asked(entry: Entry, device: number, time: number): Promise<void> {
    const now = this.#desk.clock.now();
    const { name, record: { came = now } } = await this.#record(entry, device);
    if (!await mayHaveAgain(this.#desk, entry, name)) return;
    const recent = now - RECENT_MS;
    const period = {
      // A clock that was put back since would leave nothing to be told.
      since: Math.max(
        Math.min(time, recent),
        came - RECENT_MS,
        now - OLDEST_MS,
      ),
      came: came - RECENT_MS,
    };
    const syncs = await happened(entry, this.#desk, this.#log, period);
    for (const sync of [...syncs, { kind: "told", time } as const]) {
      await this.#siblings.tell(entry, sync, device);
    }
  }

  async #record(
    entry: Entry,
    device: number,
  ): Promise<{ name: string; record: RepairRecord }> {
    const name = sessionName(this.#desk.account.accountId, device);
    return { name, record: await entry.get(repairTable, name) ?? {} };
  }
}
