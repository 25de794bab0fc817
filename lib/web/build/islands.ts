/** Vite plugin: the client's entry, and the names that built pages know its files by. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest, ManifestChunk, Plugin } from "vite";
import type { Chunks, ClientFiles } from "../page.ts";

const ENTRY = "virtual:client";
const FILES = "virtual:client-files";

/**
 * Islands are `islands/name.tsx` and `islands/name/mod.tsx`; what else lies in an island's folder is
 * part of it. Paths from the project's root, with a leading slash.
 */
function islandModules(root: string): string[] {
  const folder = join(root, "islands");
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) {
      return existsSync(join(folder, entry.name, "mod.tsx"))
        ? [`/islands/${entry.name}/mod.tsx`]
        : [];
    }
    return /(?<!_test)\.tsx$/.test(entry.name)
      ? [`/islands/${entry.name}`]
      : [];
  }).sort();
}

/** Style sheets beside the routes are on every page. */
function routeStyles(root: string): string[] {
  return readdirSync(join(root, "routes"), {
    recursive: true,
    encoding: "utf8",
  })
    .filter((name) => name.endsWith(".css"))
    .map((name) => `/routes/${name.replaceAll("\\", "/")}`)
    .sort();
}

function entrySource(root: string): string {
  const loaders = islandModules(root).map((path) => {
    const name = JSON.stringify(path);
    return `${name}: () => import(${name})`;
  });
  return [
    ...routeStyles(root).map((path) => `import ${JSON.stringify(path)};`),
    `import { startPage } from "/lib/web/hydrate.ts";`,
    `startPage({ ${loaders.join(", ")} });`,
  ].join("\n");
}

/** The chunks that `chunk` needs at once: itself and what it imports statically, however deep. */
function chunksOf(manifest: Manifest, chunk: ManifestChunk): Chunks {
  const scripts = new Set<string>();
  const styles = new Set<string>();
  const visit = (one: ManifestChunk) => {
    if (scripts.has(`/${one.file}`)) return;
    scripts.add(`/${one.file}`);
    for (const name of one.imports ?? []) visit(manifest[name]);
    for (const file of one.css ?? []) styles.add(`/${file}`);
  };
  visit(chunk);
  return { scripts: [...scripts], styles: [...styles] };
}

function builtClientFiles(root: string): ClientFiles {
  const manifest: Manifest = JSON.parse(
    readFileSync(join(root, "dist/client/.vite/manifest.json"), "utf8"),
  );
  const entry = Object.values(manifest).find(({ src }) => src === ENTRY);
  if (!entry) throw new Error("the built client has no entry");
  const { styles } = chunksOf(manifest, entry);
  const islands = islandModules(root).map((
    path,
  ) => [path, chunksOf(manifest, manifest[path.slice(1)])]);
  return {
    entry: { scripts: [`/${entry.file}`], styles },
    islands: Object.fromEntries(islands),
  };
}

export function islands(): Plugin {
  let root = "";
  let building = false;
  return {
    name: "whisper:islands",
    configResolved(config) {
      root = config.root;
      building = config.command === "build";
    },
    resolveId: (id) => id === ENTRY || id === FILES ? `\0${id}` : undefined,
    load(id) {
      if (id === `\0${ENTRY}`) return entrySource(root);
      if (id !== `\0${FILES}`) return undefined;
      const files: ClientFiles = building ? builtClientFiles(root) : {
        entry: {
          scripts: ["/@vite/client", `/@id/__x00__${ENTRY}`],
          styles: [],
        },
        islands: {},
      };
      return `export const clientFiles = ${JSON.stringify(files)};`;
    },
  };
}
