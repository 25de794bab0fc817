import type { Desk } from "./desk.ts";
import {
  advance,
  closedByPeer,
  expire,
  type Handshake,
  type HandshakeFailure,
  isPinned,
  type Message,
  outcomeOf,
  parseHandshake,
  receive,
  sentMessages,
  serializeHandshake,
  type Step,
  wipeHandshake,
} from "./invite/mod.ts";
import type { Card } from "./invite/mod.ts";
import { parseQueue } from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import {
  backoff,
  type Connection,
  ConnectionLostError,
  type Push,
  RelayError,
} from "./link/mod.ts";
import { createQueue } from "./queues.ts";
import { type InviteRecord, inviteTable, queueTable } from "./records.ts";
import {
  failureOf,
  joinRendezvous,
  openRendezvous,
  type Place,
} from "./rendezvous.ts";
import type { InviteFailure } from "./view.ts";

export interface InviteRunEvents {
  /** The handshake went on; `entry` is committed. */
  moved(state: Handshake): void;
  /** Both know the code: keeps whom we met. In the commit that ends the invite. */
  met(entry: Entry, run: InviteRun, card: Card): Promise<void>;
  /**
   * It came to nothing, for a reason or because it was withdrawn: takes back what was made for it.
   * In the commit that ends the invite.
   */
  failed(
    entry: Entry,
    run: InviteRun,
    reason: InviteFailure | undefined,
  ): Promise<void>;
  /** Whether this card could be met: undefined, or why not. Asked before the own card is given. */
  objection(card: Card): Promise<InviteFailure | undefined>;
}

/** A relay that names a later end than this is not to be believed, in ms. */
const LONGEST = 3_600_000;

/**
 * One invite from the first message to its end, whatever happens to the connection or this page in
 * between: every state is on disk before anything that follows from it is sent, and a new connection
 * goes on where the last one stopped.
 */
export class InviteRun {
  readonly id: "offer" | "join";
  readonly #desk: Desk;
  readonly #events: InviteRunEvents;
  #record: InviteRecord;
  #state: Handshake;
  #connection: Connection | undefined;
  #place: Place | undefined;
  #tail: Promise<void> = Promise.resolve();
  #cancelTimer: () => void = () => {};
  #cancelRetry: () => void = () => {};
  /** Its last commit is under way, or done: nothing may be written after it. */
  #ending = false;
  #over = false;
  #guessed = false;
  #retries = 0;
  /** Whether the last message may have reached the relay already. */
  #doubtful: boolean;

  constructor(
    desk: Desk,
    id: "offer" | "join",
    record: InviteRecord,
    events: InviteRunEvents,
  ) {
    this.#desk = desk;
    this.id = id;
    this.#record = record;
    this.#state = parseHandshake(record.handshake);
    this.#doubtful = this.#state.at === "met";
    this.#events = events;
  }

  get record(): InviteRecord {
    return this.#record;
  }

  get state(): Handshake {
    return this.#state;
  }

  /** Whether the relay may have seen a proof of ours: a joiner's one guess at the code. */
  get guessed(): boolean {
    return this.#guessed ||
      this.id === "join" && sentMessages(this.#state).length > 0;
  }

  get over(): boolean {
    return this.#over;
  }

  /** When it ends, by this device's clock. */
  get expiresAt(): number {
    return this.#state.expiresAt - this.#record.skew;
  }

  /** Begins to watch the time, and does what needs no relay. */
  start(): void {
    this.#watchExpiry();
    if (this.id === "offer" && this.#state.at === "met") {
      this.#inTurn(() => this.#finish());
    }
  }

  /** Goes on at the relay; `place` when it has one there already. */
  connected(connection: Connection, place?: Place): void {
    this.#leave();
    this.#connection = connection;
    this.#place = place;
    this.#inTurn(() => this.#resume(connection, place));
  }

  lost(): void {
    this.#connection = undefined;
    this.#leave();
  }

  /** Ends it from this side, with nothing to tell the person. */
  async withdraw(): Promise<void> {
    await this.#fail(undefined);
  }

  /** Stops without ending: the next opening of the account goes on. */
  stop(): void {
    this.#over = true;
    this.#cancelTimer();
    this.#cancelRetry();
    this.#place?.leave();
  }

  #leave(): void {
    this.#place?.leave();
    this.#place = undefined;
  }

