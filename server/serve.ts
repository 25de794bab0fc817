/** One process: pages, relay and database, started together and stopped in order. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import {
  attachRelay,
  Relay,
  type RelayOptions,
  StoreFormatError,
  TcpDialler,
} from "../lib/relay/mod.ts";
import { securityHeaders } from "../lib/web/security_headers.ts";
import type { HealthBindings } from "../routes/healthz.ts";
import { readCertificate } from "./certificate.ts";
import { readPassword } from "./access_password.ts";
import type { Options } from "./command_line.ts";
import { dataDirectory, openDataDirectory } from "./data_directory.ts";
import { serveMetrics } from "./metrics_server.ts";
import { UsageError } from "./usage_error.ts";
import {
  createHttpServer,
  holdUpgrades,
  type HttpServerOptions,
  listen,
  rawResponse,
} from "./http_server.ts";

export interface Running {
  /** The origin this machine reaches the server by. */
  readonly origin: string;
  /** The origin people reach it by. */
  readonly publicUrl: string;
  /** Path of the data directory. */
  readonly data: string;
  /** Where this machine finds the totals, when they are served. */
  readonly metrics?: string;
  /** Ends it: what was accepted is written, clients are told, the port and the data are free again. */
  stop(): Promise<void>;
}

export type Site = Pick<HttpServerOptions, "before"> & {
  /** Answers a request; `bindings` are what routes know of the relay. */
  readonly fetch: (
    request: Request,
    bindings: HealthBindings,
  ) => Response | Promise<Response>;
  /** Loosens the headers for hot reload. */
  readonly development?: boolean;
  /** Runs before the server listens. */
  readonly attach?: (server: Server) => Promise<void>;
};

const RELAY_PATH = "/relay";

/** How long a disk may take to finish what was accepted; clients have a second more to hear of it. */
const FLUSH_MS = 3_000;

/**
 * Serves `site` and the relay as the options say.
 * @throws {UsageError} when something the options name can't be used.
 */
export async function serve(options: Options, site: Site): Promise<Running> {
  const tls = options.tls && await readCertificate(options.tls);
  const access = await readPassword(options.access);
  const data = await openDataDirectory(dataDirectory(options.data));
  try {
    const headers = securityHeaders({
      tls: tls !== undefined ||
        options.publicUrl?.startsWith("https:") === true,
      development: site.development,
    });
    // Nothing is answered before the relay is open: `listen` comes first only to know the port.
    const opened = Promise.withResolvers<Relay>();
    const server = createHttpServer({
      before: site.before,
      fetch: async (request) => {
        const relay = await opened.promise;
        return await site.fetch(request, { health: () => relay.health });
      },
      tls,
      headers,
    });
    await site.attach?.(server);
    const kv = await openDatabase(data.database);
    const letUpgrades = holdUpgrades(server);
    const port = await listen(server, options.port, options.host);
    const origin = `${tls ? "https" : "http"}://${
      reachable(options.host)
    }:${port}`;
    const publicUrl = options.publicUrl ?? origin;
    const relay = await openRelay(data.database, {
      kv,
      publicUrl,
      access,
      limits: options.limits,
      forward: options.forward && {
        ...options.forward,
        dialler: new TcpDialler({ allowPrivate: options.forward.private }),
      },
      log: (line) => console.error(line),
    });
    opened.resolve(relay);
    const detach = attachRelay(server, relay, {
      path: RELAY_PATH,
      reachedBy: options.publicUrl !== undefined
        ? "public-url"
        : isLoopback(options.host)
        ? "loopback"
        : "any-name",
      refuse: (socket, status) => socket.end(rawResponse(status, headers)),
    });
    if (!site.development) refuseOtherUpgrades(server, headers);
    letUpgrades();
    const metrics = options.metricsPort === undefined
      ? undefined
      : await serveMetrics(options.metricsPort, relay);
    const stop = async () => {
      // Until what was accepted is on disk, who asks for its health is still told that it drains.
      await relay.stop(FLUSH_MS);
      const closed = new Promise<void>((resolve) =>
        server.close(() => resolve())
      );
      await detach();
      server.closeAllConnections();
      await closed;
      await metrics?.stop();
      kv.close();
      data.release();
    };
    return { origin, publicUrl, data: data.path, metrics: metrics?.url, stop };
  } catch (error) {
    data.release();
    throw error;
  }
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

/** Only the relay speaks WebSocket; while developing, hot reload does too. */
function refuseOtherUpgrades(
  server: Server,
  headers: Readonly<Record<string, string>>,
): void {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    if (URL.parse(request.url ?? "", "http://relay")?.pathname === RELAY_PATH) {
      return;
    }
    socket.end(rawResponse(404, headers));
  });
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
}

/** How this machine names a host it listens on; `localhost` is the one that browsers trust over plain http. */
function reachable(host: string): string {
  if (/^(127\.0\.0\.1|::1|0\.0\.0\.0|::)$/.test(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
