import { equalBytes } from "@noble/ciphers/utils.js";
import {
  initiateSession,
  type PreKeyBundle,
  serializeSession,
  SignalError,
} from "../../signal/mod.ts";
import {
  type Contact,
  type ContactDevice,
  isConnected,
  recipientOf,
} from "../contact.ts";
import type { Desk } from "../desk.ts";
import { type Announcer, withoutSession } from "../devices/announcer.ts";
import { Errand } from "../errand.ts";
import { isOwn } from "../forwarding.ts";
import { MalformedError } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import { sessionName } from "../outbox.ts";
import { takeBundle } from "../pools.ts";
import { plain } from "../record_codec.ts";
import { sessionTable } from "../records.ts";
import { table } from "../storage/mod.ts";
import { parsePoolWay, poolTakePair, type PoolWay } from "./pool_way.ts";
import { openBundle } from "./sealed_bundle.ts";

/** A bundle is being taken; the id is the name of the session that is to begin. */
interface TakingRecord {
  /** Of the TAKE, 16 bytes: under it the relay gives the same bundle again. */
  readonly id: Uint8Array;
  /** The pool, 16 bytes. */
  readonly pool: Uint8Array;
  /** It came to nothing: the device begins the session, once it has heard of this one. */
  readonly failed?: true;
}

const takingTable = table("taking", plain<TakingRecord>());

export interface PoolTakerEvents {
  /** There is a session with a device of a contact now. */
  began(entry: Entry, contact: Contact, device: number): Promise<void>;
}

/**
 * Begins the sessions that are missing, with bundles that contacts' devices keep at their relays: so what
 * is written on a device that nobody knows yet need not wait for anybody. What comes to nothing is left to
 * the announcement that the contact has anyway.
 */
export class PoolTaker {
  readonly #desk: Desk;
  readonly #announcer: Announcer;
  readonly #events: PoolTakerEvents;
  readonly #errand: Errand;
  /** Sessions of whose pools this connection has heard that they can't be reached. */
  readonly #away = new Set<string>();

  constructor(desk: Desk, announcer: Announcer, events: PoolTakerEvents) {
    this.#desk = desk;
    this.#announcer = announcer;
    this.#events = events;
    this.#errand = new Errand(desk, (connection) => this.#work(connection));
  }

  connected(connection: Connection): void {
    this.#away.clear();
    this.#errand.connected(connection);
  }

  lost(): void {
    this.#errand.lost();
  }

  /** There may be a session to begin. */
  look(): void {
    this.#errand.run();
  }

  async #work(connection: Connection): Promise<void> {
    const { contacts, ledger } = this.#desk;
    for (const contact of [...contacts.values()]) {
      if (!isConnected(contact)) continue;
      const pools = contact.devices.filter(({ pool }) => pool);
      if (pools.length === 0) continue;
      const missed = await withoutSession(ledger.reader, recipientOf(contact));
      for (const device of pools) {
        if (connection.lost) return;
        const name = sessionName(contact.record.accountId, device.id);
        if (!missed.includes(device.id) || this.#away.has(name)) continue;
        await this.#begin(connection, contact, device, name);
      }
    }
  }

  async #begin(
    connection: Connection,
    contact: Contact,
    device: ContactDevice,
    name: string,
  ): Promise<void> {
    if (!device.pool) return;
    const way = parsePoolWay(device.pool);
    // On disk before the relay hears it: what it gave to an answer that was lost it gives again.
    const id = await this.#takeId(name, way);
    if (!id) return;
    const bundle = await this.#take(connection, contact, device, way, id);
    if (bundle === "away") {
      this.#away.add(name);
      return;
    }
    const { accountId } = contact.record;
    await this.#desk.ledger.run(async (entry) => {
      const now = this.#desk.contactIn(entry, accountId);
      if (!now || !isConnected(now)) return entry.delete(takingTable, name);
      const begun = bundle && await this.#session(entry, now, device, bundle);
      if (begun) entry.delete(takingTable, name);
      else entry.put(takingTable, name, { id, pool: way.id, failed: true });
    });
  }

  /** Under which a bundle is taken; undefined when this pool came to nothing before. */
  #takeId(name: string, way: PoolWay): Promise<Uint8Array | undefined> {
    const { ledger, random } = this.#desk;
    return ledger.run(async (entry) => {
      const taking = await entry.get(takingTable, name);
      if (taking && equalBytes(taking.pool, way.id)) {
        return taking.failed ? undefined : taking.id;
      }
      const id = random.bytes(16);
      entry.put(takingTable, name, { id, pool: way.id });
      return id;
    });
  }

  /** A bundle; undefined when there is none to be believed; "away" when nobody knows yet. */
  async #take(
    connection: Connection,
    { record }: Contact,
    device: ContactDevice,
    way: PoolWay,
    id: Uint8Array,
  ): Promise<PreKeyBundle | "away" | undefined> {
    const { address } = device;
    const listed = this.#desk.contacts.get(record.accountId)?.deviceList.devices
      .find((other) => other.id === device.id);
    if (!listed) return undefined;
    try {
      const { forwarding } = this.#desk;
      const relay = isOwn(connection, address)
        ? connection
        : (await forwarding.remotes())
          .ofContact(connection, address, record.accountId);
      const take = await poolTakePair(way.secret);
      const { bundle } = await takeBundle(relay, way.id, take, id);
      return openBundle(address.relayKey, way, listed, bundle);
    } catch (error) {
      if (error instanceof MalformedError) return undefined;
      if (!(error instanceof RelayError)) throw error;
      const none = error.code === "no-such-blob" ||
        error.code === "unauthorised";
      return none ? undefined : "away";
    }
  }

  /** Begins the session, and tells the device first who it is with; false for a bundle that is not its. */
  async #session(
    entry: Entry,
    contact: Contact,
    { id, identityKey, address, pool }: ContactDevice,
    bundle: PreKeyBundle,
  ): Promise<boolean> {
    const { accountId } = contact.record;
    const now = contact.devices.find((device) => device.id === id);
    const same = now && pool && now.pool && equalBytes(now.pool, pool) &&
      equalBytes(now.identityKey, identityKey);
    const missed = await withoutSession(entry, recipientOf(contact, id));
    // It has begun one meanwhile, or is another one.
    if (!same || missed.length === 0) return true;
    const { account, clock } = this.#desk;
    try {
      const session = await initiateSession({
        local: account.local,
        remote: { serviceId: accountId, deviceId: id },
        bundle,
        identityKey,
        now: clock.now(),
      });
      const name = sessionName(accountId, id);
      entry.put(sessionTable, name, serializeSession(session));
    } catch (error) {
      if (!(error instanceof SignalError)) throw error;
      return false;
    }
    // In the same queue, before the first message: it says whose that is. No bundle in it, for there is a session.
    await this.#announcer.announce(entry, contact, address, { only: 0 });
    await this.#events.began(entry, contact, id);
    return true;
  }
}
