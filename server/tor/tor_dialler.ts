/** Reaches other relays through Tor: onion services always, the rest when the host says so. */
import { isIP } from "node:net";
import {
  type DialOptions,
  dialWebSocket,
  isPublicAddress,
  isWebPort,
  type PeerDialler,
  PeerForbiddenError,
  PeerUnreachableError,
  portOf,
  type RelaySocket,
} from "../../lib/relay/mod.ts";
import { connectThroughTor, type HostAndPort } from "../../lib/tor/mod.ts";

export interface TorDiallerOptions {
  /** Tor's SOCKS port, while there is one; undefined: this relay uses no Tor. */
  readonly socks?: () => HostAndPort | undefined;
  /** Also what is no onion service. */
  readonly everything: boolean;
  /** For what does not go through Tor. */
  readonly clear: PeerDialler;
}

/** What is to go through Tor waits for Tor: it never goes another way. */
export class TorDialler implements PeerDialler {
  readonly #options: TorDiallerOptions;

  constructor(options: TorDiallerOptions) {
    this.#options = options;
  }

  isolates(origin: URL): boolean {
    return this.#options.everything || isOnion(origin);
  }

  async dial(origin: URL, options: DialOptions): Promise<RelaySocket> {
    if (!this.isolates(origin)) {
      return await this.#options.clear.dial(origin, options);
    }
    const { socks } = this.#options;
    if (!socks) throw new PeerForbiddenError("this relay uses no Tor");
    const port = portOf(origin);
    const host = origin.hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(host) !== 0 && !isPublicAddress(host)) {
      throw new PeerForbiddenError("it is at a private address");
    }
    // An onion's address is its key: what is said to it needs no certificate.
    const secure = origin.protocol === "https:" || isOnion(origin);
    if (!secure || !isWebPort(origin)) {
      throw new PeerForbiddenError("only https, on a port of the web's");
    }
    const proxy = socks();
    if (!proxy) throw new PeerUnreachableError("Tor is not there now");
    const { isolation, signal } = options;
    try {
      const to = { host, port };
      const stream = await connectThroughTor(proxy, to, isolation, signal);
      return await dialWebSocket(origin, stream, signal);
    } catch (error) {
      if (error instanceof PeerUnreachableError) throw error;
      throw new PeerUnreachableError("Tor does not get there now");
    }
  }
}

/** A dot at its end makes it no other name. */
function isOnion({ hostname }: URL): boolean {
  return /\.onion\.?$/.test(hostname);
}
