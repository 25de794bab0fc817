/** What the build left in `dist/client`, as the URL paths it is served under. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface OutputFile {
  /** URL path: `/chat` for `chat.html`, `/` for `index.html`. */
  readonly path: string;
  readonly content: Uint8Array;
  /** SHA-256 of the content. */
  readonly hash: Uint8Array;
}

/** Where the page lies that answers for what does not exist; nobody can ask for it by name. */
export const NOT_FOUND = "/_404";

/** Every file of the built client, pages included, sorted by path. */
export function clientOutput(root: string): OutputFile[] {
  const folder = join(root, "dist/client");
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${join(folder, ".vite")}`))
    .map((file) => {
      const content = readFileSync(file);
      const name = file.slice(folder.length).replaceAll("\\", "/");
      const path = name.replace(/\/index\.html$/, "/").replace(/\.html$/, "");
      return {
        path,
        content,
        hash: createHash("sha256").update(content).digest(),
      };
    })
    .sort((a, b) => a.path < b.path ? -1 : 1);
}
