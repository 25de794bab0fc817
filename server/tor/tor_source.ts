/** Which Tor the options ask for. */
import { resolve } from "node:path";
import type { TorSource } from "../../lib/tor/mod.ts";
import type { TorOptions } from "../command_line.ts";
import { readSecret } from "../secret_file.ts";
import { UsageError } from "../usage_error.ts";

/** @throws {UsageError} when a file that they name can't be read. */
export async function torSource(
  { running, passwordFile, configFile }: Omit<TorOptions, "publish">,
  data: string,
): Promise<TorSource> {
  if (running) {
    const password = passwordFile === undefined
      ? undefined
      : await readSecret(passwordFile, "--tor-password-file");
    return { running, password };
  }
  const config = configFile === undefined
    ? undefined
    : await readConfig(configFile);
  return { own: { directory: resolve(data, "tor"), config } };
}

async function readConfig(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`The file ${file} of --tor-config can't be read.`, {
      cause: error,
    });
  }
}
