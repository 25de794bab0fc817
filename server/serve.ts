/** One process: pages, relay and database, started together and stopped in order. */
import type { Server } from "node:http";
import {
  Relay,
  type RelayOptions,
  StoreFormatError,
  TcpDialler,
} from "../lib/relay/mod.ts";
import { securityHeaders } from "../lib/web/security_headers.ts";
import type { ServerBindings } from "../routes/healthz.ts";
import { readCertificate } from "./certificate.ts";
import { readPassword } from "./access_password.ts";
import type { Options } from "./command_line.ts";
import {
  type DataDirectory,
  dataDirectory,
  openDataDirectory,
} from "./data_directory.ts";
import { type Entrance, openEntrance } from "./entrance.ts";
import { ensureCanListen, type HttpServerOptions } from "./http_server.ts";
import { serveMetrics } from "./metrics_server.ts";
import { addOnionLocation } from "./tor/onion_location.ts";
import { TorDialler } from "./tor/tor_dialler.ts";
import { TorHost } from "./tor/tor_host.ts";
import { planTor, type TorPlan } from "./tor/tor_plan.ts";
import { UsageError } from "./usage_error.ts";

export interface Running {
  /** The origin this machine reaches the server by. */
  readonly origin: string;
  /** The origin people reach it by. */
  readonly publicUrl: string;
  /** Path of the data directory. */
  readonly data: string;
  /** Whether it becomes an onion service; its address is printed when it can be reached. */
  readonly onion: boolean;
  /** Where this machine finds the totals, when they are served. */
  readonly metrics?: string;
  /** Ends it: what was accepted is written, clients are told, the port and the data are free again. */
  stop(): Promise<void>;
}

export type Site = Pick<HttpServerOptions, "before"> & {
  /** Answers a request; `bindings` are what routes know of the server. */
  readonly fetch: (
    request: Request,
    bindings: ServerBindings,
  ) => Response | Promise<Response>;
  /** Loosens the headers for hot reload. */
  readonly development?: boolean;
  /** Runs before the server listens. */
  readonly attach?: (server: Server) => Promise<void>;
};

/** How long a disk may take to finish what was accepted; clients have a second more to hear of it. */
const FLUSH_MS = 3_000;

/**
 * Serves `site` and the relay as the options say.
 * @throws {UsageError} when something the options name can't be used.
 */
export async function serve(options: Options, site: Site): Promise<Running> {
  const tls = options.tls && await readCertificate(options.tls);
  const access = await readPassword(options.access);
  // Before anything is made on disk.
  await ensureCanListen(options.port, options.host);
  const data = await openDataDirectory(dataDirectory(options.data));
  try {
    const plan = options.tor && await planTor(options.tor, data.path);
    const kv = await openDatabase(data.database);
    return await start({ options, site, tls, access, data, plan, kv });
  } catch (error) {
    data.release();
    throw error;
  }
}

interface Parts {
  readonly options: Options;
  readonly site: Site;
  readonly tls?: HttpServerOptions["tls"];
  readonly access?: string;
  readonly data: DataDirectory;
  readonly plan?: TorPlan;
  readonly kv: Deno.Kv;
}

async function start(
  { options, site, tls, access, data, plan, kv }: Parts,
): Promise<Running> {
  // Nothing is answered before the relay is open: listening comes first only to know the port.
  const relayOpened = Promise.withResolvers<Relay>();
  let tor: TorHost | undefined;
  const onion = plan?.onion;
  const answer = async (request: Request) => {
    const relay = await relayOpened.promise;
    return await site.fetch(request, {
      health: () => relay.health,
      tor: () => tor?.state,
    });
  };
  const { before, attach, development } = site;
  const front = await openEntrance({
    ...{ before, attach, tls, host: options.host, port: options.port },
    headers: securityHeaders({
      tls: tls !== undefined ||
        options.publicUrl?.startsWith("https:") === true,
      development,
    }),
    fetch: async (request) => {
      const response = await answer(request);
      // Of a closed circle's there is nothing to be told.
      if (onion && onion.clients === undefined && tor?.state === "up") {
        addOnionLocation(response, request, onion.url);
      }
      return response;
    },
  });
  const back = onion && await openEntrance({
    // Only Tor comes in here, which encrypted what it brings.
    ...{ host: "127.0.0.1", port: 0 },
    headers: securityHeaders({ tls: false }),
    fetch: answer,
  });
  const log = (line: string) => console.error(line);
  const origin = `${tls ? "https" : "http"}://${
    reachable(options.host)
  }:${front.port}`;
  const relay = await openRelay(data.database, {
    kv,
    // Without a name of its own, people reach it by its onion address only.
    publicUrl: options.publicUrl ?? onion?.url ?? origin,
    access,
    limits: options.limits,
    forward: options.forward && {
      ...options.forward,
      dialler: new TorDialler({
        socks: plan && (() => tor?.socks),
        everything: options.forward.throughTor,
        clear: new TcpDialler({ allowPrivate: options.forward.private }),
      }),
    },
    log,
  });
  relayOpened.resolve(relay);
  front.open(relay, {
    publicUrl: relay.publicUrl,
    reachedBy: options.publicUrl !== undefined
      ? "public-url"
      : isLoopback(options.host)
      ? "loopback"
      : "any-name",
  });
  if (onion && back) {
    back.open(relay, { publicUrl: onion.url, reachedBy: "public-url" });
  }
  if (plan) tor = new TorHost({ plan, port: back?.port, log });
  const metrics = options.metricsPort === undefined
    ? undefined
    : await serveMetrics(options.metricsPort, relay);
  const entrances: Entrance[] = back ? [front, back] : [front];
  return {
    origin,
    publicUrl: options.publicUrl ?? origin,
    onion: onion !== undefined,
    data: data.path,
    metrics: metrics?.url,
    stop: async () => {
      // Until what was accepted is on disk, who asks for its health is still told that it drains.
      await relay.stop(FLUSH_MS);
      await Promise.all(entrances.map((entrance) => entrance.close()));
      await Promise.all([tor?.stop(), metrics?.stop()]);
      kv.close();
      data.release();
    },
  };
}

async function openDatabase(path: string): Promise<Deno.Kv> {
  try {
    return await Deno.openKv(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The database ${path} can't be opened: ${reason}`, {
      cause: error,
    });
  }
}

async function openRelay(
  database: string,
  options: RelayOptions,
): Promise<Relay> {
  try {
    return await Relay.open(options);
  } catch (error) {
    if (!(error instanceof StoreFormatError)) throw error;
    throw new UsageError(
      `The database ${database} can't be used: ${error.message}.`,
      { cause: error },
    );
  }
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
}

/** How this machine names a host it listens on; `localhost` is the one that browsers trust over plain http. */
function reachable(host: string): string {
  if (/^(127\.0\.0\.1|::1|0\.0\.0\.0|::)$/.test(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
