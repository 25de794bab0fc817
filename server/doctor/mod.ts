/** `whisper doctor`: whether `serve` with these options would do well on this machine. */
import { completeLimits, STORE_FORMAT } from "../../lib/relay/mod.ts";
import type { Options } from "../command_line.ts";
import { dataDirectory } from "../data_directory.ts";
import { UsageError } from "../usage_error.ts";
import { VERSION } from "../version.ts";
import { checkAccess } from "./access_check.ts";
import { checkCertificate } from "./certificate_check.ts";
import { checkData, type DataState } from "./data_check.ts";
import { type Finding, findings } from "./finding.ts";
import { checkClock, checkDisk, checkOpenFiles } from "./machine_check.ts";
import { checkPort, checkPublicUrl } from "./network_check.ts";
import { checkOnion, checkTor } from "./tor_check.ts";

export { type Finding, lineOf } from "./finding.ts";

/** Looks at everything, and gives what it found in the order it looked. Changes nothing. */
export async function examine(
  options: Options,
  now: () => number = Date.now,
): Promise<readonly Finding[]> {
  const path = pathOf(options);
  if (typeof path !== "string") return [versions(), path];
  const limits = completeLimits(options.limits);
  const data: DataState = await checkData(path);
  const { port, host, tls, publicUrl } = options;
  const open = await checkPublicUrl(publicUrl, data);
  const onion = await checkOnion(options, path, data);
  return [
    versions(),
    ...data.findings,
    await checkDisk(path, limits),
    await checkClock(path, now, open.clock),
    await checkOpenFiles(path, limits),
    await checkCertificate(options, now()),
    await checkAccess(options),
    await checkTor(options, path),
    ...onion ? [onion] : [],
    await checkPort({ port, host, secure: tls !== undefined }, data),
    ...open.findings,
  ];
}

function versions(): Finding {
  return findings("versions").ok(
    `Whisper ${VERSION}, Deno ${Deno.version.deno}, formats up to ${STORE_FORMAT}.`,
  );
}

/** The data directory, or why there is none. */
function pathOf({ data }: Options): string | Finding {
  try {
    return dataDirectory(data);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return findings("data directory").failed(error.message);
  }
}
