/** One process: pages, relay and database, started together and stopped in order. */
import type { Server } from "node:http";
import { securityHeaders } from "../lib/web/security_headers.ts";
import { readCertificate } from "./certificate.ts";
import type { Options } from "./command_line.ts";
import { defaultDataDirectory, openDataDirectory } from "./data_directory.ts";
import {
  createHttpServer,
  type HttpServerOptions,
  listen,
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
    const server = createHttpServer({
      ...site,
      tls,
      headers: securityHeaders({
        tls: tls !== undefined ||
          options.publicUrl?.startsWith("https:") === true,
        development: site.development,
      }),
    });
    await site.attach?.(server);
    const port = await listen(server, options.port, options.host);
    const origin = `${tls ? "https" : "http"}://${
      reachable(options.host)
    }:${port}`;
    const publicUrl = options.publicUrl ?? origin;
    const kv = await Deno.openKv(data.database);
    const stop = async () => {
      const closed = new Promise<void>((resolve) =>
        server.close(() => resolve())
      );
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

/** How this machine names a host it listens on; `localhost` is the one that browsers trust over plain http. */
function reachable(host: string): string {
  if (/^(127\.0\.0\.1|::1|0\.0\.0\.0|::)$/.test(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
