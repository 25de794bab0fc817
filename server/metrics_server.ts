/** Totals for whoever watches over this machine, on its loopback address and to nobody else. */
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Relay } from "../lib/relay/mod.ts";
import { listen } from "./http_server.ts";
import { CONTENT_TYPE, openMetrics } from "./open_metrics.ts";

const ADDRESS = "127.0.0.1";

/** What a request has that a proxy passed on. */
const FORWARDED = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
];

export interface MetricsServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the relay's totals at `/metrics` of a loopback port; 0 chooses a free one.
 * @throws {UsageError} when the port is taken.
 */
export async function serveMetrics(
  port: number,
  relay: Pick<Relay, "totals" | "health">,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return answer(response, ...refusal);
    const { rss } = Deno.memoryUsage();
    answer(
      response,
      200,
      openMetrics(relay.totals, relay.health, rss),
      CONTENT_TYPE,
    );
  });
  const chosen = await listen(server, port, ADDRESS, "--metrics-port");
  return {
    url: `http://${ADDRESS}:${chosen}/metrics`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Why this request is not answered, if it is not. */
function refusalOf(
  { method, url, headers }: IncomingMessage,
): [status: number, text: string] | undefined {
  // A name that is made to point here, and a page in this machine's browser, are somebody else's.
  const { hostname } = URL.parse(`http://${headers.host}`) ?? {};
  const named = hostname === ADDRESS || hostname === "localhost";
  if (
    !named || headers.origin !== undefined ||
    FORWARDED.some((name) => headers[name] !== undefined)
  ) return [403, "For this machine alone.\n"];
  if (url !== "/metrics") return [404, "Not found\n"];
  if (method !== "GET") return [405, "GET only\n"];
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  }).end(text);
}
