import { computed, type Signal, signal } from "@preact/signals-core";
import { AskedInvitations } from "./asked_invitations.ts";
import { readBlob } from "./blobs.ts";
import type { Desk } from "./desk.ts";
import { GivenInvitations } from "./given_invitations.ts";
import { KeptInvitations } from "./kept_invitations.ts";
import { invitationFailureOf } from "./invitation_failure.ts";
import { strangerTable } from "./invitation_records.ts";
import { InvitationRequests } from "./invitation_requests.ts";
import {
  type InvitationLink,
  openWhose,
  parseInvitation,
  readPair,
  type Whose,
} from "./invitation/mod.ts";
import { compareDeviceLists } from "./keys/mod.ts";
import { isConnected } from "./contact.ts";
import type { Entry } from "./ledger.ts";
import type { Connection } from "./link/mod.ts";
import { type Where, whereIs } from "./meeting_place.ts";
import type { Meetings } from "./meetings.ts";
import type { OwnQueues } from "./own_queues.ts";
import type { QueueRecord, RelayRecord } from "./records.ts";
import type {
  InvitationFailure,
  InvitationOutcome,
  InvitationsView,
  OpenedInvitation,
} from "./view.ts";

/** How long a link that was opened waits for a connection, in ms. */
const PATIENCE_MS = 10_000;
/** For whom another relay is asked while a link is looked at. */
const LOOKING = "link";

/** What may be otherwise another time, so that the link is kept. */
const MAY_YET: ReadonlySet<InvitationFailure> = new Set([
  "access",
  "blocked",
  "busy",
  "offline",
  "other-relay",
  "unreachable",
]);

/** A link that was opened, and whose it turned out to be. */
interface Found {
  readonly link: InvitationLink;
  readonly whose: Whose & { readonly ownKey: Uint8Array };
  /** Where it belongs; undefined for the own relay. */
  readonly relay: RelayRecord | undefined;
}

/** Invitations by link: those given out, who asks by them, and those that were opened here. */
export class Invitations implements InvitationsView {
  readonly #desk: Desk;
  readonly #given: GivenInvitations;
  readonly #requests: InvitationRequests;
  readonly #asked: AskedInvitations;
  readonly #kept: KeptInvitations;
  readonly given: InvitationsView["given"];
  readonly making: Signal<InvitationsView["making"]["value"]>;
  readonly requests: InvitationsView["requests"];
  readonly asked: InvitationsView["asked"];
  readonly kept: InvitationsView["kept"];
  readonly opened: Signal<OpenedInvitation> = signal({ at: "none" });
  readonly outcome: Signal<InvitationOutcome | undefined> = signal(undefined);
  #connection: Connection | undefined;
  /** The link that was opened, until its person was asked. */
  #link: InvitationLink | undefined;
  #origin: string | undefined;
  #found: Found | undefined;
  #cancelPatience: () => void = () => {};

  constructor(desk: Desk, queues: OwnQueues, meetings: Meetings) {
    this.#desk = desk;
    const events = {
      outcome: (outcome: InvitationOutcome) => {
        this.outcome.value = outcome;
      },
    };
    this.#given = new GivenInvitations(desk, queues);
    this.#requests = new InvitationRequests(
      desk,
      queues,
      meetings,
      this.#given,
      events,
    );
    this.#asked = new AskedInvitations(desk, queues, meetings, events);
    this.#kept = new KeptInvitations(desk);
    this.given = computed(() => this.#given.list);
    this.making = this.#given.making;
    this.requests = computed(() => this.#requests.list);
    this.asked = computed(() => this.#asked.list);
    this.kept = computed(() => {
      // With each step of what is open, it is another or none.
      void this.opened.value;
      return this.#kept.list(this.#link);
    });
  }

  async load(): Promise<void> {
    await this.#given.load();
    await this.#requests.load();
    await this.#asked.load();
    await this.#kept.load();
  }

  connected(connection: Connection): void {
    this.#connection = connection;
    this.#given.connected(connection);
    this.#requests.connected(connection);
    this.#asked.connected(connection);
    if (this.opened.peek().at === "looking") this.#look(connection);
  }

  lost(): void {
    this.#connection = undefined;
    this.#given.lost();
    this.#requests.lost();
    this.#asked.lost();
  }

  stop(): void {
    this.#cancelPatience();
    this.#given.stop();
    this.#requests.stop();
    this.#asked.stop();
  }

  /** An envelope by the own queue `name`, which is no contact's. False, or a throw, for what says nothing. */
  async heard(
    entry: Entry,
    name: string,
    queue: QueueRecord,
    envelope: Uint8Array,
  ): Promise<boolean> {
    const stranger = await entry.get(strangerTable, name);
    switch (stranger?.kind) {
      case "place":
        return await this.#requests.arrived(
          entry,
          name,
          queue,
          stranger,
          envelope,
        );
      case "answer":
        return await this.#asked.answered(
          entry,
          name,
          queue,
          stranger.of,
          envelope,
        );
      case undefined:
        return false;
    }
  }

