/** Pictures of screens, for people to look at: nothing compares them. */
import { mkdir } from "node:fs/promises";
import type { Page } from "playwright-core";

const FOLDER = new URL("../../dist/screenshots/", import.meta.url).pathname;

/** Writes `dist/screenshots/NAME.png` when SCREENSHOTS is set; gives its path. */
export async function screenshot(
  page: Page,
  name: string,
): Promise<string | undefined> {
  if (!Deno.env.get("SCREENSHOTS")) return undefined;
  await mkdir(FOLDER, { recursive: true });
  const path = `${FOLDER}${name}.png`;
  await page.screenshot({ path });
  return path;
}