  async #resume(connection: Connection, known?: Place): Promise<void> {
    for (const name of this.#record.queues) {
      const queue = await this.#desk.ledger.reader.get(queueTable, name);
      if (queue) {
        await createQueue(connection, await parseQueue(queue.credentials));
      }
    }
    const place = known ?? await this.#takePlace(connection);
    if (!place) return;
    this.#place = place;
    place.listen((push) => {
      this.#inTurn(() => this.#pushed(push));
    });
    if (this.#state.at === "met") return await this.#finish();
    for (const message of sentMessages(this.#state)) {
      await this.#pass(message);
    }
    await this.#lookAtPinned();
  }

  async #takePlace(connection: Connection): Promise<Place | undefined> {
    const { rendezvous } = this.#record;
    const { nameplate } = this.#state;
    try {
      if (this.id === "join") return await this.#join(connection);
      const place = await openRendezvous(connection, rendezvous);
      if (place.nameplate === nameplate) return place;
      // The relay has forgotten ours and made another.
      await place.close();
      await this.#fail("expired");
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      await this.#refused(error);
    }
    return undefined;
  }

  async #join(connection: Connection): Promise<Place> {
    const { rendezvous, relay } = this.#record;
    const { nameplate } = this.#state;
    if (!relay) return await joinRendezvous(connection, rendezvous, nameplate);
    const { clock, forwarding } = this.#desk;
    const remote = (await forwarding.remotes())
      .ofMeeting(connection, relay, this.id);
    const { joinRemote } = await import("./forward/mod.ts");
    return await joinRemote(remote, rendezvous, nameplate, clock);
  }

  async #refused(error: RelayError): Promise<void> {
    const reason = failureOf(error.code);
    const passing = reason === "busy" || reason === "unreachable" ||
      reason === "access";
    if (passing && this.#state.at !== "joining") return this.#later();
    if (this.#state.at === "met") {
      // We know that the other side could know us by now, and not whether it does. Someone who can't
      // be reached shows; someone who can't reach us does not.
      return this.#doubtful || reason === "used"
        ? await this.#conclude()
        : await this.#fail(reason);
    }
    const closed = reason === "used" || reason === "expired";
    if (closed && this.#state.at !== "joining") {
      return await this.#step(this.#closing(), reason);
    }
    await this.#fail(reason);
  }

  /** What it means that the rendezvous is no more. */
  #closing(): Step {
    if (this.#state.at === "answered") {
      // Time ran out before the joiner's card was here: nobody did anything wrong.
      const now = this.#desk.clock.now() + this.#record.skew;
      const late = expire(this.#state, now);
      if (late.outcome) return late;
    }
    return closedByPeer(this.#state);
  }

  /** The relay asks for patience, or for its password. */
  #later(): void {
    const { clock, random } = this.#desk;
    this.#cancelRetry = clock.after(
      backoff(++this.#retries, random.fraction()),
      () => {
        if (this.#connection) this.connected(this.#connection);
      },
    );
  }

  async #pushed(push: Push): Promise<void> {
    if (push.type === "PASS") {
      const now = this.#desk.clock.now() + this.#record.skew;
      await this.#step(receive(this.#state, push, now));
      await this.#lookAtPinned();
    }
    if (push.type === "CLOSE") {
      await this.#step(closedByPeer(this.#state));
    }
  }

  /** What came is on disk; now it is looked at, and what follows is put on disk before it is sent. */
  async #lookAtPinned(): Promise<void> {
    if (this.#ending || !isPinned(this.#state)) return;
    const step = await advance(this.#state);
    await this.#step(step);
    if (this.#ending) return;
    if (this.#state.at === "met") return await this.#finish();
    if (step.send) await this.#pass(step.send);
  }

  /** Commits a step of the handshake. `reason` says better than the handshake why it failed. */
  async #step(step: Step, reason?: InviteFailure): Promise<void> {
    if (step.state === this.#state || this.#ending) return;
    if (step.state.at === "failed") {
      const failure = step.outcome && "failed" in step.outcome
        ? failureName(step.outcome.failed)
        : "relay-misbehaved";
      return await this.#fail(
        reason === "used" && failure === "expired" ? reason : failure,
        step.state,
      );
    }
    const record = {
      ...this.#record,
      handshake: serializeHandshake(step.state),
    };
    await this.#desk.ledger.run((entry) => {
      if (!this.#ending) entry.put(inviteTable, this.id, record);
    });
    if (this.#ending) return;
    // The state as it was read back shares no bytes with the one before, which can be wiped.
    wipeHandshake(this.#state);
    this.#record = record;
    this.#state = parseHandshake(record.handshake);
    this.#watchExpiry();
    this.#events.moved(this.#state);
  }

  /** Both know the code. The joiner's card is still to be handed over. */
  async #finish(): Promise<void> {
    if (this.id === "join") {
      const objection = await this.#events.objection(await this.#card());
      // To someone known already the card goes all the same, so that both hear the same.
      const silent = objection && objection !== "already-connected";
      if (!silent) await this.#handOver();
    }
    await this.#conclude();
  }

  /** The last message: that it was answered says that the ones before it arrived. */
  async #handOver(): Promise<void> {
    const last = sentMessages(this.#state).at(-1);
    if (!last) throw new Error("there is no card to hand over");
    try {
      await this.#pass(last);
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#doubtful = true;
      throw error;
    }
  }

  async #card(): Promise<Card> {
    const outcome = await outcomeOf(this.#state);
    if (!outcome || !("met" in outcome)) throw new Error("nobody was met");
    return outcome.met;
  }

  async #conclude(): Promise<void> {
    const card = await this.#card();
    const objection = await this.#events.objection(card);
    if (objection) return await this.#fail(objection);
    await this.#ended((entry) => this.#events.met(entry, this, card));
  }

  async #fail(
    reason: InviteFailure | undefined,
    state: Handshake = this.#state,
  ): Promise<void> {
    this.#guessed = this.guessed;
    this.#state = state;
    await this.#ended((entry) => this.#events.failed(entry, this, reason));
  }

  async #ended(work: (entry: Entry) => Promise<void> | void): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    await this.#desk.ledger.run(async (entry) => {
      await work(entry);
      entry.delete(inviteTable, this.id);
      entry.after(() => this.stop());
    });
    this.#closeRendezvous();
  }

  /** A courtesy: the other side need not wait for the end of its time. */
  #closeRendezvous(): void {
    this.#place?.leave();
    // The joiner closes only what failed: after a success the inviter does, when it has the card.
    const success = this.#state.at === "met";
    if (this.id === "join" && success) return;
    this.#place?.close().catch((error: unknown) => {
      // It is closed already, or will be by its expiry.
      const harmless = error instanceof RelayError ||
        error instanceof ConnectionLostError;
      if (!harmless) this.#desk.broken(error);
    });
  }

  /** Rejects when there is no place to pass it at: the next connection will have one. */
  async #pass(message: Message): Promise<void> {
    if (!this.#place) throw new ConnectionLostError();
    await this.#place.pass(message);
  }

  #watchExpiry(): void {
    this.#cancelTimer();
    const { clock } = this.#desk;
    const wait = this.expiresAt - clock.now();
    if (wait > LONGEST) {
      this.#inTurn(() => this.#fail("relay-misbehaved"));
      return;
    }
    this.#cancelTimer = clock.after(Math.max(0, wait), () => {
      this.#inTurn(() =>
        this.#step(expire(this.#state, clock.now() + this.#record.skew))
      );
    });
  }

  /** One thing after the other; a lost connection ends what it interrupts, the next one resumes it. */
  #inTurn(work: () => Promise<void>): void {
    this.#tail = this.#tail.then(() => this.#over ? undefined : work()).catch(
      async (error: unknown) => {
        if (error instanceof ConnectionLostError) return;
        if (error instanceof RelayError) return await this.#refused(error);
        throw error;
      },
    ).catch((error: unknown) => {
      if (!(error instanceof ConnectionLostError)) this.#desk.broken(error);
    });
  }
}

function failureName(reason: HandshakeFailure): InviteFailure {
  switch (reason) {
    case "wrong":
    case "expired":
    case "own":
      return reason;
    case "version":
    case "misbehaved":
      return "relay-misbehaved";
  }
}
