/** What the machine gives: disk, clock, open files. */
import { stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Limits } from "../../lib/relay/mod.ts";
import { DATABASE } from "../data_directory.ts";
import { sizeText } from "../option_values.ts";
import { type Finding, findings, reasonOf } from "./finding.ts";

const MINUTE_MS = 60_000;

/** No clock is right that is before this program was made. */
const MADE = Date.UTC(2026, 10, 26);

/** Room on the disk, against what the relay may come to store there. */
export async function checkDisk(
  data: string,
  { storedBytes }: Limits,
): Promise<Finding> {
  const { ok, warning, failed } = findings("disk");
  try {
    const { bavail, bsize } = await statfs(await existing(data));
    const free = bavail * bsize;
    const used = await sizeOf(join(data, DATABASE));
    const missing = storedBytes - used - free;
    const numbers = `${megabytes(free)} are free, the database has ${
      megabytes(used)
    }, --stored-bytes lets it grow to ${megabytes(storedBytes)}`;
    if (missing <= 0) return ok(`${numbers}.`);
    const most = sizeText(Math.floor((used + free) / 2 ** 20) * 2 ** 20);
    const advice =
      `${numbers}: the disk is full first. Make room, or set --stored-bytes to less than ${most}.`;
    return free * 10 < storedBytes - used ? failed(advice) : warning(advice);
  } catch (error) {
    return warning(`its room can't be looked at: ${reasonOf(error)}.`);
  }
}

/**
 * The clock against what was written to the data directory, and against `elsewhere`: what the public
 * URL's clock said, and when (ms).
 */
export async function checkClock(
  data: string,
  now: () => number,
  elsewhere?: { readonly said: number; readonly at: number },
): Promise<Finding> {
  const { ok, failed } = findings("clock");
  const advice = "set it, and have it set over the network (NTP)";
  const time = new Date(now()).toISOString();
  if (now() < MADE) {
    return failed(`it says ${time}, before this program was made: ${advice}.`);
  }
  const written = await stat(join(data, DATABASE)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (written > now() + 5 * MINUTE_MS) {
    return failed(
      `it says ${time}, and the database was written later than that, at ${
        new Date(written).toISOString()
      }: one of the two times is wrong. ${advice[0].toUpperCase()}${
        advice.slice(1)
      }.`,
    );
  }
  if (
    elsewhere && Math.abs(elsewhere.said - elsewhere.at) > 2 * MINUTE_MS
  ) {
    return failed(
      `it says ${
        new Date(elsewhere.at).toISOString()
      }, and the public URL's clock ${
        new Date(elsewhere.said).toISOString()
      }: ${advice} on both machines.`,
    );
  }
  return ok(
    `${time}, ${
      elsewhere ? "as at the public URL" : "not before what was written"
    }.`,
  );
}

/** Files that may be open at once, found by opening them, against the connections allowed. */
export async function checkOpenFiles(
  data: string,
  { connections }: Limits,
): Promise<Finding> {
  const { ok, warning, failed } = findings("open files");
  // Besides connections: the database, the listeners, the runtime's own.
  const wanted = connections + 64;
  const open: Deno.FsFile[] = [];
  try {
    const path = await existing(data);
    while (open.length < wanted) open.push(Deno.openSync(path));
    return ok(
      `${connections} connections fit this shell's limit; a service has its own (LimitNOFILE).`,
    );
  } catch (error) {
    // Node's name of the condition, which Deno gives its own errors too.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EMFILE" && code !== "ENFILE") {
      return warning(`can't be looked at: ${reasonOf(error)}.`);
    }
    return failed(
      `only ${open.length} files can be open, and --connections allows ${connections}: ulimit -n ${
        wanted + 64
      } (LimitNOFILE= in a service), or fewer --connections.`,
    );
  } finally {
    for (const file of open) file.close();
  }
}

/** The path, or what of it exists. */
async function existing(path: string): Promise<string> {
  for (let at = path;; at = dirname(at)) {
    if (await stat(at).then(() => true, () => false)) return at;
    if (dirname(at) === at) return at;
  }
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(({ size }) => size, () => 0);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString("en")} MB`;
}
