import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { dialWebSocket } from "./dial_web_socket.ts";
import {
  type DialOptions,
  type PeerDialler,
  PeerForbiddenError,
  PeerUnreachableError,
} from "./peer_dialler.ts";
import { isPublicAddress } from "./public_address.ts";
import type { RelaySocket } from "./socket.ts";

export interface TcpDiallerOptions {
  /** Also addresses that only this machine or its network reaches, any port of theirs, and plain http. */
  readonly allowPrivate?: boolean;
  /** Authorities to believe instead of the system's, PEM. */
  readonly ca?: string;
  /** All IP addresses of a name; the system's resolver unless told otherwise. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

/** How many addresses of a name are tried. */
const MOST_ADDRESSES = 4;

/** Below this only the web's own port: a relay is not to be made to knock at other services. */
const FIRST_FREE_PORT = 1_024;

/** Reaches relays over the internet as it is: their addresses see this machine's. */
export class TcpDialler implements PeerDialler {
  readonly #options: TcpDiallerOptions;

  constructor(options: TcpDiallerOptions = {}) {
    this.#options = options;
  }

  isolates(): boolean {
    return false;
  }

  /** The name is looked up once, and what was found and looked at is what is dialled. */
  async dial(origin: URL, { signal }: DialOptions): Promise<RelaySocket> {
    const { allowPrivate = false, ca } = this.#options;
    const port = portOf(origin);
    const common = origin.protocol === "https:" && isWebPort(origin);
    if (!allowPrivate && !common) {
      throw new PeerForbiddenError("only https, on a port of the web's");
    }
    const found = await this.#resolve(origin.hostname);
    const addresses = allowPrivate ? found : found.filter(isPublicAddress);
    if (addresses.length === 0 && found.length > 0) {
      throw new PeerForbiddenError("it is at a private address");
    }
    for (const address of addresses.slice(0, MOST_ADDRESSES)) {
      const stream = await opened(address, port, signal);
      if (stream) return await dialWebSocket(origin, stream, signal, ca);
    }
    throw new PeerUnreachableError("nobody listens there now");
  }

  async #resolve(hostname: string): Promise<readonly string[]> {
    const bare = hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(bare) !== 0) return [bare];
    const { resolve = resolveName } = this.#options;
    try {
      return await resolve(bare);
    } catch {
      throw new PeerUnreachableError("its name is not known now");
    }
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
};

/** The port that an http or https origin means. */
export function portOf({ port, protocol }: URL): number {
  return Number(port || DEFAULT_PORTS[protocol]);
}

/** Whether a relay may be at this port: its protocol's own, and those that anybody may listen on. */
export function isWebPort(origin: URL): boolean {
  return origin.port === "" || portOf(origin) >= FIRST_FREE_PORT;
}

async function resolveName(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}

/** A connection to an IP address, or undefined when there is none to be had. */
function opened(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const stream = connect({ host, port, noDelay: true });
    const give = (socket: Socket | undefined) => {
      signal.removeEventListener("abort", fail);
      resolve(socket);
    };
    const fail = () => {
      stream.destroy();
      give(undefined);
    };
    if (signal.aborted) return fail();
    signal.addEventListener("abort", fail);
    // For as long as it lives: an error that nobody hears would end the process.
    stream.on("error", fail);
    stream.on("connect", () => give(stream));
  });
}
