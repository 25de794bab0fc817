import type { Address } from "../keys/mod.ts";
import type { Connection } from "../link/mod.ts";
import { queueName } from "../queues.ts";
import type { Random } from "../random.ts";
import type { Send } from "../way.ts";
import { hasQueue, openRemoteWay } from "./remote_queue.ts";
import { type Found, type RelayPlace, RemoteRelay } from "./remote_relay.ts";

const LABEL = 16;

/** The other relays that there is something for, as the present connection to the own one reaches them. */
export class Remotes {
  readonly #random: Random;
  readonly #found: (url: string, found: Found) => void;
  /** By whom it is for: new ones with each opening, so that what was reached before can't be told to be the same. */
  readonly #labels = new Map<string, Uint8Array>();
  #connection: Connection | undefined;
  /** Of this connection, by URL, key and whom it is for. */
  #relays = new Map<string, RemoteRelay>();

  constructor(random: Random, found: (url: string, found: Found) => void) {
    this.#random = random;
    this.#found = found;
  }

  /** Another relay, not greeted yet perhaps. `whose`: over Tor, what is for another shares no circuit with it. */
  at(connection: Connection, place: RelayPlace, whose: string): RemoteRelay {
    if (this.#connection !== connection) {
      this.#connection = connection;
      this.#relays.clear();
    }
    const { url, key } = place;
    const name = `${url} ${key ?? ""} ${whose}`;
    const known = this.#relays.get(name);
    if (known) return known;
    const label = this.#labels.get(whose) ?? this.#random.bytes(LABEL);
    this.#labels.set(whose, label);
    const found = (found: Found) => this.#found(url, found);
    const remote = new RemoteRelay(connection, place, label, found);
    this.#relays.set(name, remote);
    return remote;
  }

  /** The way to a queue at another relay. Rejects as `RemoteRelay.greet` does. */
  way(connection: Connection, address: Address): Promise<Send> {
    return openRemoteWay(this.#relayOf(connection, address), address);
  }

  /** Whether another relay has the queue of an address. Rejects as `RemoteRelay.ask` does. */
  hasQueue(connection: Connection, address: Address): Promise<boolean> {
    return hasQueue(this.#relayOf(connection, address), address);
  }

  /** The relay of an address. Each queue is one of its own to it, so that it can't tell whose are the same. */
  #relayOf(connection: Connection, address: Address): RemoteRelay {
    const { relayUrl: url, relayKey: key, send } = address;
    return this.at(connection, { url, key }, queueName(send.publicKey));
  }
}
