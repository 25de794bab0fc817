/**
 * The last part of a restore: what is whole, in a folder of its own, takes its place in the data directory.
 * It may be interrupted at any moment, and is then carried on by whoever opens the directory next.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { makeDirectory, syncDirectory } from "./lasting.ts";

/** A folder of this name appears by one rename: from then on what is in it is what counts. */
const RESTORED = "restored";

/** In it, what was there before under the same names. */
const BEFORE = "before";

/** A restore that has not got so far; its folder is of no use to anybody. */
export const RESTORING = "restoring-";

/** What was put aside by a restore. */
const PUT_ASIDE = "before-restore-";

/** Makes what is in `fresh`, a folder within `data`, what is to take its place there: for good, in one moment. */
export async function decideFor(fresh: string, data: string): Promise<void> {
  await syncDirectory(fresh);
  await Deno.rename(fresh, join(data, RESTORED));
  await syncDirectory(data);
}

/** Whether what was restored into this directory has not taken its place yet. */
export async function isUnfinished(data: string): Promise<boolean> {
  return await names(join(data, RESTORED)) !== undefined;
}

/**
 * Has it take its place, if there is such a thing; gives the folder where what was there before is now, if
 * there was anything. Only for who holds the directory's lock.
 */
export async function finishRestore(
  data: string,
): Promise<string | undefined> {
  for (const name of await names(data) ?? []) {
    if (name.startsWith(RESTORING)) {
      await Deno.remove(join(data, name), { recursive: true });
    }
  }
  const folder = join(data, RESTORED);
  const restored = await names(folder);
  if (restored === undefined) return undefined;
  const before = join(folder, BEFORE);
  await makeDirectory(before);
  for (const name of restored) {
    if (name === BEFORE) continue;
    for (const old of await names(data) ?? []) {
      // The database's journals go with it: they are not the new one's.
      if (old === name || old.startsWith(`${name}-`)) {
        await Deno.rename(join(data, old), join(before, old));
      }
    }
    await Deno.rename(join(folder, name), join(data, name));
  }
  let putAside: string | undefined;
  if ((await names(before))?.length) {
    await syncDirectory(before);
    putAside = join(data, PUT_ASIDE + randomBytes(4).toString("hex"));
    await Deno.rename(before, putAside);
  }
  await syncDirectory(data);
  await Deno.remove(folder, { recursive: true });
  return putAside;
}

/** What a folder holds, sorted; undefined when it is not there. */
async function names(folder: string): Promise<string[] | undefined> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
