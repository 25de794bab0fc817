import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import type { Desk } from "./desk.ts";
import type { Invites } from "./invites.ts";
import type { Connection } from "./link/mod.ts";
import type { MeetingsEvents } from "./meetings.ts";
import type { OwnQueues } from "./own_queues.ts";
import { inviteTable } from "./records.ts";
import type { InviteView, JoinState, OfferState } from "./view.ts";

/**
 * Codes, as `Invites` deals with them. That is a tenth of the program and rarely needed: it is fetched
 * when an invite is under way, or when somebody wants one.
 */
export class InvitesOnDemand implements InviteView {
  readonly #desk: Desk;
  readonly #queues: OwnQueues;
  readonly #events: MeetingsEvents;
  readonly #invites: Signal<Invites | undefined> = signal(undefined);
  #fetching: Promise<Invites> | undefined;
  #connection: Connection | undefined;
  #stopped = false;
  /** What is to be said while the other signals are not there. */
  readonly #offer = signal<OfferState>({ at: "none" });
  readonly #join = signal<JoinState>({ at: "none" });
  readonly offer: ReadonlySignal<OfferState> = computed(() =>
    (this.#invites.value?.offer ?? this.#offer).value
  );
  readonly join: ReadonlySignal<JoinState> = computed(() =>
    (this.#invites.value?.join ?? this.#join).value
  );

  constructor(desk: Desk, queues: OwnQueues, events: MeetingsEvents) {
    this.#desk = desk;
    this.#queues = queues;
    this.#events = events;
  }

  /** Takes up what was under way when the account was last open. */
  async load(): Promise<void> {
    const { reader } = this.#desk.ledger;
    const underWay = await reader.getMany(inviteTable, ["offer", "join"]);
    if (underWay.some((invite) => invite !== undefined)) await this.#fetched();
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#invites.value?.connected(connection);
  }

  lost(): void {
    this.#connection = undefined;
    this.#invites.value?.lost();
  }

  stop(): void {
    this.#stopped = true;
    this.#invites.value?.stop();
  }

  async generate(): Promise<void> {
    this.#offer.value = { at: "making" };
    try {
      await (await this.#fetched()).generate();
    } catch (error) {
      this.#offer.value = { at: "failed", reason: "offline" };
      throw error;
    }
  }

  async withdraw(): Promise<void> {
    await this.#invites.value?.withdraw();
  }

  async connect(code: string): Promise<void> {
    this.#join.value = { at: "connecting" };
    try {
      await (await this.#fetched()).connect(code);
    } catch (error) {
      this.#join.value = { at: "failed", reason: "offline" };
      throw error;
    }
  }

  reset(): void {
    this.#offer.value = { at: "none" };
    this.#join.value = { at: "none" };
    this.#invites.value?.reset();
  }

  /** Throws when the code can't be had; asked again, it is tried again. */
  #fetched(): Promise<Invites> {
    this.#fetching ??= this.#fetch().catch((error) => {
      this.#fetching = undefined;
      throw error;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<Invites> {
    const { Invites, Meetings } = await import("./invites.ts");
    const meetings = new Meetings(this.#desk, this.#events);
    const invites = new Invites(this.#desk, this.#queues, meetings);
    await invites.load();
    if (this.#connection) invites.connected(this.#connection);
    if (this.#stopped) invites.stop();
    this.#invites.value = invites;
    return invites;
  }
}
