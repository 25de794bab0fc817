import {
  computed,
  type ReadonlySignal,
  type Signal,
  signal,
} from "@preact/signals-core";
import type { Desk } from "./desk.ts";
import type { Invitations } from "./invitations.ts";
import type { Invites } from "./invites.ts";
import type { Entry } from "./ledger.ts";
import type { Connection } from "./link/mod.ts";
import type { MeetingsEvents } from "./meetings.ts";
import type { OwnQueues } from "./own_queues.ts";
import { doorsTable, inviteTable, type QueueRecord, SELF } from "./records.ts";
import type {
  InvitationsView,
  InviteView,
  JoinState,
  OfferState,
} from "./view.ts";

/** Both ways to invite. */
interface Fetched {
  readonly codes: Invites;
  readonly invitations: Invitations;
}

/**
 * Codes, as `Invites` deals with them, and links, as `Invitations` does. That is a tenth of the program and rarely needed: it is fetched
 * when an invite is under way, or when somebody wants one.
 */
export class InvitesOnDemand implements InviteView {
  readonly #desk: Desk;
  readonly #queues: OwnQueues;
  readonly #events: MeetingsEvents;
  readonly #fetched: Signal<Fetched | undefined> = signal(undefined);
  #fetching: Promise<Fetched> | undefined;
  #connection: Connection | undefined;
  #stopped = false;
  /** What is to be said while the other signals are not there. */
  readonly #offer = signal<OfferState>({ at: "none" });
  readonly #join = signal<JoinState>({ at: "none" });
  readonly offer: ReadonlySignal<OfferState> = computed(() =>
    (this.#fetched.value?.codes.offer ?? this.#offer).value
  );
  readonly join: ReadonlySignal<JoinState> = computed(() =>
    (this.#fetched.value?.codes.join ?? this.#join).value
  );
  readonly relayUrl: Signal<string | undefined> = signal(undefined);
  readonly invitations: ReadonlySignal<InvitationsView | undefined> = computed(
    () => this.#fetched.value?.invitations,
  );

  constructor(desk: Desk, queues: OwnQueues, events: MeetingsEvents) {
    this.#desk = desk;
    this.#queues = queues;
    this.#events = events;
  }

  /** Takes up what was under way when the account was last open. */
  async load(): Promise<void> {
    const { reader } = this.#desk.ledger;
    const underWay = [
      ...await reader.getMany(inviteTable, ["offer", "join"]),
      await reader.get(doorsTable, SELF),
    ];
    if (underWay.some((invite) => invite !== undefined)) await this.#fetch();
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.relayUrl.value = connection.hello.url;
    this.#each((part) => part.connected(connection));
  }

  lost(): void {
    this.#connection = undefined;
    this.#each((part) => part.lost());
  }

  stop(): void {
    this.#stopped = true;
    this.#each((part) => part.stop());
  }

  async generate(): Promise<void> {
    this.#offer.value = { at: "making" };
    try {
      await (await this.#fetch()).codes.generate();
    } catch (error) {
      this.#offer.value = { at: "failed", reason: "offline" };
      throw error;
    }
  }

  async withdraw(): Promise<void> {
    // What was begun before stands before this, though its code is still being fetched.
    const fetched = await this.#fetching?.catch(() => undefined);
    await fetched?.codes.withdraw();
  }

  async connect(code: string): Promise<void> {
    this.#join.value = { at: "connecting" };
    try {
      await (await this.#fetch()).codes.connect(code);
    } catch (error) {
      this.#join.value = { at: "failed", reason: "offline" };
      throw error;
    }
  }

  reset(): void {
    this.#offer.value = { at: "none" };
    this.#join.value = { at: "none" };
    this.#fetched.value?.codes.reset();
  }

  async openInvitations(): Promise<InvitationsView> {
    return (await this.#fetch()).invitations;
  }

  /** An envelope by a queue that is no contact's. See `Invitations.heard`; where they are not here, none are read. */
  async heard(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    envelope: Uint8Array,
  ): Promise<boolean> {
    const invitations = this.#fetched.peek()?.invitations;
    return await invitations?.heard(entry, name, queue, envelope) ?? false;
  }

  #each(work: (part: Invites | Invitations) => void): void {
    const fetched = this.#fetched.peek();
    if (!fetched) return;
    work(fetched.codes);
    work(fetched.invitations);
  }

  /** Throws when the code can't be had; asked again, it is tried again. */
  #fetch(): Promise<Fetched> {
    this.#fetching ??= this.#load().catch((error) => {
      this.#fetching = undefined;
      throw error;
    });
    return this.#fetching;
  }

  async #load(): Promise<Fetched> {
    const { openInvites } = await import("./invites.ts");
    const fetched = await openInvites(this.#desk, this.#queues, this.#events);
    this.#fetched.value = fetched;
    const connection = this.#connection;
    if (connection) this.#each((part) => part.connected(connection));
    if (this.#stopped) this.#each((part) => part.stop());
    return fetched;
  }
}
