import { type Signal, signal } from "@preact/signals-core";
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
  relayUrlOf,
  serializeHandshake,
  startInviter,
  startJoiner,
} from "./invite/mod.ts";
import { InviteRun } from "./invite_run.ts";
import { MalformedError } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import { Invitations } from "./invitations.ts";
import { type Where, whereIs } from "./meeting_place.ts";
import { Meetings, type MeetingsEvents } from "./meetings.ts";
import type { OwnQueues } from "./own_queues.ts";
import { discardBundle, makeBundle } from "./prekey_bundle.ts";
import { Reach } from "./reach.ts";
import { type InviteRecord, inviteTable, SELF, triedTable } from "./records.ts";
import { failureOf, openRendezvous, type Place } from "./rendezvous.ts";
import type { InviteFailure, JoinState, OfferState } from "./view.ts";
import { type Ed25519Pair, newEd25519Pair } from "../wire/mod.ts";

/** Until the inviter's first message says until when a code is good, in ms: what relays give. */
const PRESUMED_LIFETIME = 300_000;

/** Both ways to invite, with what was under way when the account was last open. */
export async function openInvites(
  desk: Desk,
  queues: OwnQueues,
  events: MeetingsEvents,
): Promise<{ codes: Invites; invitations: Invitations }> {
  const codes = new Invites(desk, queues, new Meetings(desk, events));
  const meetings = new Meetings(desk, events);
  const invitations = new Invitations(desk, queues, meetings);
  await codes.load();
  await invitations.load();
  return { codes, invitations };
}

/** Codes, given out and entered: at most one of each at a time. */
export class Invites {
  readonly offer: Signal<OfferState> = signal<OfferState>({ at: "none" });
  readonly join: Signal<JoinState> = signal<JoinState>({ at: "none" });
  readonly #desk: Desk;
  readonly #queues: OwnQueues;
  readonly #meetings: Meetings;
  readonly #reach: Reach;
  #offering: InviteRun | undefined;
  #joining: InviteRun | undefined;
  #tail: Promise<void> = Promise.resolve();

  constructor(desk: Desk, queues: OwnQueues, meetings: Meetings) {
    this.#desk = desk;
    this.#queues = queues;
    this.#meetings = meetings;
    this.#reach = new Reach(desk);
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
    this.#reach.connected(connection);
    this.#offering?.connected(connection);
    this.#joining?.connected(connection);
  }

  lost(): void {
    this.#reach.lost();
    this.#offering?.lost();
    this.#joining?.lost();
  }

  /** Stops without ending anything. */
  stop(): void {
    this.#reach.giveUp();
    this.#offering?.stop();
    this.#joining?.stop();
    this.#offering = undefined;
    this.#joining = undefined;
  }

  generate(): Promise<void> {
    const coming = this.#reach.soon();
    return this.#inTurn(async () => {
      this.offer.value = { at: "making" };
      await this.#offering?.withdraw();
      await this.#queues.tidied();
      const connection = await coming;
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
    this.#reach.giveUp();
    return this.#inTurn(async () => {
      await this.#offering?.withdraw();
      this.offer.value = { at: "none" };
    });
  }

  connect(code: string): Promise<void> {
    const coming = this.#reach.soon();
    return this.#inTurn(async () => {
      const reading = parseInviteCode(code);
      if (!reading.ok) return this.#joinFailed("malformed");
      this.join.value = { at: "connecting" };
      const connection = await coming;
      if (!connection) return this.#joinFailed("offline");
      await this.#joining?.withdraw();
      await this.#queues.tidied();
      try {
        const host = reading.relay;
        const own = host === URL.parse(connection.hello.url)?.host;
        const url = host === undefined || own ? undefined : relayUrlOf(host);
        const where = await whereIs(this.#desk, connection, url, "join");
        const record = await this.#entered(connection, reading.code, where);
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
    const { ledger } = this.#desk;
    const { relayKey } = connection.hello;
    return ledger.run(async (entry) => {
      const bundle = await makeBundle(entry, this.#desk);
      const { card, queues } = await this.#meetings.card(
        entry,
        connection,
        [bundle],
      );
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
    { relayKey, skew, relay }: Where,
  ): Promise<InviteRecord> {
    const { clock, ledger } = this.#desk;
    const rendezvous = await newEd25519Pair();
    const relayNow = clock.now() + skew;
    return await ledger.run(async (entry) => {
      const tried = await this.#tried(entry, relayNow);
      const offering = this.#offering;
      const { card, queues } = await this.#meetings.card(entry, connection, []);
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
        skew,
        relay,
      };
      entry.put(inviteTable, "join", record);
      return record;
    });
  }

  #begin(id: "offer" | "join", record: InviteRecord): InviteRun {
    const run: InviteRun = new InviteRun(this.#desk, id, record, {
      moved: (state) => this.#show(run, state),
      met: (entry, run, card) => this.#met(entry, run, card),
      failed: (entry, run, reason) => this.#failed(entry, run, reason),
      objection: (card) =>
        this.#meetings.objection(card, this.#reach.connection),
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

  async #met(entry: Entry, run: InviteRun, card: Card): Promise<void> {
    // The joiner begins the session, and nobody else.
    const { conversation } = await this.#meetings.keep(entry, card, {
      queues: run.record.queues,
      began: run.id === "join",
    });
    entry.after(() => {
      const outcome = { at: "connected", conversation } as const;
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
    await discardBundle(entry, preKey);
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
    this.#meetings.over();
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
