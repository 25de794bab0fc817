/** Build step: renders every page once and writes it beside the client's files. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** What `server/pages.ts` exports, as built for the `pages` environment. */
export interface Pages {
  /** URL paths of all pages. */
  readonly paths: readonly string[];
  /** The document at a path. */
  render(path: string): Promise<string>;
}

/** Renders the pages of `dist/pages/pages.mjs` into `dist/client`, and removes the former. */
export async function buildPages(root: string): Promise<void> {
  const built = join(root, "dist/pages");
  const { paths, render }: Pages = await import(
    pathToFileURL(join(built, "pages.mjs")).href
  );
  for (const path of paths) {
    const file = join(
      root,
      "dist/client",
      path === "/" ? "index.html" : `${path}.html`,
    );
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, await render(path));
  }
  await rm(built, { recursive: true });
}
