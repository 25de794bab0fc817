import { equalBytes } from "@noble/ciphers/utils.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { ConversationHands } from "../conversations.ts";
import type { Desk } from "../desk.ts";
import type { Siblings } from "../devices/siblings.ts";
import { type Device, MalformedError } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { SELF } from "../records.ts";
import { beginning, giveMore, rewound, withTaken } from "./giving.ts";
import { encodeHistory, type HistoryMessage, parseHistory } from "./message.ts";
import {
  type GivingRecord,
  type HistoryRecord,
  historyTable,
  type TakingRecord,
} from "./records.ts";
import { take } from "./taking.ts";

/** After so long without a word from the other device it is over, ms: relays keep messages for 21 days. */
const PATIENCE_MS = 14 * 86_400_000;

/**
 * The past goes from a device of the account to another that came later. Everything follows from what
 * is on disk and from what the other device says: a chunk goes out in the commit that hears of one that
 * arrived. So it goes on by itself after a death of either.
 */
export class History {
  readonly #desk: Desk;
  readonly #siblings: Siblings;
  readonly #hands: ConversationHands;
  readonly #changed: (record: HistoryRecord) => void;

  constructor(
    desk: Desk,
    siblings: Siblings,
    hands: ConversationHands,
    changed: (record: HistoryRecord) => void,
  ) {
    this.#desk = desk;
    this.#siblings = siblings;
    this.#hands = hands;
    this.#changed = changed;
  }

