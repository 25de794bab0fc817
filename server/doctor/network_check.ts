/** Port and public URL: free or whose, reachable, and this relay's. Nobody else is asked anything. */
import { createServer } from "node:http";
import { askGreeting, NoGreetingError } from "../../lib/relay/mod.ts";
import { listen } from "../http_server.ts";
import { UsageError } from "../usage_error.ts";
import type { DataState } from "./data_check.ts";
import { type Finding, findings, reasonOf } from "./finding.ts";

const PATIENCE_MS = 5_000;

/** Whether the port is free or, when it is not, whose it is. */
export async function checkPort(
  { port, host, secure }: {
    readonly port: number;
    readonly host: string;
    readonly secure: boolean;
  },
  data: DataState,
): Promise<Finding> {
  const { ok, failed } = findings("port");
  const server = createServer();
  try {
    await listen(server, port, host);
    await new Promise((resolve) => server.close(resolve));
    return data.running
      ? failed(
        `the relay that uses this data does not listen on ${host}, port ${port}: start it with the options given here, or give the doctor its own.`,
      )
      : ok(`${port} is free.`);
  } catch (error) {
    if (!(error instanceof UsageError)) {
      return failed(`${port} can't be listened on: ${reasonOf(error)}.`);
    }
    if (!/is taken/.test(error.message)) return failed(error.message);
  }
  const name = /^(0\.0\.0\.0|::)$/.test(host) ? "localhost" : host;
  const url = `${secure ? "wss" : "ws"}://${
    name.includes(":") ? `[${name}]` : name
  }:${port}/relay`;
  try {
    const { relayKey } = await askGreeting(url, { patience: PATIENCE_MS });
    return relayKey.toHex() === data.identity?.relayKey.toHex()
      ? ok(`this relay listens on ${port}.`)
      : failed(
        `another relay listens on ${port}; stop it, or choose another with --port.`,
      );
  } catch (error) {
    // A certificate for another name than this one is no reason to think it somebody else's.
    if (secure && data.running && !(error as NoGreetingError).status) {
      return ok(`${port} is taken, over TLS; the public URL tells by whom.`);
    }
    return failed(
      `another program listens on ${port}; stop it, or choose another with --port.`,
    );
  }
}

export interface PublicState {
  readonly findings: readonly Finding[];
  /** What the clock there said, and when (ms). */
  readonly clock?: { readonly said: number; readonly at: number };
}

/** Whether people reach this relay by its public URL, as their browsers would. */
export async function checkPublicUrl(
  url: string | undefined,
  data: DataState,
): Promise<PublicState> {
  const { ok, warning, failed } = findings("public URL");
  if (url === undefined) {
    return {
      findings: [
        ok("none given: this machine alone. Other people need --public-url."),
      ],
    };
  }
  const found: Finding[] = [];
  const { protocol, hostname } = new URL(url);
  if (
    protocol === "http:" && !/(^localhost|\.localhost|\.onion)$/.test(hostname)
  ) {
    found.push(
      warning(`browsers refuse to encrypt at ${url}: it needs https.`),
    );
  }
  let clock: PublicState["clock"];
  try {
    const response = await fetch(`${url}/healthz`, {
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const said = Date.parse(response.headers.get("date") ?? "");
    if (Number.isFinite(said)) clock = { said, at: Date.now() };
    const [text] = (await response.text()).split("\n", 1);
    if (response.status === 503 && /^(failing|draining)$/.test(text)) {
      found.push(
        failed(`the relay at ${url} says that it is ${text}: see its log.`),
      );
    }
  } catch (error) {
    const text = `${url} can't be reached: ${reasonOf(error)}`;
    return {
      findings: [
        ...found,
        data.running
          ? failed(`${text}. See name (DNS), certificate, proxy, firewall.`)
          : warning(`${text}. Start the relay, and ask again.`),
      ],
    };
  }
  found.push(await greeted(url, data, ok, failed));
  return { findings: found, clock };
}

type Say = (text: string) => Finding;

async function greeted(
  url: string,
  { identity }: DataState,
  ok: Say,
  failed: Say,
): Promise<Finding> {
  try {
    const hello = await askGreeting(`${url.replace(/^http/, "ws")}/relay`, {
      origin: url,
      patience: PATIENCE_MS,
    });
    if (hello.relayKey.toHex() !== identity?.relayKey.toHex()) {
      return failed(
        `another relay answers at ${url} than the one of this data: see what the proxy passes on to.`,
      );
    }
    if (hello.url !== url) {
      return failed(
        `the relay there takes ${hello.url} for its URL: start it with --public-url ${url}.`,
      );
    }
    return ok(`this relay answers at ${url}, WebSocket and all.`);
  } catch (error) {
    if (!(error instanceof NoGreetingError)) throw error;
    if (error.status === 403) {
      return failed(
        `the relay there takes ${url} for somebody else's: start it with --public-url ${url}.`,
      );
    }
    return failed(
      `${url} answers, but not as a WebSocket at /relay (${error.message}): the proxy has to pass Upgrade on, to the relay.`,
    );
  }
}
