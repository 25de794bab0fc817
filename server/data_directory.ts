/** The directory that holds the relay's database: found, made private, and held by one process at a time. */
import { join } from "node:path";
import { makeDirectory } from "./lasting.ts";
import { finishRestore, isUnfinished } from "./restored.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The platform's place for a program's data, from the environment of this user.
 * @throws {UsageError} when the environment names no home.
 */
export function defaultDataDirectory(
  os: typeof Deno.build.os,
  environment: (name: string) => string | undefined,
): string {
  const under = (variable: string, ...parts: string[]) => {
    const base = environment(variable);
    return base ? join(base, ...parts) : undefined;
  };
  const place = os === "windows"
    ? under("LOCALAPPDATA", "Whisper")
    : os === "darwin"
    ? under("HOME", "Library", "Application Support", "Whisper")
    : under("XDG_DATA_HOME", "whisper") ??
      under("HOME", ".local", "share", "whisper");
  if (place) return place;
  throw new UsageError(
    "This user has no home directory; say with --data where to keep the data.",
  );
}

/** Name of the relay's database in its directory. */
export const DATABASE = "relay.sqlite3";

/** The directory of `--data`, or the platform's own for this user. */
export function dataDirectory(given: string | undefined): string {
  return given ??
    defaultDataDirectory(Deno.build.os, (name) => Deno.env.get(name));
}

export interface DataDirectory {
  readonly path: string;
  /** Path of the relay's database. */
  readonly database: string;
  /** Lets another process have it. */
  release(): void;
}

/**
 * Makes the directory (readable by this user alone) when it is missing, and locks it. A restore into it that
 * was interrupted is carried on.
 * @throws {UsageError} when it can't be made or written, or another process holds it.
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  // The database and its journal too are for this user alone, whatever the directory's mode.
  if (Deno.build.os !== "windows") Deno.umask(0o077);
  const lock = await lockFile(path);
  if (await lock.tryLock(true)) {
    await finishRestore(path);
    return {
      path,
      database: join(path, DATABASE),
      release: () => lock.close(),
    };
  }
  lock.close();
  throw new UsageError(
    `Another Whisper is using the data directory ${path}; choose another with --data.`,
  );
}

/**
 * For who looks at the directory without holding it: carries on a restore into it that was interrupted.
 * @throws {UsageError} when one is going on.
 */
export async function settleDataDirectory(path: string): Promise<void> {
  if (await isUnfinished(path)) (await openDataDirectory(path)).release();
}

async function lockFile(path: string): Promise<Deno.FsFile> {
  try {
    await makeDirectory(path);
    return await Deno.open(join(path, "lock"), { create: true, write: true });
  } catch (error) {
    const reason = error instanceof Deno.errors.PermissionDenied ||
        error instanceof Deno.errors.NotCapable
      ? "permission denied"
      : error instanceof Deno.errors.NotADirectory ||
          error instanceof Deno.errors.AlreadyExists
      ? "it is not a directory"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new UsageError(
      `The data directory ${path} can't be used: ${reason}.`,
      { cause: error },
    );
  }
}