  create(terms: { lifetime: number; uses: number }): Promise<void> {
    return this.#given.create(terms);
  }

  revoke(id: string): Promise<void> {
    return this.#given.revoke(id);
  }

  accept(id: string): Promise<void> {
    return this.#requests.accept(id);
  }

  refuse(id: string): Promise<void> {
    return this.#requests.refuse(id);
  }

  takeBack(id: string): Promise<void> {
    return this.#asked.takeBack(id);
  }

  async open(text: string): Promise<void> {
    this.reset();
    const reading = parseInvitation(text);
    if (!reading.ok) return await this.#failed("malformed");
    const { link, origin } = reading;
    this.#link = link;
    this.#origin = origin;
    const asked = this.#asked.by(link);
    if (!asked) await this.#kept.keep(link, origin);
    if (this.#link !== link) return; // another was opened meanwhile
    if (asked) {
      this.opened.value = { at: "asked", ...asked };
      return;
    }
    this.opened.value = { at: "looking" };
    this.#cancelPatience = this.#desk.clock.after(
      PATIENCE_MS,
      () => void this.#failed("offline"),
    );
    if (this.#connection) await this.#look(this.#connection);
  }

  async ask(): Promise<void> {
    const found = this.#found;
    if (!found) return;
    // Whoever presses twice asks once.
    this.#found = undefined;
    const { link, whose, relay } = found;
    const id = await this.#asked.ask(
      link,
      whose,
      relay,
      (entry) => this.#kept.forget(entry, link),
    );
    if (this.#link !== link) return; // it was closed meanwhile
    this.#clear();
    this.opened.value = { at: "asked", id, name: whose.displayName };
  }

  dismiss(id: string): Promise<void> {
    return this.#kept.dismiss(id);
  }

  reset(): void {
    this.#clear();
    this.opened.value = { at: "none" };
    if (this.making.peek().at !== "making") this.making.value = { at: "none" };
  }

  noted(): void {
    this.outcome.value = undefined;
  }

  #clear(): void {
    this.#cancelPatience();
    this.#link = undefined;
    this.#found = undefined;
  }

  async #look(connection: Connection): Promise<void> {
    const link = this.#link;
    if (!link) return;
    try {
      const where = await this.#where(connection);
      const read = await readPair(link.secret);
      const { contents } = await readBlob(where.reached, link.blob, read);
      const whose = await openWhose(where.relayKey, link, contents);
      if (this.#link !== link) return; // another was opened meanwhile
      const reason = this.#objection(whose, where);
      if (reason) return await this.#failed(reason);
      await this.#kept.named(link, whose.displayName);
      if (this.#link !== link) return;
      this.#cancelPatience();
      const { relay } = where;
      this.#found = { link, whose, relay };
      this.opened.value = {
        at: "found",
        name: whose.displayName,
        host: relay && new URL(relay.url).host,
      };
    } catch (error) {
      const reason = invitationFailureOf(error);
      if (this.#link !== link) return;
      // A lost connection is followed by another, which looks again.
      if (reason !== "offline") await this.#failed(reason);
    }
  }

  /** The relay that the link names. */
  #where(connection: Connection): Promise<Where> {
    const origin = this.#origin;
    const own = origin === URL.parse(connection.hello.url)?.origin;
    if (origin === undefined || own) {
      return whereIs(this.#desk, connection, undefined, LOOKING);
    }
    // To reach another takes as long as it takes.
    this.#cancelPatience();
    return whereIs(this.#desk, connection, origin, LOOKING);
  }

  /** Why there is nothing to ask. */
  #objection(whose: Whose, { skew }: Where): InvitationFailure | undefined {
    const { account, clock, contacts } = this.#desk;
    if (whose.accountId === account.accountId) return "own";
    if (whose.expiresAt <= clock.now() + skew) return "expired";
    const known = contacts.get(whose.accountId);
    if (!known) return undefined;
    if (known.record.settings.blocked.value) return "blocked";
    const order = compareDeviceLists(known.deviceList, whose.deviceList);
    if (order === "older" || order === "forked") return "device-list";
    // Their new devices know nothing of us: then there is something to ask.
    return order === "same" && isConnected(known)
      ? "already-connected"
      : undefined;
  }

  async #failed(reason: InvitationFailure): Promise<void> {
    const link = this.#link;
    this.#cancelPatience();
    if (link && !MAY_YET.has(reason)) {
      await this.#desk.ledger.run((entry) => this.#kept.forget(entry, link));
      if (this.#link !== link) return; // another was opened meanwhile
    }
    this.#clear();
    this.opened.value = { at: "failed", reason };
  }
}
