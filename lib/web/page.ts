/** Renders a page of `routes/` to a whole document, linked to the client files it needs. */
import { type ComponentType, h } from "preact";
import { renderToStringAsync } from "preact-render-to-string";

/** URL paths of what a part of the client consists of. */
export interface Chunks {
  readonly scripts: readonly string[];
  readonly styles: readonly string[];
}

export interface ClientFiles {
  readonly entry: Chunks;
  /** By module path (`/islands/chat.tsx`): the island's own chunks and those it imports. */
  readonly islands: Readonly<Record<string, Chunks>>;
}

export interface PageModule {
  readonly default: ComponentType;
  /** Title of the document. */
  readonly title?: string;
}

/** `routes/_app.tsx`: the document around every page. */
export type AppShell = ComponentType<
  { readonly title?: string; readonly Component: ComponentType }
>;

/**
 * The document of `page` inside `shell`. `islandsOf` gives the islands that were rendered, after
 * rendering. Their scripts are preloaded and their style sheets linked, so that nothing shows unstyled.
 */
export async function renderPage(
  shell: AppShell,
  page: PageModule,
  files: ClientFiles,
  islandsOf: () => Iterable<string>,
): Promise<string> {
  const html = await renderToStringAsync(
    h(shell, { title: page.title, Component: page.default }),
  );
  const islands = [...islandsOf()].map((path) => files.islands[path]).filter((
    c,
  ) => c !== undefined);
  const styles = new Set([files.entry, ...islands].flatMap((c) => c.styles));
  const preloads = new Set(islands.flatMap((c) => c.scripts));
  const links = [
    ...[...styles].map((url) => `<link rel="stylesheet" href="${url}">`),
    ...files.entry.scripts.map((url) =>
      `<script type="module" src="${url}"></script>`
    ),
    ...[...preloads].filter((url) => !files.entry.scripts.includes(url))
      .map((url) => `<link rel="modulepreload" href="${url}">`),
  ];
  const end = html.indexOf("</head>");
  if (end < 0) throw new Error("routes/_app.tsx renders no <head>");
  return "<!doctype html>" + html.slice(0, end) + links.join("") +
    html.slice(end);
}
