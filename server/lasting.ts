/** Names of files and folders that last through a power failure. */
import { dirname, resolve } from "node:path";

/** Makes what was made, renamed or removed in a folder last, where the system lets directories be synced. */
export async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}

/** Makes a folder for this user alone, and those above it that are missing; they last. */
export async function makeDirectory(path: string): Promise<void> {
  const above = dirname(resolve(path));
  try {
    await Deno.mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      if ((await Deno.stat(path)).isDirectory) return;
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeDirectory(above);
    return await makeDirectory(path);
  }
  try {
    await syncDirectory(above);
  } catch (error) {
    // Whoever may make a folder there need not be allowed to read what else is there.
    const forbidden = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable;
    if (!forbidden) throw error;
  }
}
