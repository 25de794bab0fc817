import { equalBytes } from "@noble/ciphers/utils.js";
import { type Signal, signal } from "@preact/signals-core";
import { SignalError, type SignalErrorCode } from "../signal/mod.ts";
import { queueId } from "../wire/mod.ts";
import { type Carried, openEnvelope, sealEnvelope } from "./content/mod.ts";
import { addressesOf, type Contact, type Recipient } from "./contact.ts";
import type { Desk } from "./desk.ts";
import type { Address } from "./keys/mod.ts";
import { Lane } from "./lane.ts";
import type { Entry } from "./ledger.ts";
import type { Connection } from "./link/mod.ts";
import { queueName } from "./queues.ts";
import {
  type LaneRecord,
  laneTable,
  type OutgoingRecord,
  outgoingTable,
  sessionTable,
} from "./records.ts";

const TRANSPORT_ID = 16;

/**
 * How long the relay's OK waits to be written, in ms. All that come meanwhile share a commit, and
 * disk and screen are left to what can't wait. An OK that is lost with the page is asked for again.
 */
const SETTLE_DELAY_MS = 50;

/** Sessions as good as none: unanswered for 30 days, closed, or not with who the signed device list says. */
const NO_SESSION: readonly SignalErrorCode[] = [
  "unanswered",
  "no-session",
  "identity-changed",
];

/** The message of a log that an envelope carries. */
export type MessageRef = NonNullable<OutgoingRecord["message"]>;

export interface OutboxEvents {
  /** In the commit that takes messages off the outbox: what became of them. */
  settled(
    entry: Entry,
    messages: readonly MessageRef[],
    outcome: "sent" | "failed",
  ): Promise<void>;
  /** Resolves when other own devices may be written to; rejects as `Connection.request` does. */
  sure(connection: Connection): Promise<void>;
}

/** A queue, and whose it is. */
export interface Target {
  readonly accountId: string;
  readonly address: Address;
}

/** Every queue that we send a contact something by. */
export function targetsOf(contact: Contact): Target[] {
  const { accountId } = contact.record;
  return addressesOf(contact).map((address) => ({ accountId, address }));
}

interface Settled {
  readonly queue: string;
  readonly index: number;
  readonly outcome: "sent" | "failed";
}

/** The name of a session in the vault. */
export function sessionName(accountId: string, deviceId: number): string {
  return `${accountId}.${deviceId}`;
}

/**
 * What is on its way. A message is encrypted and sealed once, in the commit that moves the ratchet
 * on and writes the log; from then on the same bytes go out under the same transport id until the
 * relay has answered OK, whatever happens in between.
 */
export class Outbox {
  readonly #desk: Desk;
  readonly #events: OutboxEvents;
  readonly #lanes = new Map<string, Lane>();
  /** Queues that the relay said it does not have when something was last sent there. */
  readonly #gone: Signal<ReadonlySet<string>> = signal(new Set());
  #connection: Connection | undefined;
  #settled: Settled[] = [];
  #settling = false;
  #cancelDelay: (() => void) | undefined;

  constructor(desk: Desk, events: OutboxEvents) {
    this.#desk = desk;
    this.#events = events;
  }

  /** Takes up what was on its way to `targets` when the account was last open. */
  async load(targets: readonly Target[]): Promise<void> {
    const names = targets.map(({ address: { send } }) =>
      queueName(send.publicKey)
    );
    const { reader } = this.#desk.ledger;
    const records = await reader.getMany(laneTable, names);
    for (const [i, target] of targets.entries()) {
      const record = records[i];
      if (record) this.#lane(names[i], target, record);
    }
  }

