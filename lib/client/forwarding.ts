import { equalBytes } from "@noble/ciphers/utils.js";
import { type Signal, signal } from "@preact/signals-core";
import type { Contact } from "./contact.ts";
import type { Remotes } from "./forward/mod.ts";
import type { Address } from "./keys/mod.ts";
import { type Connection, RelayError } from "./link/mod.ts";
import type { Entry, Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import { isolationTable } from "./records.ts";
import { FEATURES } from "../wire/mod.ts";
import type { Reach, Route } from "./view.ts";
import { openOwnWay, type Send } from "./way.ts";

/** The ways to people at whatever relay. What it takes to reach another is fetched when there is somebody. */
export class Forwarding {
  readonly #means: { ledger: Ledger; random: Random };
  /** The own relay, once it is known. */
  readonly #ownKey: Signal<Uint8Array | undefined>;
  readonly #throughTor = signal(false);
  /** By URL. */
  readonly #reaches = new Map<string, Signal<Reach>>();
  #remotes: Remotes | undefined;

  constructor(
    means: { ledger: Ledger; random: Random },
    ownKey: Uint8Array | undefined,
  ) {
    this.#means = means;
    this.#ownKey = signal(ownKey);
  }

  connected({ hello }: Connection): void {
    this.#ownKey.value = hello.relayKey;
    this.#throughTor.value = (hello.features & FEATURES.throughTor) !== 0;
  }

  /** The way to a queue of a contact, wherever it is. */
  async way(
    connection: Connection,
    address: Address,
    accountId: string,
  ): Promise<Send> {
    return isOwn(connection, address)
      ? await openOwnWay(connection, address)
      : await (await this.remotes()).way(connection, address, accountId);
  }

  /** The way to a queue of somebody who is no contact yet. `id`: of what leads to the meeting. */
  async meetingWay(
    connection: Connection,
    address: Address,
    id: string,
  ): Promise<Send> {
    return isOwn(connection, address)
      ? await openOwnWay(connection, address)
      : await (await this.remotes()).meetingWay(connection, address, id);
  }

  /** See `ContactView.newCircuit`. */
  async newCircuit(accountId: string): Promise<void> {
    await (await this.remotes()).newCircuit(accountId);
  }

  /** One has parted from a contact: nothing goes their way any more. */
  part(entry: Entry, accountId: string): void {
    entry.delete(isolationTable, accountId);
    entry.after(() => this.#remotes?.forget(accountId));
  }

  /** The other relays. Rejects with `RelayError` "unreachable" when the code can't be had. */
  async remotes(): Promise<Remotes> {
    const { Remotes } = await import("./forward/mod.ts").catch(() => {
      // No network, and nothing has kept it: as good as a relay that is away.
      throw new RelayError("unreachable", new Uint8Array());
    });
    return this.#remotes ??= new Remotes(this.#means, (url, found) => {
      this.#reach(url).value = found;
    });
  }

  /** By what relay a contact is reached, and whether it is there. */
  route({ devices }: Contact): Route {
    const { relayKey, relayUrl } = devices[0]?.address ?? {};
    const ownKey = this.#ownKey.value;
    if (!relayUrl || !ownKey || equalBytes(relayKey, ownKey)) {
      return { at: "own" };
    }
    const { host, hostname } = new URL(relayUrl);
    const overTor = this.#throughTor.value || hostname.endsWith(".onion");
    return { at: "other", host, reach: this.#reach(relayUrl).value, overTor };
  }

  /** Whether the relay at a URL was there when it was last asked. Reads a signal. */
  reachOf(url: string): Reach {
    return this.#reach(url).value;
  }

  #reach(url: string): Signal<Reach> {
    const reach = this.#reaches.get(url) ?? signal<Reach>("unknown");
    this.#reaches.set(url, reach);
    return reach;
  }
}

/** Whether the relay of a connection is that of an address. */
export function isOwn(
  { hello }: Connection,
  { relayKey }: Address,
): boolean {
  return equalBytes(relayKey, hello.relayKey);
}
