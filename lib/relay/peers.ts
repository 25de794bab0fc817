import type { ErrorName } from "../wire/mod.ts";
import { type HostRules, mayForwardTo, relayOrigin } from "./forward_hosts.ts";
import type { Limits } from "./limits.ts";
import { Peer } from "./peer.ts";
import { type PeerDialler, PeerForbiddenError } from "./peer_dialler.ts";

/** How a relay forwards. */
export type ForwardOptions = HostRules & {
  readonly dialler: PeerDialler;
  /** Whether the dialler goes through Tor wherever it goes: clients are told so. */
  readonly throughTor?: boolean;
};

/** After the n-th failure in a row a relay is not tried for about a second · 2^n, at most this. */
const LONGEST_PAUSE_MS = 20_000;
const FIRST_PAUSE_MS = 500;

/** How a place fares where a relay should be. */
type Place = {
  peer: Peer | undefined;
  dialling: Promise<Peer | ErrorName> | undefined;
  failures: number;
  /** Another number after each connection that was not to be had, or was lost; 0: there was none such. */
  attempt: number;
  /** Not before, ms. */
  retryAt: number;
  /** Ends what is being dialled. */
  stop: AbortController;
};

/**
 * The connections to other relays: made when somebody first asks for one, shared by all who ask for the same,
 * kept while they are used, and made anew after a pause when they are lost.
 */
export class Peers {
  readonly #options: ForwardOptions;
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #places = new Map<string, Place>();
  #attempts = 0;
  #closed = false;

  constructor(options: ForwardOptions, limits: Limits, now: () => number) {
    this.#options = options;
    this.#limits = limits;
    this.#now = now;
  }

  /** Connections there are, or are being made. */
  get count(): number {
    let count = 0;
    for (const place of this.#places.values()) if (isTaken(place)) count++;
    return count;
  }

  /**
   * The relay at `url`, by a connection that may be shared with whoever has the same `label` (hex), or with
   * anybody where labels do not count.
   */
  async greet(url: string, label: string): Promise<Peer | ErrorName> {
    const origin = relayOrigin(url);
    if (origin === undefined) return "malformed";
    if (!mayForwardTo(origin, this.#options)) return "forbidden";
    const { dialler } = this.#options;
    const name = dialler.isolates(origin) ? `${label} ${url}` : url;
    const place = this.#places.get(name) ?? newPlace();
    if (place.peer?.over === false && !place.peer.old) {
      place.peer.touch();
      return place.peer;
    }
    if (place.dialling !== undefined) return await place.dialling;
    if (this.#closed || this.#pausing(place)) return "unreachable";
    if (!isTaken(place) && !this.#makeRoom()) return "busy";
    this.#places.set(name, place);
    place.peer?.retire();
    place.dialling = this.#dial(origin, label, place).finally(() => {
      place.dialling = undefined;
    });
    return await place.dialling;
  }

  /** Ends what nobody uses, tries whether the rest is alive, forgets old failures. */
  sweep(): void {
    const now = this.#now();
    for (const [name, { peer, dialling, retryAt }] of this.#places) {
      const idle = peer !== undefined && !peer.busy &&
        now - peer.used >= this.#limits.peerIdle * 1_000;
      if (idle) peer.end();
      else peer?.probe();
      const gone = peer === undefined || peer.over;
      const old = Math.abs(now - retryAt) > LONGEST_PAUSE_MS;
      if (gone && dialling === undefined && old) {
        this.#places.delete(name);
      }
    }
  }

  /** Ends all of them, for good. */
  close(): void {
    this.#closed = true;
    for (const { peer, stop } of this.#places.values()) {
      stop.abort();
      peer?.end();
    }
  }

  async #dial(
    origin: URL,
    label: string,
    place: Place,
  ): Promise<Peer | ErrorName> {
    const timer = setTimeout(
      () => place.stop.abort(),
      this.#limits.forwardWithin * 1_000,
    );
    const { signal } = place.stop;
    if (place.peer?.over) place.attempt = ++this.#attempts;
    try {
      const socket = await this.#options.dialler.dial(origin, {
        // Tor waits for minutes for a service that went in the middle of the handshake, and all that have
        // the same label with it.
        isolation: place.attempt === 0 ? label : `${label}.${place.attempt}`,
        signal,
      });
      place.peer = await Peer.greeted(socket, this.#limits, this.#now, signal);
      place.failures = 0;
      return place.peer;
    } catch (error) {
      // Whatever it was, a try later may end otherwise; what it was would tell about the host.
      place.peer = undefined;
      place.attempt = ++this.#attempts;
      place.retryAt = this.#now() + pauseAfter(++place.failures);
      return error instanceof PeerForbiddenError ? "forbidden" : "unreachable";
    } finally {
      clearTimeout(timer);
      if (!this.#closed) place.stop = new AbortController();
    }
  }

  /** Whether it failed just now. A clock that went back makes no pause longer. */
  #pausing({ retryAt }: Place): boolean {
    const left = retryAt - this.#now();
    return left > 0 && left <= LONGEST_PAUSE_MS;
  }

  /** Whether there may be one more connection, after the least used has made room if it must. */
  #makeRoom(): boolean {
    if (this.count < this.#limits.peers) return true;
    const idle = [...this.#places.values()].flatMap(({ peer, dialling }) =>
      peer !== undefined && !peer.over && !peer.busy && dialling === undefined
        ? [peer]
        : []
    );
    const [least] = idle.sort((a, b) => a.used - b.used);
    least?.end();
    return least !== undefined;
  }
}

function newPlace(): Place {
  return {
    peer: undefined,
    dialling: undefined,
    failures: 0,
    attempt: 0,
    retryAt: 0,
    stop: new AbortController(),
  };
}

function isTaken({ peer, dialling }: Place): boolean {
  return dialling !== undefined || peer?.over === false;
}

/** ms; half of it left to chance, so that many who lost one relay do not come back together. */
function pauseAfter(failures: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
  return pause / 2 * (1 + Math.random());
}
