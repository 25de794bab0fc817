import { equalBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import {
  decrypt,
  encrypt,
  initiateSession,
  parseSession,
  serializeSession,
  SignalError,
} from "../signal/mod.ts";
import { queueId } from "../wire/mod.ts";
import { ANNOUNCEMENT, openEnvelope } from "./content/mod.ts";
import type { Desk } from "./desk.ts";
import { Errand } from "./errand.ts";
import { invitationFailureOf, passes } from "./invitation_failure.ts";
import {
  type AskedRecord,
  askedTable,
  strangerTable,
} from "./invitation_records.ts";
import { REFUSED } from "./invitation_requests.ts";
import {
  type InvitationLink,
  openPlace,
  type Place,
  sealRequest,
  takePair,
  type Whose,
} from "./invitation/mod.ts";
import { encodeCard, parseCard } from "./invite/mod.ts";
import {
  compareDeviceLists,
  MalformedError,
  parseQueue,
  verifyDeviceList,
} from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import type { Connection } from "./link/mod.ts";
import type { Meetings } from "./meetings.ts";
import type { OwnQueues } from "./own_queues.ts";
import { deliver, newParcel } from "./parcels.ts";
import { takeBundle } from "./pools.ts";
import { preKeySource } from "./prekeys.ts";
import { createQueue } from "./queues.ts";
import { type QueueRecord, queueTable, type RelayRecord } from "./records.ts";
import { Shelf } from "./shelf.ts";
import type {
  AskedInvitation,
  InvitationFailure,
  InvitationOutcome,
} from "./view.ts";

export interface AskedEvents {
  /** Who was asked has said yes. */
  outcome(outcome: InvitationOutcome): void;
}

/** A place that was taken. */
type Taking = NonNullable<AskedRecord["taking"]>;
type Asked = NonNullable<AskedRecord["request"]>;

/**
 * Those we ask to connect by a link of theirs. Under which id a place is taken is on disk before it
 * is taken, and what is asked before it leaves: so a link is used once, however often this ends.
 */
export class AskedInvitations {
  readonly #desk: Desk;
  readonly #queues: OwnQueues;
  readonly #meetings: Meetings;
  readonly #events: AskedEvents;
  readonly #shelf = new Shelf(askedTable, "asked");
  readonly #errand: Errand;

  constructor(
    desk: Desk,
    queues: OwnQueues,
    meetings: Meetings,
    events: AskedEvents,
  ) {
    this.#desk = desk;
    this.#queues = queues;
    this.#meetings = meetings;
    this.#events = events;
    this.#errand = new Errand(desk, (connection) => this.#work(connection));
  }

  /** Oldest first. Reads a signal. */
  get list(): readonly AskedInvitation[] {
    return [...this.#shelf.all.value].map(([id, { name, failed, request }]) => {
      if (failed) return { id, name, state: { at: "failed", reason: failed } };
      return { id, name, state: { at: request?.sent ? "waiting" : "sending" } };
    });
  }

  async load(): Promise<void> {
    await this.#shelf.load(this.#desk.ledger.reader);
    for (const { request } of this.#shelf.all.peek().values()) {
      if (request) this.#queues.others.add(request.queues[0]);
    }
  }

  connected(connection: Connection): void {
    this.#errand.connected(connection);
  }

  lost(): void {
    this.#errand.lost();
  }

  stop(): void {
    this.#errand.stop();
  }

  /** Who was asked by this very link, and has not answered yet. */
  by(link: InvitationLink): { id: string; name: string } | undefined {
    for (const [id, record] of this.#shelf.all.peek()) {
      if (isBy(record, link)) return { id, name: record.name };
    }
    return undefined;
  }

  /**
   * Asks whose link it is, at `relay` unless it is the own one; `also` is done in the same step. Who asks
   * again by the same link has asked once: another time would take another place. Who asks somebody by
   * another link takes back what they asked before.
   */
  async ask(
    link: InvitationLink,
    whose: Whose & { ownKey: Uint8Array },
    relay: RelayRecord | undefined,
    also: (entry: Entry) => Promise<void>,
  ): Promise<string> {
    const { clock, ledger, random } = this.#desk;
    const id = await ledger.run(async (entry) => {
      await also(entry);
      const id = crypto.randomUUID();
      for (const [other, record] of await this.#shelf.list(entry)) {
        if (record.accountId !== whose.accountId) continue;
        if (isBy(record, link)) return other;
        await this.#forget(entry, other, record);
      }
      const { displayName, accountId, accountKey, deviceList } = whose;
      await this.#shelf.put(entry, id, {
        name: displayName,
        accountId,
        accountKey,
        deviceList: deviceList.bytes,
        askedAt: clock.now(),
        link: link.blob,
        taking: {
          secret: link.secret,
          ownKey: whose.ownKey,
          pools: whose.pools,
          id: random.bytes(16),
          relay,
        },
      });
      return id;
    });
    this.#errand.run();
    return id;
  }

  async takeBack(id: string): Promise<void> {
    await this.#desk.ledger.run(async (entry) => {
      const record = await this.#shelf.get(entry, id);
      if (record) await this.#forget(entry, id, record);
    });
  }

  /** An answer, by the own queue `name`. Throws, or returns false, for what is none. */
  async answered(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    id: string,
    envelope: Uint8Array,
  ): Promise<boolean> {
    const record = await this.#shelf.get(entry, id);
    if (!record?.request) return false;
    const plaintext = await this.#decrypted(
      entry,
      record,
      record.request,
      hexToBytes(name),
      (await parseQueue(queue.credentials)).sealKey,
      envelope,
    );
    if (plaintext?.length === REFUSED.length) {
      await this.#fail(entry, id, record, "refused");
      return true;
    }
    const card = plaintext && await parseCard(plaintext);
    if (card?.accountId !== record.accountId) return false;
    const known = await verifyDeviceList(record.deviceList, record);
    const order = compareDeviceLists(known, card.deviceList);
    if (order === "older" || order === "forked") return false;
    if (await this.#meetings.unsound(card)) return false;
    const { conversation } = await this.#meetings.keep(entry, card, {
      queues: record.request.queues,
      began: true,
    });
    entry.delete(strangerTable, name);
    await this.#shelf.remove(entry, id);
    entry.after(() => {
      this.#queues.others.delete(name);
      this.#meetings.over();
      this.#events.outcome({ at: "connected", conversation });
    });
    return true;
  }

  async #decrypted(
    entry: Entry,
    { accountId, accountKey, deviceList }: AskedRecord,
    { deviceId, session }: Asked,
    queue: Uint8Array,
    sealKey: Uint8Array,
    envelope: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const list = await verifyDeviceList(deviceList, { accountId, accountKey });
    const device = list.devices.find(({ id }) => id === deviceId);
    const { senderDevice, message } = openEnvelope(
      { sealKey, queue },
      envelope,
    );
    if (!device || senderDevice !== deviceId) return undefined;
    if (message.type === ANNOUNCEMENT) return undefined;
    const { plaintext } = await decrypt({
      local: this.#desk.account.local,
      remote: { serviceId: accountId, deviceId },
      session: parseSession(session),
      identityKey: device.identityKey,
      message,
      preKeys: preKeySource(entry, this.#desk),
    });
    return plaintext;
  }

  async #work(connection: Connection): Promise<void> {
    for (const id of this.#shelf.all.peek().keys()) {
      try {
        await this.#goOn(connection, id);
      } catch (error) {
        if (passes(error)) throw error;
        const reason = invitationFailureOf(error);
        await this.#desk.ledger.run(async (entry) => {
          const record = await this.#shelf.get(entry, id);
          if (record) await this.#fail(entry, id, record, reason);
        });
      }
    }
  }

  async #goOn(connection: Connection, id: string): Promise<void> {
    const record = this.#shelf.all.peek().get(id);
    if (record?.taking) await this.#take(connection, id, record.taking);
    const { request } = this.#shelf.all.peek().get(id) ?? {};
    if (!request || request.sent) return;
    const { ledger } = this.#desk;
    const queues = await ledger.reader.getMany(queueTable, request.queues);
    for (const queue of queues) {
      if (!queue) continue;
      await createQueue(connection, await parseQueue(queue.credentials));
    }
    // Read from before it is named, so that it lives for as long as it may take.
    await this.#queues.added([request.queues[0]]);
    await deliver(this.#desk, connection, request, id);
    await ledger.run(async (entry) => {
      const now = await this.#shelf.get(entry, id);
      if (!now?.request) return; // taken back, or answered already
      await this.#shelf.put(entry, id, {
        ...now,
        request: { ...now.request, sent: true },
      });
    });
  }

  /** Takes a place, and puts what is asked by it on disk. */
  async #take(
    connection: Connection,
    id: string,
    taking: Taking,
  ): Promise<void> {
    const { forwarding, ledger } = this.#desk;
    const { relay } = taking;
    const reached = relay
      ? (await forwarding.remotes()).ofMeeting(connection, relay, id)
      : connection;
    for (const [i, pool] of taking.pools.entries()) {
      const take = await takePair(taking.secret, i);
      const { lastResort, bundle } = await takeBundle(
        reached,
        pool,
        take,
        taking.id,
      );
      if (lastResort) continue;
      return await ledger.run(async (entry) => {
        const record = await this.#shelf.get(entry, id);
        if (!record?.taking) return; // taken back meanwhile
        const deviceList = await verifyDeviceList(record.deviceList, record);
        const place = await openPlace(
          relay?.key ?? connection.hello.relayKey,
          taking.secret,
          pool,
          { ownKey: taking.ownKey, deviceList },
          bundle,
        );
        const request = await this.#request(entry, connection, record, place);
        const { taking: _, ...rest } = record;
        await this.#shelf.put(entry, id, { ...rest, request });
        const [name] = request.queues;
        entry.put(strangerTable, name, { kind: "answer", of: id });
        entry.after(() => this.#queues.others.add(name));
      });
    }
    await ledger.run(async (entry) => {
      const record = await this.#shelf.get(entry, id);
      if (record) await this.#fail(entry, id, record, "used-up");
    });
  }

  async #request(
    entry: Entry,
    connection: Connection,
    { accountId }: AskedRecord,
    { device, address, bundle, boxKey }: Place,
  ): Promise<Asked> {
    const { account, clock } = this.#desk;
    const { card, queues } = await this.#meetings.card(entry, connection, []);
    const remote = { serviceId: accountId, deviceId: device.id };
    const { message, session } = await encrypt({
      local: account.local,
      remote,
      session: await this.#session(remote, bundle),
      identityKey: device.identityKey,
      plaintext: encodeCard(card),
      now: clock.now(),
    });
    const queue = queueId(address.send.publicKey);
    const envelope = await sealRequest(
      { sealKey: address.sealKey, queue },
      boxKey,
      {
        accountId: account.accountId,
        deviceId: account.device.id,
        identityKey: account.device.identity.publicKey,
        message,
      },
    );
    return {
      ...newParcel(this.#desk, address, envelope),
      deviceId: device.id,
      session: serializeSession(session),
      queues,
      sent: false,
    };
  }

  async #session(
    remote: { serviceId: string; deviceId: number },
    bundle: Place["bundle"],
  ) {
    const { account, clock } = this.#desk;
    try {
      return await initiateSession({
        local: account.local,
        remote,
        bundle,
        now: clock.now(),
      });
    } catch (error) {
      if (error instanceof SignalError) throw new MalformedError("bundle");
      throw error;
    }
  }

  /** Stays in the list, with the reason, until the person has seen it. */
  async #fail(
    entry: Entry,
    id: string,
    record: AskedRecord,
    reason: InvitationFailure,
  ): Promise<void> {
    await this.#end(entry, record);
    const { taking: _, request: __, ...rest } = record;
    await this.#shelf.put(entry, id, { ...rest, failed: reason });
  }

  async #forget(
    entry: Entry,
    id: string,
    record: AskedRecord,
  ): Promise<void> {
    await this.#end(entry, record);
    await this.#shelf.remove(entry, id);
  }

  async #end(entry: Entry, { request }: AskedRecord): Promise<void> {
    if (!request) return;
    await this.#queues.discard(entry, request.queues);
    entry.delete(strangerTable, request.queues[0]);
    entry.after(() => this.#queues.others.delete(request.queues[0]));
  }
}

/** Whether it was asked by this link, and nothing came of it yet. */
function isBy(record: AskedRecord, { blob }: InvitationLink): boolean {
  const { link, failed } = record;
  return !failed && link !== undefined && equalBytes(link, blob);
}
