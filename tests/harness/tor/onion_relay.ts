/** The built program as an onion service of the test's network. */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlPort } from "../../../lib/tor/control_port.ts";
import { wordsOf } from "../../../lib/tor/control_words.ts";
import { authenticate } from "../../../lib/tor/authenticate.ts";
import { readControlPort } from "../../../lib/tor/mod.ts";
import { type RelayProcess, startRelay } from "../relay_process.ts";

export interface OnionRelay {
  readonly process: RelayProcess;
  /** `http://….onion` */
  readonly url: string;
}

/** Options that make a relay with this data directory part of the network, and an onion service. */
export async function onionArguments(
  configFile: string,
  dataDir: string,
): Promise<string[]> {
  // The program may read nothing but its data.
  const config = join(dataDir, "tor-config");
  await copyFile(configFile, config);
  return ["--tor", "--tor-config", config];
}

/** Starts one and waits until it says that people can reach it. */
export async function startOnionRelay(
  configFile: string,
  dataDir: string,
  args: readonly string[] = [],
): Promise<OnionRelay> {
  const process = await startRelay({
    dataDir,
    args: [...await onionArguments(configFile, dataDir), ...args],
  });
  return { process, url: await reachable(process) };
}

/** Waits until the relay says that people can reach it, and gives its address. */
export async function reachable(process: RelayProcess): Promise<string> {
  const [, url] = await process.prints(
    /service can be reached by .*: (http:\/\/\S+)\n/,
  );
  return url;
}

/** The control port of the Tor that this relay started. */
export async function controlOf(process: RelayProcess): Promise<ControlPort> {
  const at = await readControlPort(join(process.dataDir, "tor"));
  if (!at) throw new Error("The relay has started no Tor");
  const control = await ControlPort.connect(at);
  await authenticate(control);
  return control;
}

/** The process of the Tor that this relay started. */
export async function torPidOf(process: RelayProcess): Promise<number> {
  const control = await controlOf(process);
  const [line] = await control.command("GETINFO process/pid");
  control.close();
  return Number(wordsOf(line).values.get("process/pid"));
}
