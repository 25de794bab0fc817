import { equalBytes } from "@noble/ciphers/utils.js";
import { type Signal, signal } from "@preact/signals-core";
import {
  initiateSession,
  serializeSession,
  SignalError,
} from "../signal/mod.ts";
import {
  type Contact,
  contactOfCard,
  isConnected,
  openContact,
} from "./contact.ts";
import type { ContactSettings } from "./contact_settings.ts";
import type { Desk } from "./desk.ts";
import {
  type Card,
  CardTooLargeError,
  formatInviteCode,
  type Handshake,
  type InviteCode,
  InviteRefusedError,
  offeredCode,
  parseHandshake,
  parseInviteCode,
  serializeHandshake,
  startInviter,
  startJoiner,
} from "./invite/mod.ts";
import { InviteRun } from "./invite_run.ts";
import {
  addressOf,
  compareDeviceLists,
  MalformedError,
  publicDevice,
} from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import { sessionName } from "./outbox.ts";
import type { OwnQueues } from "./own_queues.ts";
import { discardBundle, makeBundle } from "./prekeys.ts";
import { type Ed25519Pair, newEd25519Pair, queueId } from "../wire/mod.ts";
import { bindQueues, makeQueue } from "./queues.ts";
import {
  type InviteRecord,
  inviteTable,
  queueTable,
  SELF,
  sessionTable,
  triedTable,
} from "./records.ts";
import { failureOf, openRendezvous, type Place } from "./rendezvous.ts";
import type {
  InviteFailure,
  InviteView,
  JoinState,
  OfferState,
} from "./view.ts";

export interface InvitesEvents {
  /** In that same commit, before: who they were ends, if they were known; what was decided about them stays. */
  again(entry: Entry, accountId: string): Promise<ContactSettings | undefined>;
  /** In the commit that ends an invite: a contact, whose records are put, to be remembered. */
  met(entry: Entry, contact: Contact, began: boolean): Promise<void>;
}

interface NewSession {
  readonly name: string;
  /** As it is stored. */
  readonly session: Uint8Array;
}

/** Until the inviter's first message says until when a code is good, in ms: what relays give. */
const PRESUMED_LIFETIME = 300_000;

/** Codes, given out and entered: at most one of each at a time. */
export class Invites implements InviteView {
  readonly offer: Signal<OfferState> = signal<OfferState>({ at: "none" });
  readonly join: Signal<JoinState> = signal<JoinState>({ at: "none" });
  readonly #desk: Desk;
  readonly #queues: OwnQueues;
  readonly #events: InvitesEvents;
  #connection: Connection | undefined;
  #offering: InviteRun | undefined;
  #joining: InviteRun | undefined;
  #prepared:
    | { readonly accountId: string; readonly sessions: readonly NewSession[] }
    | undefined;
  #tail: Promise<void> = Promise.resolve();

  constructor(desk: Desk, queues: OwnQueues, events: InvitesEvents) {
    this.#desk = desk;
    this.#queues = queues;
    this.#events = events;
  }