  /**
   * Encrypts `plaintext` for every device of a recipient, and puts the envelopes, the new ratchet
   * states and the order of sending into `entry`. `message`: whose delivery state follows it.
   * @returns the ids of devices for which nothing was put, as there is no way to them (yet)
   */
  async post(
    entry: Entry,
    { accountId, devices }: Recipient,
    plaintext: Uint8Array,
    message?: MessageRef,
  ): Promise<number[]> {
    const { account, clock } = this.#desk;
    const { encrypt, parseSession, serializeSession } = await this.#desk
      .sessions;
    const names = devices.map(({ id }) => sessionName(accountId, id));
    const stored = await entry.getMany(sessionTable, names);
    const missed: number[] = [];
    for (const [i, { id, identityKey, address }] of devices.entries()) {
      const bytes = stored[i];
      const encrypted = bytes && address && await encrypt({
        local: account.local,
        remote: { serviceId: accountId, deviceId: id },
        session: parseSession(bytes),
        identityKey,
        plaintext,
        now: clock.now(),
      }).catch((error: unknown) => {
        if (
          !(error instanceof SignalError && NO_SESSION.includes(error.code))
        ) {
          throw error;
        }
      });
      if (encrypted && address) {
        entry.put(sessionTable, names[i], serializeSession(encrypted.session));
        const target = { accountId, address };
        await this.deliver(entry, target, encrypted.message, message);
      } else missed.push(id);
    }
    return missed;
  }

  /** Whether the relay does not have the queue, as far as is known. Reads a signal. */
  isGone({ send }: Address): boolean {
    return this.#gone.value.has(queueName(send.publicKey));
  }

