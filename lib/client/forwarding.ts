import { equalBytes } from "@noble/ciphers/utils.js";
import { type Signal, signal } from "@preact/signals-core";
import type { Contact } from "./contact.ts";
import type { RelayPlace, RemoteRelay } from "./forward/mod.ts";
import type { Address } from "./keys/mod.ts";
import { type Connection, RelayError } from "./link/mod.ts";
import { queueName } from "./queues.ts";
import type { Random } from "./random.ts";
import type { Reach, Route } from "./view.ts";
import { openOwnWay, type Send } from "./way.ts";

const LABEL = 16;

/** The ways to people at other relays, through the own one. What they take is fetched when there is somebody. */
export class Forwarding {
  readonly #random: Random;
  /** The own relay, once it is known. */
  readonly #ownKey: Signal<Uint8Array | undefined>;
  /** By URL. */
  readonly #reaches = new Map<string, Signal<Reach>>();
  /** By whom it is for: new ones with each opening, so that what was reached before can't be told to be the same. */
  readonly #labels = new Map<string, Uint8Array>();
  #connection: Connection | undefined;
  /** Of this connection, by URL, key and whom it is for. */
  #remotes = new Map<string, RemoteRelay>();

  constructor(random: Random, ownKey: Uint8Array | undefined) {
    this.#random = random;
    this.#ownKey = signal(ownKey);
  }

  connected({ hello }: Connection): void {
    this.#ownKey.value = hello.relayKey;
  }

  /** The way to a queue, wherever it is. */
  async way(connection: Connection, address: Address): Promise<Send> {
    if (isOwn(connection, address)) {
      return await openOwnWay(connection, address);
    }
    const remote = await this.#remoteOf(connection, address);
    const { openRemoteWay } = await fetched();
    return await openRemoteWay(remote, address);
  }

  /** Whether another relay than that of `connection` has the queue of an address. */
  async hasQueue(connection: Connection, address: Address): Promise<boolean> {
    const remote = await this.#remoteOf(connection, address);
    return await (await fetched()).hasQueue(remote, address);
  }

  /**
   * Another relay, not greeted yet perhaps. `whose`: over Tor, what is for another shares no circuit with it.
   * Rejects with `RelayError` "unreachable" when the code can't be had.
   */
  async remote(
    connection: Connection,
    place: RelayPlace,
    whose: string,
  ): Promise<RemoteRelay> {
    const { RemoteRelay } = await fetched();
    if (this.#connection !== connection) {
      this.#connection = connection;
      this.#remotes.clear();
    }
    const name = `${place.url} ${place.key ?? ""} ${whose}`;
    const known = this.#remotes.get(name);
    if (known) return known;
    const label = this.#labels.get(whose) ?? this.#random.bytes(LABEL);
    this.#labels.set(whose, label);
    const reach = this.#reach(place.url);
    const remote = new RemoteRelay(connection, place, label, (found) => {
      reach.value = found;
    });
    this.#remotes.set(name, remote);
    return remote;
  }

  /** By what relay a contact is reached, and whether it is there. */
  route({ devices }: Contact): Route {
    const [device] = devices;
    const ownKey = this.#ownKey.value;
    if (!device || !ownKey || equalBytes(device.address.relayKey, ownKey)) {
      return { at: "own" };
    }
    const { relayUrl } = device.address;
    return {
      at: "other",
      host: new URL(relayUrl).host,
      reach: this.#reach(relayUrl).value,
    };
  }

  /** The relay of an address. Each queue is one of its own to it, so that it can't tell whose are the same. */
  #remoteOf(connection: Connection, address: Address): Promise<RemoteRelay> {
    const { relayUrl: url, relayKey: key, send } = address;
    return this.remote(connection, { url, key }, queueName(send.publicKey));
  }

  #reach(url: string): Signal<Reach> {
    const known = this.#reaches.get(url) ?? signal<Reach>("unknown");
    this.#reaches.set(url, known);
    return known;
  }
}

/** Whether the relay of a connection is that of an address. */
export function isOwn(
  { hello }: Connection,
  { relayKey }: Address,
): boolean {
  return equalBytes(relayKey, hello.relayKey);
}

async function fetched(): Promise<typeof import("./forward/mod.ts")> {
  try {
    return await import("./forward/mod.ts");
  } catch {
    // No network, and nothing has kept it: as good as a relay that is away.
    throw new RelayError("unreachable", new Uint8Array());
  }
}
