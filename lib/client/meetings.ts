import { equalBytes } from "@noble/ciphers/utils.js";
import {
  initiateSession,
  serializeSession,
  SignalError,
} from "../signal/mod.ts";
import { queueId } from "../wire/mod.ts";
import {
  type Contact,
  contactOfCard,
  isConnected,
  openContact,
} from "./contact.ts";
import type { ContactSettings } from "./contact_settings.ts";
import type { Desk } from "./desk.ts";
import { isOwn } from "./forwarding.ts";
import type { Card } from "./invite/mod.ts";
import {
  type Address,
  addressOf,
  compareDeviceLists,
  MalformedError,
  publicDevice,
  successorOf,
} from "./keys/mod.ts";
import type { Entry } from "./ledger.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import { sessionName } from "./outbox.ts";
import { bindQueues, makeQueue } from "./queues.ts";
import { type ContactRecord, queueTable, sessionTable } from "./records.ts";
import type { InviteFailure } from "./view.ts";

export interface MeetingsEvents {
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

/** What all ways of meeting somebody have in common: the cards, and what is kept of them. */
export class Meetings {
  readonly #desk: Desk;
  readonly #events: MeetingsEvents;
  #prepared:
    | { readonly accountId: string; readonly sessions: readonly NewSession[] }
    | undefined;

  constructor(desk: Desk, events: MeetingsEvents) {
    this.#desk = desk;
    this.#events = events;
  }

  /** Our card for one other person, and the queues made for them: this device's, then the account's. */
  async card(
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
        successions: account.successions,
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

  /**
   * Why who gave this card is not to be met; undefined when they are. Rejects as `Connection.request`
   * does when it takes a connection to know.
   */
  async objection(
    card: Card,
    connection: Connection | undefined,
  ): Promise<InviteFailure | undefined> {
    const unsound = await this.unsound(card);
    if (unsound) return unsound;
    const known = this.#desk.contacts.get(card.accountId);
    return known && await this.#objectionToAgain(known, card, connection);
  }

  /** What is wrong with a card itself, as `objection`. */
  async unsound(card: Card): Promise<InviteFailure | undefined> {
    if (card.accountId === this.#desk.account.accountId) return "own";
    try {
      await this.#sessions(card);
    } catch (error) {
      if (error instanceof SignalError) return "relay-misbehaved";
      throw error;
    }
  }

  /**
   * Keeps who gave this card: a contact who writes to `queues`. `began`: we begin the session with
   * them, which one of the two does and not the other.
   */
  async keep(
    entry: Entry,
    card: Card,
    { queues, began }: { queues: readonly string[]; began: boolean },
  ): Promise<ContactRecord> {
    const { account, clock } = this.#desk;
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
    if (began) {
      for (const { name, session } of await this.#sessions(card)) {
        entry.put(sessionTable, name, session);
      }
    }
    await this.#events.met(entry, await openContact(record), began);
    return record;
  }

  /** A meeting has come to its end: what was prepared for it is forgotten. */
  over(): void {
    this.#prepared = undefined;
  }

  /** Why someone known is not to be met anew; undefined when there is no way to each other, or to who they are now. */
  async #objectionToAgain(
    known: Contact,
    card: Card,
    connection: Connection | undefined,
  ): Promise<InviteFailure | undefined> {
    if (known.record.settings.blocked.value) return "blocked";
    // Whoever has an access key that was changed can't show how the known one comes to theirs.
    if (!await follows(known, card)) return "device-list";
    const order = compareDeviceLists(known.deviceList, card.deviceList);
    // Someone with a device that was removed since, or two who both say they are this person.
    if (order === "older" || order === "forked") return "device-list";
    if (order === "newer" || !isConnected(known)) return undefined;
    // What is on its way would be lost with the queues, so they change only when there is no way any more.
    return await this.#reaches(known, connection)
      ? "already-connected"
      : undefined;
  }

  /** Whether a relay has a queue yet by which a contact receives. Rejects without an answer. */
  async #reaches(
    { devices, record: { accountId } }: Contact,
    connection: Connection | undefined,
  ): Promise<boolean> {
    if (!connection) throw new ConnectionLostError();
    const addresses = devices.map(({ address }) => address);
    const here = addresses.filter((address) => isOwn(connection, address));
    if (await ownHasOne(connection, here)) return true;
    for (const address of addresses) {
      if (here.includes(address)) continue;
      const { forwarding } = this.#desk;
      const remotes = await forwarding.remotes();
      if (await remotes.hasQueue(connection, address, accountId)) return true;
    }
    return false;
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
}

/** Whether the own relay has one of these queues. Rejects without an answer. */
async function ownHasOne(
  connection: Connection,
  addresses: readonly Address[],
): Promise<boolean> {
  const results = await bindQueues(
    connection,
    addresses.map(({ send }) => ({
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

/** Whether the key on a card is the known one, or came from it. */
async function follows(
  { record }: Contact,
  { accountKey, successions }: Card,
): Promise<boolean> {
  try {
    return equalBytes(await successorOf(record, successions), accountKey);
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}
