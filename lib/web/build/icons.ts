/**
 * Vite plugin: of lucide-preact, only the icons that a module names. The package exports nothing but
 * its barrel, some two thousand modules, which a build would read only to drop all but a dozen, and
 * the first page of a server under development would wait for. What draws them is ours.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const PACKAGE = "lucide-preact";
const DRAWER = "islands/parts/icon.tsx";
const IMPORT = /^import \{([^}]*)\} from "lucide-preact";/gm;
const EXPORT = /^export \{([^}]*)\} from '([^']+)';$/gm;

/** What each name of a barrel is: a module's path, and the name it has there. */
export type Exports = ReadonlyMap<string, { module: string; name: string }>;

/** `A, b as C`: what is taken, and what it is called then. */
function names(list: string): { name: string; as: string }[] {
  return list.split(",").map((item) => item.trim()).filter(Boolean).map(
    (item) => {
      const [name, as = name] = item.split(/\s+as\s+/);
      return { name, as };
    },
  );
}

/** Reads the source of a barrel that lies in `folder`. */
export function barrelExports(source: string, folder: string): Exports {
  return new Map(
    [...source.matchAll(EXPORT)].flatMap(([, list, path]) =>
      names(list).map(({ name, as }) =>
        [as, { module: join(folder, path), name }] as const
      )
    ),
  );
}

/**
 * `source` with its import from the barrel replaced by one from each module behind it, no line moved.
 * @throws when the barrel has no such name.
 */
export function importDirectly(source: string, exports: Exports): string {
  return source.replace(IMPORT, (statement: string, list: string) => {
    const imports = names(list).map(({ name, as }) => {
      const found = exports.get(name);
      if (!found) throw new Error(`${PACKAGE} has no icon ${name}`);
      const module = JSON.stringify(found.module);
      return `import { ${found.name} as ${as} } from ${module};`;
    });
    return imports.join(" ") + statement.replace(/[^\n]/g, "");
  });
}

export function icons(): Plugin {
  let exports: Exports | undefined;
  let root = "";
  return {
    name: "whisper:icons",
    enforce: "pre",
    configResolved(config) {
      root = config.root;
    },
    resolveId: (source, importer) =>
      source.endsWith("/createLucideIcon.mjs") && importer?.includes(PACKAGE)
        ? join(root, DRAWER)
        : undefined,
    transform: {
      filter: { id: /\.tsx$/, code: PACKAGE },
      async handler(source, importer) {
        if (!exports) {
          const barrel = await this.resolve(PACKAGE, importer);
          if (!barrel) throw new Error(`${PACKAGE} is not installed`);
          const text = await readFile(barrel.id, "utf8");
          exports = barrelExports(text, dirname(barrel.id));
        }
        return { code: importDirectly(source, exports), map: null };
      },
    },
  };
}
