import { equalBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { decrypt, serializeSession } from "../signal/mod.ts";
import { nameOf } from "./contact.ts";
import type { Desk } from "./desk.ts";
import { Errand } from "./errand.ts";
import type { GivenInvitations } from "./given_invitations.ts";
import { invitationFailureOf, passes } from "./invitation_failure.ts";
import {
  type RequestRecord,
  requestTable,
  type StrangerRecord,
  strangerTable,
} from "./invitation_records.ts";
import { openRequest } from "./invitation/mod.ts";
import { type Card, encodeCard, parseCard } from "./invite/mod.ts";
import { parseQueue } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import type { Connection } from "./link/mod.ts";
import { toldApart } from "./names.ts";
import type { Meetings } from "./meetings.ts";
import type { OwnQueues } from "./own_queues.ts";
import { deliver, packed } from "./parcels.ts";
import { discardBundle, makeBundle } from "./prekey_bundle.ts";
import { preKeySource, usedUp } from "./prekeys.ts";
import { createQueue } from "./queues.ts";
import { type QueueRecord, queueTable } from "./records.ts";
import { Shelf } from "./shelf.ts";
import type { InvitationOutcome, InvitationRequest } from "./view.ts";

/** What who asked hears when they are refused; when they are accepted it is a card. */
export const REFUSED = Uint8Array.of(0);

export interface RequestsEvents {
  /** What came of a request that was accepted. */
  outcome(outcome: InvitationOutcome): void;
}

/** Those who ask to connect by our links. Nobody is a contact before the person has said yes. */
export class InvitationRequests {
  readonly #desk: Desk;
  readonly #queues: OwnQueues;
  readonly #meetings: Meetings;
  readonly #given: GivenInvitations;
  readonly #events: RequestsEvents;
  readonly #shelf = new Shelf(requestTable, "requests");
  readonly #errand: Errand;
  #connection: Connection | undefined;

  constructor(
    desk: Desk,
    queues: OwnQueues,
    meetings: Meetings,
    given: GivenInvitations,
    events: RequestsEvents,
  ) {
    this.#desk = desk;
    this.#queues = queues;
    this.#meetings = meetings;
    this.#given = given;
    this.#events = events;
    this.#errand = new Errand(desk, (connection) => this.#work(connection));
  }

  /** Oldest first. Reads a signal. */
  get list(): readonly InvitationRequest[] {
    const asking = [...this.#shelf.all.value]
      .filter(([, { accepted, answer }]) => accepted || !answer);
    const { contacts } = this.#desk;
    // Who asks may call themselves what a contact is called.
    const names = toldApart([
      ...[...contacts].map(([id, contact]) => [id, nameOf(contact)] as const),
      ...asking.filter(([, { accountId }]) => !contacts.has(accountId))
        .map(([id, { name }]) => [id, name] as const),
    ]);
    return asking
      .map(([id, { name, arrivedAt, accepted }]) => ({
        id,
        name: names.get(id) ?? name,
        arrivedAt,
        accepting: accepted !== undefined,
      }));
  }

  load(): Promise<void> {
    return this.#shelf.load(this.#desk.ledger.reader);
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#errand.connected(connection);
  }

  lost(): void {
    this.#connection = undefined;
    this.#errand.lost();
  }

  stop(): void {
    this.#errand.stop();
  }

  /**
   * Somebody asks by the own queue `name`, that of a place. Whose device it is, the session proves;
   * whose account, the device list in the card. Throws, or returns false, for what is no request.
   */
  async arrived(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    place: Extract<StrangerRecord, { kind: "place" }>,
    envelope: Uint8Array,
  ): Promise<boolean> {
    const { account, clock, contacts } = this.#desk;
    const { sealKey } = await parseQueue(queue.credentials);
    const { accountId, deviceId, identityKey, message } = await openRequest(
      { sealKey, queue: hexToBytes(name) },
      place.boxKey,
      envelope,
    );
    const { plaintext, session, used } = await decrypt({
      local: account.local,
      remote: { serviceId: accountId, deviceId },
      identityKey,
      message,
      preKeys: preKeySource(entry, this.#desk),
    });
    const card = await parseCard(plaintext);
    const listed = card.deviceList.devices.some((device) =>
      device.id === deviceId && equalBytes(device.identityKey, identityKey)
    );
    if (!used || card.accountId !== accountId || !listed) return false;
    await usedUp(entry, this.#desk, used);
    entry.delete(strangerTable, name);
    await this.#given.used(entry, place.of, name);
    const unwanted = accountId === account.accountId ||
      contacts.get(accountId)?.record.settings.blocked.value;
    if (unwanted) {
      await this.#queues.discard(entry, [name]);
      return true;
    }
    await this.#replace(entry, accountId);
    await this.#shelf.put(entry, name, {
      card: plaintext,
      accountId,
      name: card.displayName,
      deviceId,
      session: serializeSession(session),
      arrivedAt: clock.now(),
    });
    return true;
  }

  /** Who asks again is in the list once. */
  async #replace(entry: Entry, accountId: string): Promise<void> {
    for (const [id, request] of await this.#shelf.list(entry)) {
      const waits = !request.accepted && !request.answer;
      if (request.accountId === accountId && waits) {
        await this.#forget(entry, id);
      }
    }
  }

  /** Their card is given the answer; they are a contact when the relay has it. */
  async accept(id: string): Promise<void> {
    const connection = this.#connection;
    const name = this.#shelf.all.peek().get(id)?.name ?? "";
    if (!connection) {
      this.#events.outcome({ at: "failed", name, reason: "offline" });
      return;
    }
    const { ledger } = this.#desk;
    await ledger.run(async (entry) => {
      const request = await this.#shelf.get(entry, id);
      if (!request || request.accepted || request.answer) return;
      const bundle = await makeBundle(entry, this.#desk);
      const { card, queues } = await this.#meetings.card(
        entry,
        connection,
        [bundle],
      );
      await this.#shelf.put(entry, id, {
        ...request,
        accepted: {
          card: encodeCard(card),
          queues,
          preKey: bundle.preKey?.id,
        },
      });
    });
    this.#errand.run();
  }

  async refuse(id: string): Promise<void> {
    await this.#desk.ledger.run(async (entry) => {
      const request = await this.#shelf.get(entry, id);
      if (!request || request.accepted || request.answer) return;
      await this.#shelf.put(
        entry,
        id,
        await this.#answered(request, REFUSED),
      );
    });
    this.#errand.run();
  }

  async #work(connection: Connection): Promise<void> {
    for (const [id, request] of this.#shelf.all.peek()) {
      try {
        if (request.accepted) await this.#accept(connection, id, request);
        else if (request.answer) {
          await deliver(this.#desk, connection, request.answer, id);
          await this.#end(id);
        }
      } catch (error) {
        if (passes(error)) throw error;
        const failure = invitationFailureOf(error);
        await this.#fail(
          id,
          request,
          failure === "gone" ? "withdrawn" : failure,
        );
      }
    }
  }

  async #accept(
    connection: Connection,
    id: string,
    request: RequestRecord,
  ): Promise<void> {
    const { ledger } = this.#desk;
    const { accepted } = request;
    if (!accepted) return;
    const card = await parseCard(request.card);
    let answer = request.answer;
    if (!answer) {
      const objection = await this.#meetings.objection(card, connection);
      if (objection) {
        return await this.#fail(
          id,
          request,
          objection === "wrong" || objection === "used"
            ? "relay-misbehaved"
            : objection,
        );
      }
      const queues = await ledger.reader.getMany(queueTable, accepted.queues);
      for (const queue of queues) {
        if (!queue) continue;
        await createQueue(connection, await parseQueue(queue.credentials));
      }
      const next = await this.#answered(request, accepted.card);
      await ledger.run((entry) => this.#shelf.put(entry, id, next));
      answer = next.answer;
    }
    if (answer) await deliver(this.#desk, connection, answer, id);
    await this.#met(id, card, accepted.queues);
  }

  async #met(
    id: string,
    card: Card,
    queues: readonly string[],
  ): Promise<void> {
    await this.#desk.ledger.run(async (entry) => {
      // They begin the session, with the bundle in our card.
      const { conversation } = await this.#meetings.keep(entry, card, {
        queues,
        began: false,
      });
      await this.#forget(entry, id);
      entry.after(() => {
        this.#meetings.over();
        this.#events.outcome({ at: "connected", conversation });
      });
    });
  }

  /** The request with what they are to hear. */
  async #answered(
    request: RequestRecord,
    plaintext: Uint8Array,
  ): Promise<RequestRecord> {
    const { accountId, deviceId } = request;
    const card = await parseCard(request.card);
    const theirs = card.devices.find(({ device }) => device.id === deviceId);
    if (!theirs) throw new Error("a request of a device that is not listed");
    const { parcel, session } = await packed(this.#desk, {
      accountId,
      deviceId,
      identityKey: theirs.device.identityKey,
      address: theirs.address,
      session: request.session,
    }, plaintext);
    return { ...request, session, answer: parcel };
  }

  async #fail(
    id: string,
    { name, accepted }: RequestRecord,
    reason: Extract<InvitationOutcome, { at: "failed" }>["reason"],
  ): Promise<void> {
    await this.#desk.ledger.run(async (entry) => {
      if (accepted) {
        await this.#queues.discard(entry, accepted.queues);
        await discardBundle(entry, accepted.preKey);
      }
      await this.#forget(entry, id);
      entry.after(() => {
        this.#meetings.over();
        if (accepted) this.#events.outcome({ at: "failed", name, reason });
      });
    });
  }

  #end(id: string): Promise<void> {
    return this.#desk.ledger.run((entry) => this.#forget(entry, id));
  }

  /** Nothing is left of it, nor of the queue by which it came. */
  async #forget(entry: Entry, id: string): Promise<void> {
    await this.#queues.discard(entry, [id]);
    await this.#shelf.remove(entry, id);
    entry.after(() => this.#queues.others.delete(id));
  }
}
