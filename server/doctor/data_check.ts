/** The data directory: there, this user's alone, writable, of a format this program knows; and who uses it. */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { STORE_FORMAT, type StoreIdentity } from "../../lib/relay/mod.ts";
import { DATABASE } from "../data_directory.ts";
import { damageIn, identityIn } from "../database_file.ts";
import { type Finding, findings, reasonOf } from "./finding.ts";

/** What the other checks need of the directory. */
export interface DataState {
  readonly findings: readonly Finding[];
  readonly exists: boolean;
  /** A process holds its lock. */
  readonly running: boolean;
  readonly identity?: StoreIdentity;
}

/** Of SQLite's result codes. */
const SQLITE_CANTOPEN = 14;

const { ok, failed } = findings("data directory");
const database = findings("database");

export async function checkData(path: string): Promise<DataState> {
  const nowhere = { exists: false, running: false };
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (info instanceof Error) {
    return {
      ...nowhere,
      findings: [
        info.code === "ENOENT"
          ? await checkMissing(path)
          : failed(`${path} can't be looked at: ${info.message}.`),
      ],
    };
  }
  if (!info.isDirectory()) {
    return {
      ...nowhere,
      findings: [
        failed(`${path} is not a directory; choose another with --data.`),
      ],
    };
  }
  const running = await isLocked(join(path, "lock"));
  const found = [await checkDirectory(path, info.uid, info.mode)];
  const { identity, finding } = await checkDatabase(join(path, DATABASE));
  return {
    exists: true,
    running,
    identity,
    findings: [
      ...found,
      finding,
      findings("running").ok(
        running
          ? "a relay uses this data now."
          : "no relay uses this data now.",
      ),
    ],
  };
}

/** Whether this user could make the directory, as serve does. */
async function checkMissing(path: string): Promise<Finding> {
  let above = dirname(path);
  while (!await stat(above).then(() => true, () => false)) {
    above = dirname(above);
  }
  const { reason } = await tryWriting(above);
  return reason === undefined
    ? ok(`${path} does not exist yet; serve makes it.`)
    : failed(
      `${path} does not exist, and this user can't make it in ${above}: ${reason}; make it for this user, or choose another with --data.`,
    );
}

/** As whom this user writes in a directory, or why that can't be. Nothing of it stays. */
async function tryWriting(
  directory: string,
): Promise<{ uid?: number; reason?: string }> {
  try {
    const probe = await Deno.makeTempFile({
      dir: directory,
      prefix: "doctor-",
    });
    try {
      return { uid: (await stat(probe)).uid };
    } finally {
      await Deno.remove(probe);
    }
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

async function checkDirectory(
  path: string,
  owner: number,
  mode: number,
): Promise<Finding> {
  const { uid, reason } = await tryWriting(path);
  if (reason !== undefined) {
    return failed(
      `${path} can't be written by this user: ${reason}; change its owner, or choose another with --data.`,
    );
  }
  if (Deno.build.os !== "windows" && uid !== owner) {
    return failed(
      `${path} belongs to user ${owner}, and this is user ${uid}: chown -R ${uid} ${path}, or start it as the other.`,
    );
  }
  if (Deno.build.os !== "windows" && (mode & 0o077) !== 0) {
    return failed(
      `${path} is open to other users (mode ${
        (mode & 0o777).toString(8)
      }): chmod 700 ${path}.`,
    );
  }
  return ok(`${path} is this user's alone, and can be written.`);
}

async function checkDatabase(
  path: string,
): Promise<{ finding: Finding; identity?: StoreIdentity }> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) {
    return { finding: database.ok("there is none yet; serve makes it.") };
  }
  if (Deno.build.os !== "windows" && (info.mode & 0o077) !== 0) {
    return {
      finding: database.failed(
        `${path} is open to other users: chmod 600 ${path}*.`,
      ),
    };
  }
  let identity: StoreIdentity | undefined;
  let damage: string;
  try {
    identity = await identityIn(path);
    damage = damageIn(path);
  } catch (error) {
    damage = reasonOf(error);
    if (isUnopened(error)) {
      // Whether it is whole is not known: nothing is to be put in its place.
      return {
        finding: database.failed(
          `${path} can't be opened (${damage}): let this user read and write it and its directory, and ask again.`,
        ),
      };
    }
  }
  if (damage !== "") {
    return {
      finding: database.failed(
        `${path} is damaged (${damage}): restore a backup with --force.`,
      ),
    };
  }
  if (identity === undefined) {
    return { finding: database.ok("no relay was ever started with it.") };
  }
  const { format } = identity;
  const finding = format > STORE_FORMAT
    ? database.failed(
      `it is of format ${format}, and this version knows formats up to ${STORE_FORMAT}: install the newer version that wrote it.`,
    )
    : format < STORE_FORMAT
    ? database.warning(
      `it is of format ${format}; serve brings it to ${STORE_FORMAT}. Make a backup first: there is no way back.`,
    )
    : database.ok(`it is whole, and of format ${format}.`);
  return { finding, identity };
}

/** SQLite could not open the file, or one beside it. */
function isUnopened(error: unknown): boolean {
  return error instanceof Error && "errcode" in error &&
    error.errcode === SQLITE_CANTOPEN;
}

async function isLocked(path: string): Promise<boolean> {
  try {
    using lock = await Deno.open(path, { write: true });
    return !await lock.tryLock(true);
  } catch {
    // Not there, or not this user's: the other checks say so.
    return false;
  }
}
