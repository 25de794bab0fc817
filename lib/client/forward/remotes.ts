import type { Address } from "../keys/mod.ts";
import type { Ledger } from "../ledger.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import type { Random } from "../random.ts";
import type { LeftRelay } from "../records.ts";
import type { Send } from "../way.ts";
import type { Desk } from "../desk.ts";
import type { LeavingEvents } from "../leaving.ts";
import { Labels } from "./labels.ts";
import { leave } from "./leave.ts";
import { leftThere } from "./left_there.ts";
import { hasQueue, openRemoteWay } from "./remote_queue.ts";
import { type Found, type RelayPlace, RemoteRelay } from "./remote_relay.ts";

/** The other relays that there is something for, as the present connection to the own one reaches them. */
export class Remotes {
  readonly #labels: Labels;
  readonly #found: (url: string, found: Found) => void;
  #connection: Connection | undefined;
  /** Of this connection, by whom it is for, then by URL and key. */
  readonly #relays = new Map<string, Map<string, RemoteRelay>>();

  constructor(
    { ledger, random }: { ledger: Ledger; random: Random },
    found: (url: string, found: Found) => void,
  ) {
    this.#labels = new Labels(ledger, random);
    this.#found = found;
  }

  /** The relay where an invite leads; not greeted yet perhaps. `id`: of the invite's record. */
  ofMeeting(
    connection: Connection,
    place: RelayPlace,
    id: string,
  ): RemoteRelay {
    const label = () => Promise.resolve(this.#labels.ofMeeting(id));
    return this.#at(connection, place, `meeting ${id}`, label);
  }

  /** As `ofMeeting`, for an invite that begins. */
  newMeeting(
    connection: Connection,
    place: RelayPlace,
    id: string,
  ): RemoteRelay {
    this.#labels.newMeeting(id);
    this.#relays.delete(`meeting ${id}`);
    return this.ofMeeting(connection, place, id);
  }

  /** The way to a queue of a contact at another relay. Rejects as `RemoteRelay.greet` does. */
  way(
    connection: Connection,
    address: Address,
    accountId: string,
  ): Promise<Send> {
    return openRemoteWay(
      this.ofContact(connection, address, accountId),
      address,
    );
  }

  /** The relay of a contact's address; not greeted yet perhaps. */
  ofContact(
    connection: Connection,
    { relayUrl: url, relayKey: key }: Address,
    accountId: string,
  ): RemoteRelay {
    const label = () => this.#labels.ofContact(accountId);
    return this.#at(connection, { url, key }, `contact ${accountId}`, label);
  }

  /** As `way`, to a queue of somebody who is to be met. */
  meetingWay(
    connection: Connection,
    address: Address,
    id: string,
  ): Promise<Send> {
    const { relayUrl: url, relayKey: key } = address;
    const relay = this.ofMeeting(connection, { url, key }, id);
    return openRemoteWay(relay, address);
  }

  /** Whether another relay has the queue of a contact's address. Rejects as `RemoteRelay.ask` does. */
  hasQueue(
    connection: Connection,
    address: Address,
    accountId: string,
  ): Promise<boolean> {
    return hasQueue(this.ofContact(connection, address, accountId), address);
  }

  /**
   * Does what there is at relays that the account has left, see `Leaving`; `places`: at which there still is
   * something. What goes to one has a label of its own. Rejects with what kept it from one of them.
   */
  async leave(
    connection: Connection,
    desk: Desk,
    events: LeavingEvents & { places(left: readonly LeftRelay[]): void },
  ): Promise<void> {
    const told = async () => {
      const all = await leftThere(desk);
      events.places(all.map(({ place }) => place));
      return all;
    };
    let failed: RelayError | undefined;
    for (const there of await told()) {
      const { url, key } = there.place;
      const remote = this.ofMeeting(connection, { url, key }, `left ${url}`);
      try {
        await leave(remote, desk, there, events);
      } catch (error) {
        // One that is away keeps nobody from another.
        if (!(error instanceof RelayError)) throw error;
        failed = error;
      }
    }
    if (failed) throw failed;
    await told();
  }

  /** See `ContactView.newCircuit`. */
  async newCircuit(accountId: string): Promise<void> {
    await this.#labels.renew(accountId);
    const relays = this.#relays.get(`contact ${accountId}`)?.values() ?? [];
    for (const relay of relays) relay.greetAgain();
  }

  /** One has parted from a contact. */
  forget(accountId: string): void {
    this.#labels.forget(accountId);
    this.#relays.delete(`contact ${accountId}`);
  }

  #at(
    connection: Connection,
    place: RelayPlace,
    whose: string,
    label: () => Promise<Uint8Array>,
  ): RemoteRelay {
    if (this.#connection !== connection) {
      this.#connection = connection;
      this.#relays.clear();
    }
    const theirs = this.#relays.get(whose) ?? new Map<string, RemoteRelay>();
    this.#relays.set(whose, theirs);
    const { url, key } = place;
    const name = `${url} ${key ?? ""}`;
    const known = theirs.get(name);
    if (known) return known;
    const found = (found: Found) => this.#found(url, found);
    const remote = new RemoteRelay(connection, place, label, found);
    theirs.set(name, remote);
    return remote;
  }
}
