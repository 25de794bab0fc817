/** Tor, when the relay is to be an onion service: there, new enough, letting us in; and the service's own state. */
import {
  ControlError,
  DEFENDING,
  isOlder,
  openTor,
} from "../../lib/tor/mod.ts";
import type { Options } from "../command_line.ts";
import { readOnionClients, readOnionKey } from "../tor/onion_directory.ts";
import { torSource } from "../tor/tor_source.ts";
import { UsageError } from "../usage_error.ts";
import type { DataState } from "./data_check.ts";
import { type Finding, findings, reasonOf } from "./finding.ts";

const PATIENCE_MS = 5_000;

/** Whether there is a Tor that would do. */
export async function checkTor(
  { tor }: Pick<Options, "tor">,
  data: string,
): Promise<Finding> {
  const { ok, warning, failed } = findings("tor");
  /** A relay goes on all the same. */
  const judge = (version: string, well: string) =>
    tor?.publish && isOlder(version, DEFENDING)
      ? warning(
        `${version} ${well}, but can't defend the onion service by proof of work: install ${
          DEFENDING.join(".")
        } or later.`,
      )
      : ok(`${version} ${well}.`);
  if (tor === undefined) return ok("not used: see --tor.");
  try {
    const source = await torSource(tor, data);
    if ("running" in source) {
      const session = await openTor(source);
      await session.close();
      return judge(session.version, "lets the relay in");
    }
    const version = await installedVersion();
    return version === undefined
      ? failed("it is not installed (on Debian: apt-get install tor).")
      : isOlder(version)
      ? failed(`${version} is too old: install 0.4.8 or later.`)
      : judge(version, "is installed");
  } catch (error) {
    if (error instanceof UsageError || error instanceof ControlError) {
      return failed(`${error.message.replace(/\.$/, "")}.`);
    }
    throw error;
  }
}

/** What the program says it is; undefined when there is none. */
async function installedVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("tor", { args: ["--version"] })
      .output();
    const [, version] = /^Tor version (\S+?)\.?$/m.exec(
      new TextDecoder().decode(stdout),
    ) ?? [];
    return version;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable
    ) return undefined;
    throw error;
  }
}

/** The service's key, who is let in, and whether the relay that runs says that it can be reached. */
export async function checkOnion(
  { tor, port, host, tls }: Pick<Options, "tor" | "port" | "host" | "tls">,
  path: string,
  { running }: DataState,
): Promise<Finding | undefined> {
  if (!tor?.publish) return undefined;
  const { ok, warning, failed } = findings("onion service");
  let address: string | undefined;
  let who: string;
  try {
    address = (await readOnionKey(path))?.address;
    const clients = await readOnionClients(path);
    who = clients === undefined
      ? "everybody is let in"
      : `${clients.length} with a key are let in`;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return failed(error.message);
  }
  if (address === undefined) return ok("it has no key yet; serve makes it.");
  const about = `http://${address}, ${who}`;
  if (!running) return ok(`${about}; no relay runs that publishes it.`);
  const name = /^(0\.0\.0\.0|::)$/.test(host) ? "localhost" : host;
  try {
    const response = await fetch(
      `${tls ? "https" : "http"}://${
        name.includes(":") ? `[${name}]` : name
      }:${port}/healthz`,
      { signal: AbortSignal.timeout(PATIENCE_MS) },
    );
    const [, state] = /^tor: (\w+)$/m.exec(await response.text()) ?? [];
    switch (state) {
      case "up":
        return ok(`${about}; the relay says that it can be reached.`);
      case undefined:
        return failed(
          `${about}; the relay was started without it: add --tor.`,
        );
      default:
        return warning(
          `${about}; the relay says that it is ${state}: see its log.`,
        );
    }
  } catch (error) {
    return warning(`${about}; the relay can't be asked: ${reasonOf(error)}.`);
  }
}
