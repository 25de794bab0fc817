/** Every page of `routes/`, rendered on demand: once by the build, at each request while developing. */
import { clientFiles } from "virtual:client-files";
import { pathOf } from "../lib/web/file_routes.ts";
import { type IslandModule, markIslands } from "../lib/web/island.ts";
import { type PageModule, renderPage } from "../lib/web/page.ts";
import App from "../routes/_app.tsx";

const rendered = new Set<string>();
markIslands(
  import.meta.glob<IslandModule>(
    ["/islands/*.tsx", "/islands/*/mod.tsx", "!**/*_test.tsx"],
    { eager: true },
  ),
  (path) => rendered.add(path),
);

const modules = import.meta.glob<PageModule>(
  ["/routes/**/*.tsx", "!/routes/**/_app.tsx", "!**/*_test.tsx"],
  { eager: true },
);
const pages = new Map(
  Object.entries(modules).map(([file, page]) => [pathOf(file), page]),
);

/** URL paths of all pages; `/_404` is the one for what does not exist. */
export const paths: readonly string[] = [...pages.keys()].sort();

/** The document at one of `paths`. One at a time: the islands of a page are noted as it renders. */
export function render(path: string): Promise<string> {
  const page = pages.get(path);
  if (!page) throw new Error(`there is no page at ${path}`);
  rendered.clear();
  return renderPage(App, page, clientFiles, () => rendered);
}