  /** Takes up what was under way when the account was last open. */
  async load(): Promise<void> {
    const [offer, join] = await this.#desk.ledger.reader.getMany(inviteTable, [
      "offer",
      "join",
    ]);
    if (offer) this.#offering = this.#begin("offer", offer);
    if (join) this.#joining = this.#begin("join", join);
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#offering?.connected(connection);
    this.#joining?.connected(connection);
  }

  lost(): void {
    this.#connection = undefined;
    this.#offering?.lost();
    this.#joining?.lost();
  }

  /** Stops without ending anything. */
  stop(): void {
    this.#offering?.stop();
    this.#joining?.stop();
    this.#offering = undefined;
    this.#joining = undefined;
  }

  generate(): Promise<void> {
    return this.#inTurn(async () => {
      this.offer.value = { at: "making" };
      await this.#offering?.withdraw();
      await this.#queues.tidied();
      const connection = this.#connection;
      if (!connection) {
        this.offer.value = { at: "failed", reason: "offline" };
        return;
      }
      try {
        const rendezvous = await newEd25519Pair();
        const place = await openRendezvous(connection, rendezvous);
        const record = await this.#offered(connection, rendezvous, place);
        this.#offering = this.#begin("offer", record);
        this.#offering.connected(connection, place);
      } catch (error) {
        this.offer.value = { at: "failed", reason: reasonOf(error) };
      }
    });
  }

  withdraw(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#offering?.withdraw();
      this.offer.value = { at: "none" };
    });
  }

  connect(code: string): Promise<void> {
    return this.#inTurn(async () => {
      const reading = parseInviteCode(code);
      const connection = this.#connection;
      if (!reading.ok) return this.#joinFailed("malformed");
      if (!connection) return this.#joinFailed("offline");
      const here = URL.parse(connection.hello.url)?.host;
      if (reading.relay !== undefined && reading.relay !== here) {
        return this.#joinFailed("other-relay");
      }
      this.join.value = { at: "connecting" };
      await this.#joining?.withdraw();
      await this.#queues.tidied();
      try {
        const record = await this.#entered(connection, reading.code);
        this.#joining = this.#begin("join", record);
        this.#joining.connected(connection);
      } catch (error) {
        this.#joinFailed(reasonOf(error));
      }
    });
  }

  reset(): void {
    const { offer, join } = this;
    if (offer.value.at === "failed" || offer.value.at === "connected") {
      offer.value = { at: "none" };
    }
    if (join.value.at === "failed" || join.value.at === "connected") {
      join.value = { at: "none" };
    }
  }

  #joinFailed(reason: InviteFailure): void {
    this.join.value = { at: "failed", reason };
  }

  /** Puts a new offer on disk, with everything that its card names. */
  #offered(
    connection: Connection,
    rendezvous: Ed25519Pair,
    place: Place,
  ): Promise<InviteRecord> {
    const { account, ledger } = this.#desk;
    const { relayKey } = connection.hello;
    return ledger.run(async (entry) => {
      const bundle = await makeBundle(entry, account);
      const { card, queues } = await this.#card(entry, connection, [bundle]);
      const { state } = startInviter({
        relayKey,
        nameplate: place.nameplate,
        expiresAt: place.expires,
        card,
      });
      const record: InviteRecord = {
        rendezvous,
        queues,
        preKey: bundle.preKey?.id,
        handshake: serializeHandshake(state),
        skew: connection.skew,
      };
      entry.put(inviteTable, "offer", record);
      return record;
    });
  }

  /** Puts the attempt to join on disk, with everything that our card will name. */
  async #entered(
    connection: Connection,
    code: InviteCode,
  ): Promise<InviteRecord> {
    const { clock, ledger } = this.#desk;
    const rendezvous = await newEd25519Pair();
    const { relayKey } = connection.hello;
    const relayNow = clock.now() + connection.skew;
    return await ledger.run(async (entry) => {
      const tried = await this.#tried(entry, relayNow);
      const offering = this.#offering;
      const { card, queues } = await this.#card(entry, connection, []);
      const { state } = startJoiner({
        relayKey,
        code,
        expiresAt: relayNow + PRESUMED_LIFETIME,
        now: relayNow,
        card,
        known: offering && !offering.over ? [offering.state, ...tried] : tried,
      });
      const record: InviteRecord = {
        rendezvous,
        queues,
        handshake: serializeHandshake(state),
        skew: connection.skew,
      };
      entry.put(inviteTable, "join", record);
      return record;
    });
  }

  /** Our card for one other person, and the queues made for them. */
  async #card(
    entry: Entry,
    connection: Connection,
    bundles: Card["devices"][number]["bundles"],
  ): Promise<{ card: Card; queues: string[] }> {
    const { account } = this.#desk;
    const relay = {
      url: connection.hello.url,
      key: connection.hello.relayKey,
    };
    const own = await makeQueue(entry, account);
    const shared = await makeQueue(entry, account);
    return {
      queues: [own.name, shared.name],
      card: {
        displayName: account.name,
        accountId: account.accountId,
        accountKey: account.accountKey,
        deviceList: account.deviceList,
        devices: [{
          device: publicDevice(account.device),
          address: addressOf(own.credentials, relay),
          bundles,
        }],
        accountQueue: addressOf(shared.credentials, relay),
      },
    };
  }

  #begin(id: "offer" | "join", record: InviteRecord): InviteRun {
    const run: InviteRun = new InviteRun(this.#desk, id, record, {
      moved: (state) => this.#show(run, state),
      met: (entry, run, card) => this.#met(entry, run, card),
      failed: (entry, run, reason) => this.#failed(entry, run, reason),
      objection: (card) => this.#objection(run, card),
    });
    this.#show(run, run.state);
    run.start();
    return run;
  }

  #show(run: InviteRun, state: Handshake): void {
    if (run.id === "join") {
      this.join.value = { at: "connecting" };
      return;
    }
    const code = offeredCode(state);
    this.offer.value = code
      ? {
        at: "waiting",
        code: formatInviteCode(code),
        expiresAt: run.expiresAt,
      }
      : { at: "connecting" };
  }

  async #objection(
    run: InviteRun,
    card: Card,
  ): Promise<InviteFailure | undefined> {
    const { account, contacts } = this.#desk;
    if (card.accountId === account.accountId) return "own";
    // That of the relay where they met: there may be no connection to ask just now.
    const here = run.state.relayKey;
    const addresses = [
      card.accountQueue,
      ...card.devices.map(({ address }) => address),
    ];
    if (addresses.some(({ relayKey }) => !equalBytes(relayKey, here))) {
      return "other-relay";
    }
    const known = contacts.get(card.accountId);
    const objection = known && await this.#objectionToAgain(known, card);
    if (objection) return objection;
    try {
      await this.#sessions(card);
    } catch (error) {
      if (error instanceof SignalError) return "relay-misbehaved";
      throw error;
    }
  }

  /** Why someone known is not to be met anew; undefined when there is no way to each other, or to who they are now. */
  async #objectionToAgain(
    known: Contact,
    card: Card,
  ): Promise<InviteFailure | undefined> {
    if (known.record.settings.blocked.value) return "blocked";
    const order = compareDeviceLists(known.deviceList, card.deviceList);
    // Someone with a device that was removed since, or two who both say they are this person.
    if (order === "older" || order === "forked") return "device-list";
    if (order === "newer" || !isConnected(known)) return undefined;
    // What is on its way would be lost with the queues, so they change only when there is no way any more.
    return await this.#reaches(known) ? "already-connected" : undefined;
  }

  /** Whether the relay has a queue yet by which a contact receives. Rejects without an answer. */
  async #reaches({ devices }: Contact): Promise<boolean> {
    if (!this.#connection) throw new ConnectionLostError();
    const results = await bindQueues(
      this.#connection,
      devices.map(({ address: { send } }) => ({
        role: "send",
        pair: send,
        queue: queueId(send.publicKey),
      })),
    );
    return results.some((result) => {
      if (result.status === "fulfilled") return true;
      const { reason } = result;
      const gone = reason instanceof RelayError &&
        reason.code === "no-such-queue";
      if (!gone) throw reason;
      return false;
    });
  }

  /** New sessions with the devices whose bundles a card has, ready to be stored: made once for a card. */
  async #sessions(card: Card): Promise<readonly NewSession[]> {
    if (this.#prepared?.accountId === card.accountId) {
      return this.#prepared.sessions;
    }
    const { account, clock } = this.#desk;
    const sessions = await Promise.all(
      card.devices.flatMap(({ device, bundles }) =>
        bundles.slice(0, 1).map(async (bundle) => ({
          name: sessionName(card.accountId, device.id),
          session: serializeSession(
            await initiateSession({
              local: account.local,
              remote: { serviceId: card.accountId, deviceId: device.id },
              bundle,
              now: clock.now(),
            }),
          ),
        }))
      ),
    );
    this.#prepared = { accountId: card.accountId, sessions };
    return sessions;
  }

  async #met(entry: Entry, run: InviteRun, card: Card): Promise<void> {
    const { account, clock } = this.#desk;
    const { queues } = run.record;
    const settings = await this.#events.again(entry, card.accountId);
    const record = contactOfCard(card, {
      accountId: account.accountId,
      queues,
      now: clock.now(),
    }, settings);
    for (const name of queues) {
      const queue = await entry.get(queueTable, name);
      if (queue) {
        entry.put(queueTable, name, { ...queue, contact: record.accountId });
      }
    }
    // The joiner begins the session, and nobody else.
    const began = run.id === "join";
    if (began) {
      for (const { name, session } of await this.#sessions(card)) {
        entry.put(sessionTable, name, session);
      }
    }
    await this.#events.met(entry, await openContact(record), began);
    entry.after(() => {
      const outcome = {
        at: "connected",
        conversation: record.conversation,
      } as const;
      if (run.id === "offer") this.offer.value = outcome;
      else this.join.value = outcome;
      this.#forget(run);
    });
  }

  async #failed(
    entry: Entry,
    run: InviteRun,
    reason: InviteFailure | undefined,
  ): Promise<void> {
    const { queues, preKey, skew } = run.record;
    if (run.guessed) {
      // A code that was tried is not tried again.
      const relayNow = this.#desk.clock.now() + skew;
      const tried = await this.#tried(entry, relayNow);
      entry.put(triedTable, SELF, {
        handshakes: [...tried, run.state].map(serializeHandshake),
      });
    }
    await this.#queues.discard(entry, queues);
    if (preKey !== undefined) discardBundle(entry, preKey);
    entry.after(() => {
      this.#forget(run);
      if (reason === undefined) return;
      if (run.id === "offer") this.offer.value = { at: "failed", reason };
      else this.join.value = { at: "failed", reason };
    });
  }

  async #tried(entry: Entry, relayNow: number): Promise<Handshake[]> {
    const record = await entry.get(triedTable, SELF);
    return (record?.handshakes ?? []).map(parseHandshake)
      .filter(({ expiresAt }) => expiresAt > relayNow);
  }

  #forget(run: InviteRun): void {
    this.#prepared = undefined;
    if (this.#offering === run) this.#offering = undefined;
    if (this.#joining === run) this.#joining = undefined;
  }

  #inTurn(work: () => Promise<void> | void): Promise<void> {
    const result = this.#tail.then(work);
    // Its failure is the caller's, who has `result`; the next command runs all the same.
    this.#tail = result.catch(() => {});
    return result;
  }
}

/** Why an invite could not even be begun. Rethrows what is no answer to that. */
function reasonOf(error: unknown): InviteFailure {
  if (error instanceof ConnectionLostError) return "offline";
  if (error instanceof RelayError) return failureOf(error.code);
  if (error instanceof InviteRefusedError) return error.reason;
  // Our own card does not fit its rules: the relay's URL in it is no origin.
  if (error instanceof MalformedError || error instanceof CardTooLargeError) {
    return "relay-misbehaved";
  }
  throw error;
}
