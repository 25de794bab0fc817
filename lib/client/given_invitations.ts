import { type Signal, signal } from "@preact/signals-core";
import type { Desk } from "./desk.ts";
import { Errand } from "./errand.ts";
import { publish, withdraw } from "./invitation_at_relay.ts";
import { invitationFailureOf, passes } from "./invitation_failure.ts";
import {
  type GivenRecord,
  givenTable,
  strangerTable,
} from "./invitation_records.ts";
import { formatInvitation } from "./invitation/mod.ts";
import { parseQueue } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import type { Connection } from "./link/mod.ts";
import { newInvitation } from "./new_invitation.ts";
import type { OwnQueues } from "./own_queues.ts";
import { discardBundle } from "./prekey_bundle.ts";
import { createQueue } from "./queues.ts";
import { Reach } from "./reach.ts";
import { queueTable } from "./records.ts";
import { Shelf } from "./shelf.ts";
import type { GivenInvitation, InvitationMaking } from "./view.ts";

const DAY_MS = 86_400_000;
const MAX_LIFETIME_MS = 21 * DAY_MS;
const MAX_USES = 20;
/** Who asked in the last moment may have had to wait for their connection. */
const GRACE_MS = 3_600_000;
/** Time for what waits at the relay to arrive, once there is a connection. */
const ARRIVAL_MS = 60_000;

/**
 * The links that were given out. What the relay needs so that one works while nobody is here is on
 * disk before the relay gets any of it, and a link is shown when the relay has it all.
 */
export class GivenInvitations {
  readonly making: Signal<InvitationMaking> = signal({ at: "none" });
  readonly #desk: Desk;
  readonly #queues: OwnQueues;
  readonly #shelf = new Shelf(givenTable, "given");
  readonly #errand: Errand;
  readonly #reach: Reach;
  #cancelSweep: () => void = () => {};
  /** Of the link that is being made. */
  #makingId: string | undefined;

  constructor(desk: Desk, queues: OwnQueues) {
    this.#desk = desk;
    this.#queues = queues;
    this.#reach = new Reach(desk);
    this.#errand = new Errand(desk, (connection) => this.#work(connection));
  }

