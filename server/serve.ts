/** One process: pages, relay and database, started together and stopped in order. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import {
  attachRelay,
  Relay,
  type RelayOptions,
  StoreFormatError,
} from "../lib/relay/mod.ts";
import { securityHeaders } from "../lib/web/security_headers.ts";
import { readCertificate } from "./certificate.ts";
import type { Options } from "./command_line.ts";
import { defaultDataDirectory, openDataDirectory } from "./data_directory.ts";
import { UsageError } from "./usage_error.ts";
import {
  createHttpServer,
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
  /** Ends it: what was accepted is written, clients are told, the port and the data are free again. */
  stop(): Promise<void>;
}

export type Site = Pick<HttpServerOptions, "fetch" | "before"> & {
  /** Loosens the headers for hot reload. */
  readonly development?: boolean;
  /** Runs before the server listens. */
  readonly attach?: (server: Server) => Promise<void>;
};

const RELAY_PATH = "/relay";

/**
 * Serves `site` and the relay as the options say.
 * @throws {UsageError} when something the options name can't be used.
 */
export async function serve(options: Options, site: Site): Promise<Running> {
  const tls = options.tls && await readCertificate(options.tls);
  const data = await openDataDirectory(
    options.data ??
      defaultDataDirectory(Deno.build.os, (name) => Deno.env.get(name)),
  );
  try {
    const headers = securityHeaders({
      tls: tls !== undefined ||
        options.publicUrl?.startsWith("https:") === true,
      development: site.development,
    });
    const server = createHttpServer({ ...site, tls, headers });
    await site.attach?.(server);
    const kv = await openDatabase(data.database);
    const port = await listen(server, options.port, options.host);
    const origin = `${tls ? "https" : "http"}://${
      reachable(options.host)
    }:${port}`;
    const publicUrl = options.publicUrl ?? origin;
    const relay = await openRelay(data.database, {
      kv,
      publicUrl,
      limits: options.limits,
      log: (line) => console.error(line),
    });
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
    const stop = async () => {
      const closed = new Promise<void>((resolve) =>
        server.close(() => resolve())
      );
      detach();
      await relay.stop();
      server.closeAllConnections();
      await closed;
      kv.close();
      data.release();
    };
    return { origin, publicUrl, data: data.path, stop };
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