  /** Asks all other devices; without effect while something is under way. */
  async ask(entry: Entry): Promise<void> {
    const { due: _, ...record } = await this.#read(entry);
    if (isOpen(record.taking)) return;
    const { account } = this.#desk.own.in(entry);
    const asked = account.deviceList.devices
      .map(({ id }) => id).filter((id) => id !== account.device.id);
    if (asked.length === 0) return;
    const run = bytesToHex(this.#desk.random.bytes(8));
    const heard = this.#desk.clock.now();
    const none = { total: 0, taken: 0, next: 0, floors: {} };
    this.#put(entry, {
      ...record,
      taking: { run, at: "asked", heard, asked, ...none },
    });
    await this.#say(entry, undefined, { kind: "ask", run });
  }

  /** The person does not want it, or no more of it, or has seen how it ended. */
  async stop(entry: Entry): Promise<void> {
    const { taking, due, ...record } = await this.#read(entry);
    if (!taking) {
      if (due) this.#put(entry, record);
      return;
    }
    if (!isOpen(taking)) return this.#put(entry, record);
    this.#put(entry, { ...record, taking: { ...taking, at: "stopped" } });
    const { run } = taking;
    await this.#say(entry, taking.from, { kind: "stopped", run });
  }

  /** The person lets a device have it. */
  async confirm(entry: Entry, device: number): Promise<void> {
    const record = await this.#read(entry);
    const giving = record.giving.find(({ to }) => to === device);
    if (giving?.at !== "asked") return;
    const { run } = giving;
    const { log } = this.#hands;
    const begun = await beginning(entry, this.#desk, log);
    await this.#say(entry, device, { kind: "begin", run, total: begun.total });
    await this.#give(entry, { ...giving, ...begun });
  }

  /** The person does not let a device have it, or no more of it. */
  async refuse(entry: Entry, device: number): Promise<void> {
    const record = await this.#read(entry);
    const giving = record.giving.find(({ to }) => to === device);
    if (!giving) return;
    this.#forget(entry, record, giving);
    const { run, at } = giving;
    const kind = at === "asked" ? "refused" : "stopped";
    await this.#say(entry, device, { kind, run });
  }

  /** What another device said of it. */
  async told(entry: Entry, from: Device, bytes: Uint8Array): Promise<void> {
    const message = readable(bytes);
    if (!message) return;
    switch (message.kind) {
      case "ask":
        return await this.#asked(entry, from, message.run);
      case "begin":
        return await this.#begun(entry, from, message);
      case "chunk":
        return await this.#chunk(entry, from, message);
      case "taken":
        return await this.#taken(entry, from, message);
      case "refused":
      case "stopped":
        return await this.#ended(entry, from, message);
    }
  }

  /** There is another session with a device: what was on its way in the one before may be lost. */
  async began(entry: Entry, device: number): Promise<void> {
    const { giving } = await this.#read(entry);
    const record = giving.find(({ to, at }) => to === device && at !== "asked");
    if (!record) return;
    const { run, total } = record;
    await this.#say(entry, device, { kind: "begin", run, total });
    await this.#give(entry, rewound(record));
  }

  /** A device is no more. */
  async left(entry: Entry, device: number): Promise<void> {
    const record = await this.#read(entry);
    const giving = record.giving.filter(({ to }) => to !== device);
    const taking = record.taking && without(record.taking, device, "stopped");
    if (giving.length === record.giving.length && taking === record.taking) {
      return;
    }
    this.#put(entry, { ...record, giving, taking });
  }

  /** What nobody has spoken of for two weeks is over. */
  async giveUp(entry: Entry): Promise<void> {
    const record = await this.#read(entry);
    const since = this.#desk.clock.now() - PATIENCE_MS;
    for (const giving of record.giving) {
      if (giving.heard < since) await this.refuse(entry, giving.to);
    }
    const { taking } = await this.#read(entry);
    if (!isOpen(taking) || taking.heard >= since) return;
    await this.stop(entry);
    this.#put(entry, {
      ...await this.#read(entry),
      taking: { ...taking, at: "expired" },
    });
  }

  async #asked(entry: Entry, from: Device, run: string): Promise<void> {
    const record = await this.#read(entry);
    const now = this.#desk.clock.now();
    const none = { total: 0, given: 0, next: 0, sent: 0, ended: false };
    this.#put(entry, {
      ...record,
      giving: [...record.giving.filter(({ to }) => to !== from.id), {
        run,
        at: "asked",
        to: from.id,
        identityKey: from.identityKey,
        since: now,
        heard: now,
        ...none,
        cursors: [],
        flight: [],
      }],
    });
  }

  async #begun(
    entry: Entry,
    from: Device,
    { run, total }: Extract<HistoryMessage, { kind: "begin" }>,
  ): Promise<void> {
    const record = await this.#read(entry);
    const { taking } = record;
    const isAwaited = taking?.run === run && taking.at === "asked";
    const isKnown = taking?.run === run && taking.from === from.id;
    if (isKnown && taking.at !== "stopped") return;
    if (!isAwaited) {
      return await this.#say(entry, from.id, { kind: "stopped", run });
    }
    const heard = this.#desk.clock.now();
    this.#put(entry, {
      ...record,
      taking: { ...taking, at: "taking", from: from.id, heard, total },
    });
    for (const other of taking.asked) {
      if (other === from.id) continue;
      await this.#say(entry, other, { kind: "stopped", run });
    }
  }

  async #chunk(
    entry: Entry,
    from: Device,
    chunk: Extract<HistoryMessage, { kind: "chunk" }>,
  ): Promise<void> {
    const record = await this.#read(entry);
    const { taking } = record;
    const { run, index } = chunk;
    // That it was confirmed was lost, and is said again.
    if (taking?.run === run && taking.at === "asked") return;
    const isOurs = taking?.run === run && taking.from === from.id;
    if (!isOurs || !isOpen(taking) && taking.at !== "done") {
      return await this.#say(entry, from.id, { kind: "stopped", run });
    }
    // One behind a gap comes again, when there is a session anew.
    if (index > taking.next) return;
    const after = index === taking.next
      ? await take(entry, this.#desk, this.#hands, taking, chunk)
      : taking;
    this.#put(entry, { ...record, taking: after });
    const { next } = after;
    await this.#say(entry, from.id, { kind: "taken", run, next });
  }

  async #taken(
    entry: Entry,
    from: Device,
    { run, next }: Extract<HistoryMessage, { kind: "taken" }>,
  ): Promise<void> {
    const { giving } = await this.#read(entry);
    const record = giving.find((one) => one.run === run && isFor(one, from));
    if (!record || record.at === "asked") return;
    const heard = this.#desk.clock.now();
    await this.#give(entry, { ...withTaken(record, next), heard });
  }

  async #ended(
    entry: Entry,
    from: Device,
    { kind, run }: Extract<HistoryMessage, { kind: "refused" | "stopped" }>,
  ): Promise<void> {
    const record = await this.#read(entry);
    const giving = record.giving.find((one) =>
      one.run === run && isFor(one, from)
    );
    if (giving) return this.#forget(entry, record, giving);
    const { taking } = record;
    if (taking?.run !== run) return;
    this.#put(entry, { ...record, taking: without(taking, from.id, kind) });
  }

  /** Gives as much as may be on its way; what was taken whole is over. */
  async #give(entry: Entry, giving: GivingRecord): Promise<void> {
    const { run, to } = giving;
    const after = await giveMore(
      entry,
      this.#desk,
      giving,
      (chunk) => this.#say(entry, to, { kind: "chunk", run, ...chunk }),
    );
    const record = await this.#read(entry);
    if (after.ended && after.flight.length === 0) {
      return this.#forget(entry, record, giving);
    }
    this.#put(entry, {
      ...record,
      giving: record.giving.map((one) => one.to === to ? after : one),
    });
  }

  #forget(entry: Entry, record: HistoryRecord, { to }: GivingRecord): void {
    const giving = record.giving.filter((one) => one.to !== to);
    this.#put(entry, { ...record, giving });
  }

  async #say(
    entry: Entry,
    to: number | undefined,
    message: HistoryMessage,
  ): Promise<void> {
    const bytes = encodeHistory(message);
    await this.#siblings.tell(entry, { kind: "history", bytes }, to);
  }

  async #read(entry: Entry): Promise<HistoryRecord> {
    return await entry.get(historyTable, SELF) ?? { giving: [] };
  }

  #put(entry: Entry, record: HistoryRecord): void {
    entry.put(historyTable, SELF, record);
    entry.after(() => this.#changed(record));
  }
}

/** Whether something is still to come of it. */
function isOpen(
  taking: TakingRecord | undefined,
): taking is TakingRecord & { at: "asked" | "taking" } {
  return taking?.at === "asked" || taking?.at === "taking";
}

function isFor({ identityKey }: GivingRecord, device: Device): boolean {
  return equalBytes(identityKey, device.identityKey);
}

/** A device gives nothing, or no more: others may. */
function without(
  taking: TakingRecord,
  device: number,
  how: "refused" | "stopped",
): TakingRecord {
  if (taking.at === "taking" && taking.from === device) {
    return { ...taking, at: how };
  }
  if (taking.at !== "asked" || !taking.asked.includes(device)) return taking;
  const asked = taking.asked.filter((id) => id !== device);
  return { ...taking, asked, at: asked.length > 0 ? "asked" : how };
}

function readable(bytes: Uint8Array): HistoryMessage | undefined {
  try {
    return parseHistory(bytes);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return undefined;
  }
}
