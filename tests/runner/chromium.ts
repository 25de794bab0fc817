/** Sees to the browser that the tests need. */
import { chromiumPath } from "../harness/browser.ts";

const INSTALL = "apt-get install -y --no-install-recommends chromium";

/** What stands between this machine and the browser tests, and what to do about it. */
export class MissingChromium extends Error {
  override readonly name = "MissingChromium";
}

/**
 * Makes sure Chromium is there: on Debian, as root, it is installed when missing, announced in one line.
 * @throws {MissingChromium} when it is missing and can't or may not be installed.
 */
export async function ensureChromium(mayInstall: boolean): Promise<void> {
  const path = chromiumPath();
  if (await exists(path)) return;
  const missing =
    `Chromium is not at ${path}; install it (on Debian: ${INSTALL}) or set CHROMIUM to its path.`;
  const able = Deno.build.os === "linux" && Deno.uid() === 0 &&
    await exists("/usr/bin/apt-get");
  if (!mayInstall || !able || Deno.env.has("CHROMIUM")) {
    throw new MissingChromium(missing);
  }
  console.log(`Chromium is missing; installing it: ${INSTALL}`);
  await apt("update");
  await apt(...INSTALL.split(" ").slice(1));
  if (!await exists(path)) throw new MissingChromium(missing);
}

async function apt(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command("apt-get", {
    args: ["-qq", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
  }).output();
  if (code === 0) return;
  const said = new TextDecoder().decode(stderr) +
    new TextDecoder().decode(stdout);
  throw new MissingChromium(
    `apt-get ${args[0]} failed: ${said.trim().split("\n").slice(-3).join(" ")}`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