  /** Puts an envelope on its way to a queue; `id`: under which it may have reached another of this recipient. */
  async deliver(
    entry: Entry,
    target: Target,
    carried: Carried,
    message?: MessageRef,
    id: Uint8Array = this.#desk.random.bytes(TRANSPORT_ID),
  ): Promise<void> {
    const { send, sealKey } = target.address;
    const queue = queueId(send.publicKey);
    const { device } = this.#desk.account;
    await this.#enqueue(entry, target, {
      id,
      envelope: sealEnvelope({ sealKey, queue }, device.id, carried),
      message,
    });
  }

  /** Nothing more goes to this queue, nor what was on its way there: its messages have failed. */
  async close(entry: Entry, { send }: Address): Promise<void> {
    const name = queueName(send.publicKey);
    await this.#bury(entry, name);
    entry.delete(laneTable, name);
    entry.after(() => {
      this.#lanes.get(name)?.end();
      this.#lanes.delete(name);
      this.#isThere(name);
      this.#settled = this.#settled.filter(({ queue }) => queue !== name);
    });
  }

  /** What is on its way to a queue goes to the one that took its place, and nothing more to the first. */
  async move(entry: Entry, from: Address, to: Target): Promise<void> {
    const name = queueName(from.send.publicKey);
    const { first = 0, next = 0 } = await entry.get(laneTable, name) ?? {};
    const queue = queueId(from.send.publicKey);
    for (let index = first; index < next; index++) {
      const id = `${name}.${index}`;
      const record = await entry.get(outgoingTable, id);
      // The relay's OK may be here already, and wait to be written.
      const known = this.#settled.some((answer) =>
        answer.queue === name && answer.index === index
      );
      if (!record || known) continue;
      const { sealKey } = from;
      const { message } = openEnvelope({ sealKey, queue }, record.envelope);
      await this.deliver(entry, to, message, record.message, record.id);
      entry.delete(outgoingTable, id);
    }
    await this.close(entry, from);
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    for (const lane of this.#lanes.values()) lane.connected(connection);
  }

  lost(): void {
    this.#connection = undefined;
    for (const lane of this.#lanes.values()) lane.stop();
    if (this.#cancelDelay) this.#writeSettled();
  }

  async #enqueue(
    entry: Entry,
    target: Target,
    record: OutgoingRecord,
  ): Promise<void> {
    const name = queueName(target.address.send.publicKey);
    const lane = await entry.get(laneTable, name) ?? { first: 0, next: 0 };
    const next = lane.next + 1;
    entry.put(outgoingTable, `${name}.${lane.next}`, record);
    entry.put(laneTable, name, { ...lane, next });
    entry.after(() => this.#lane(name, target, lane).grew(next, record));
  }

  #lane(
    name: string,
    { accountId, address }: Target,
    entries: LaneRecord,
  ): Lane {
    const known = this.#lanes.get(name);
    if (known) return known;
    const { clock, random, ledger, forwarding } = this.#desk;
    const lane = new Lane(entries, {
      clock,
      random,
      open: async (connection) => {
        const isOwn = accountId === this.#desk.account.accountId;
        if (isOwn) await this.#events.sure(connection);
        return await forwarding.way(connection, address, accountId);
      },
      read: (index) => ledger.reader.get(outgoingTable, `${name}.${index}`),
      settled: (index, outcome) => {
        if (outcome === "sent") this.#isThere(name);
        this.#settle({ queue: name, index, outcome });
      },
      gone: () => {
        // A device of the account makes its queue anew as soon as it is there, and nobody else says what it missed.
        const returns = isOneOf(address, this.#desk.own.state.self);
        if (!returns) {
          this.#gone.value = new Set([...this.#gone.peek(), name]);
          ledger.post((entry) => this.#bury(entry, name));
        }
        return returns;
      },
      broken: (error) => this.#desk.broken(error),
    });
    this.#lanes.set(name, lane);
    if (this.#connection) lane.connected(this.#connection);
    return lane;
  }

  /** Or nothing is sent there any more. */
  #isThere(name: string): void {
    const gone = new Set(this.#gone.peek());
    if (gone.delete(name)) this.#gone.value = gone;
  }

  #settle(settled: Settled): void {
    this.#settled.push(settled);
    if (this.#settling) return;
    this.#settling = true;
    this.#cancelDelay = this.#desk.clock.after(
      SETTLE_DELAY_MS,
      () => this.#writeSettled(),
    );
  }

  #writeSettled(): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    this.#desk.ledger.post(async (entry) => {
      const batch = this.#settled.slice();
      for (const queue of new Set(batch.map(({ queue }) => queue))) {
        await this.#takeOff(
          entry,
          queue,
          batch.filter((s) => s.queue === queue),
        );
      }
      entry.after(() => {
        this.#settled = this.#settled.slice(batch.length);
        this.#settling = false;
        const rest = this.#settled.pop();
        if (rest) this.#settle(rest);
      });
    });
  }

  async #takeOff(
    entry: Entry,
    name: string,
    settled: readonly Settled[],
  ): Promise<void> {
    const lane = await entry.get(laneTable, name);
    // One has parted from the contact meanwhile: all of it was taken off then.
    if (!lane) return;
    const ids = settled.map(({ index }) => `${name}.${index}`);
    const records = await entry.getMany(outgoingTable, ids);
    for (const outcome of ["sent", "failed"] as const) {
      const messages = records.flatMap((record, i) =>
        record?.message && settled[i].outcome === outcome
          ? [record.message]
          : []
      );
      if (messages.length > 0) {
        await this.#events.settled(entry, messages, outcome);
      }
    }
    for (const id of ids) entry.delete(outgoingTable, id);
    let first = lane.first;
    while (
      first < lane.next &&
      !await entry.get(outgoingTable, `${name}.${first}`)
    ) first++;
    entry.put(laneTable, name, { ...lane, first });
    entry.after(() => this.#lanes.get(name)?.shrank(first));
  }

  /** Nothing that was to go to this queue will arrive: it is no more. */
  async #bury(entry: Entry, name: string): Promise<void> {
    const lane = await entry.get(laneTable, name);
    if (!lane) return;
    const settled: Settled[] = [];
    for (let index = lane.first; index < lane.next; index++) {
      // The relay's OK may be here already, and wait to be written.
      const known = this.#settled.find((answer) =>
        answer.queue === name && answer.index === index
      );
      settled.push(known ?? { queue: name, index, outcome: "failed" });
    }
    await this.#takeOff(entry, name, settled);
  }
}

function isOneOf({ send }: Address, contact: Contact): boolean {
  return contact.devices.some(({ address }) =>
    equalBytes(address.send.publicKey, send.publicKey)
  );
}
