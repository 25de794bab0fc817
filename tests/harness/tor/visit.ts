/** Looking at an onion service as its visitors do. */
import type { TorClient } from "./client.ts";

/** Requests and WebSockets by way of this Tor; what has another `label` by another circuit. `close` it. */
export function throughTor(
  { socks }: TorClient,
  label: string,
): Deno.HttpClient {
  return Deno.createHttpClient({
    proxy: { url: `socks5h://${label}:x@${socks.host}:${socks.port}` },
  });
}

/** What is at `url`, asked for once. */
export async function visitOnce(
  url: string,
  client: Deno.HttpClient,
): Promise<Response> {
  // Deno's own option, which the browser's types do not know.
  const options: RequestInit & { client: Deno.HttpClient } = {
    client,
    signal: AbortSignal.timeout(30_000),
  };
  return await fetch(url, options);
}

/**
 * Asks until there is an answer: a visitor's Tor may have learned of the service by an older descriptor, and
 * tries again by itself only after a while.
 */
export async function visit(
  url: string,
  client: Deno.HttpClient,
): Promise<Response> {
  for (let attempt = 1;; attempt++) {
    try {
      return await visitOnce(url, client);
    } catch (error) {
      if (attempt === 8) throw error;
      await new Promise((resume) => setTimeout(resume, 500));
    }
  }
}