  /** Newest first. Reads a signal. */
  get list(): readonly GivenInvitation[] {
    return [...this.#shelf.all.value].filter(([, { over }]) => !over)
      .map(([id, record]) => shown(id, record))
      .sort((a, b) => b.madeAt - a.madeAt);
  }

  async load(): Promise<void> {
    await this.#shelf.load(this.#desk.ledger.reader);
    for (const { places } of this.#shelf.all.peek().values()) {
      for (const name of places) this.#queues.others.add(name);
    }
  }

  connected(connection: Connection): void {
    this.#reach.connected(connection);
    this.#errand.connected(connection);
    this.#sweepIn(ARRIVAL_MS);
  }

  lost(): void {
    this.#reach.lost();
    this.#cancelSweep();
    this.#errand.lost();
  }

  stop(): void {
    this.#reach.giveUp();
    this.#cancelSweep();
    this.#errand.stop();
  }

  async create(
    { lifetime, uses }: { lifetime: number; uses: number },
  ): Promise<void> {
    const sound = Number.isInteger(uses) && uses >= 1 && uses <= MAX_USES &&
      lifetime > 0 && lifetime <= MAX_LIFETIME_MS;
    if (!sound) throw new RangeError("there are no such links");
    // Whoever presses twice wants one.
    if (this.making.peek().at === "making") return;
    this.making.value = { at: "making" };
    const connection = await this.#reach.soon();
    if (!connection) {
      this.making.value = { at: "failed", reason: "offline" };
      return;
    }
    const id = crypto.randomUUID();
    this.#makingId = id;
    await this.#desk.ledger.run(async (entry) => {
      const record = await newInvitation(this.#desk, entry, connection, {
        id,
        lifetime,
        uses,
      });
      await this.#shelf.put(entry, id, record);
      entry.after(() => {
        for (const name of record.places) this.#queues.others.add(name);
        this.#errand.run();
      });
    });
  }

  /** In the commit that takes somebody's request in: one place less. */
  async used(entry: Entry, id: string, place: string): Promise<void> {
    const record = await this.#shelf.get(entry, id);
    if (!record) return;
    const places = record.places.filter((name) => name !== place);
    const over = places.length === 0 ? { over: true as const } : {};
    await this.#shelf.put(entry, id, { ...record, places, ...over });
    entry.after(() => this.#errand.run());
  }

  revoke(id: string): Promise<void> {
    return this.#desk.ledger.run((entry) => this.#end(entry, id));
  }

  /** It is good no more: nobody asks by it from this commit on. */
  async #end(entry: Entry, id: string): Promise<void> {
    const record = await this.#shelf.get(entry, id);
    if (!record || record.over) return;
    for (const name of record.places) {
      const place = await entry.get(strangerTable, name);
      if (place?.kind === "place") await discardBundle(entry, place.preKey);
      entry.delete(strangerTable, name);
    }
    await this.#queues.discard(entry, record.places);
    const { unpublished: _, ...rest } = record;
    await this.#shelf.put(entry, id, { ...rest, places: [], over: true });
    entry.after(() => {
      for (const name of record.places) this.#queues.others.delete(name);
      if (id === this.#makingId && this.making.peek().at === "making") {
        this.making.value = { at: "none" };
      }
      this.#errand.run();
    });
  }

  async #work(connection: Connection): Promise<void> {
    for (const [id, record] of this.#shelf.all.peek()) {
      if (record.over) {
        await withdraw(connection, record);
        await this.#desk.ledger.run((entry) => this.#shelf.remove(entry, id));
      } else if (record.unpublished) {
        await this.#publish(connection, id, record, record.unpublished);
      }
    }
  }

  async #publish(
    connection: Connection,
    id: string,
    record: GivenRecord,
    unpublished: NonNullable<GivenRecord["unpublished"]>,
  ): Promise<void> {
    const { clock, ledger } = this.#desk;
    const left = record.expiresAt - record.skew - clock.now();
    try {
      const queues = await ledger.reader.getMany(queueTable, record.places);
      for (const queue of queues) {
        if (!queue) continue;
        await createQueue(connection, await parseQueue(queue.credentials));
      }
      // Until it is read by its owner a queue lives for a day only.
      await this.#queues.added(record.places);
      const lifetime = Math.max(1, Math.ceil(left / 1_000));
      await publish(connection, record, unpublished, lifetime);
    } catch (error) {
      const reason = invitationFailureOf(error);
      // For its password a relay may wait long: whoever wants a link is told.
      if (passes(error) && reason !== "access") throw error;
      this.making.value = { at: "failed", reason };
      return await ledger.run((entry) => this.#end(entry, id));
    }
    await ledger.run(async (entry) => {
      const now = await this.#shelf.get(entry, id);
      if (!now?.unpublished) return; // withdrawn meanwhile
      const { unpublished: _, ...published } = now;
      await this.#shelf.put(entry, id, published);
      entry.after(() => {
        if (this.making.peek().at === "making") {
          this.making.value = { at: "made", id };
        }
      });
    });
  }

  #sweepIn(ms: number): void {
    this.#cancelSweep();
    this.#cancelSweep = this.#desk.clock.after(ms, () => {
      this.#desk.ledger.post((entry) => this.#sweep(entry));
    });
  }

  /** Ends what is past its time, with all that had come before it taken in. */
  async #sweep(entry: Entry): Promise<void> {
    const now = this.#desk.clock.now();
    let next = DAY_MS;
    for (const [id, record] of await this.#shelf.list(entry)) {
      const left = record.expiresAt - record.skew + GRACE_MS - now;
      if (left <= 0) await this.#end(entry, id);
      else next = Math.min(next, left);
    }
    entry.after(() => {
      if (this.#reach.connection) this.#sweepIn(Math.max(next, ARRIVAL_MS));
    });
  }
}

function shown(id: string, record: GivenRecord): GivenInvitation {
  const { uses, places, madeAt, expiresAt, skew } = record;
  return {
    id,
    fragment: record.unpublished ? undefined : formatInvitation(record),
    uses,
    used: uses - places.length,
    madeAt,
    expiresAt: expiresAt - skew,
  };
}
