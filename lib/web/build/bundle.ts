/** Vite plugin: the built client embedded in the server's bundle, which is then the whole program. */
import { extname } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import type { StaticFile } from "../static_files.ts";
import { clientOutput } from "./client_output.ts";

const BUNDLE = "virtual:bundle";

const TYPES: Readonly<Record<string, string>> = {
  "": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};
/** These are compressed already. */
const PACKED: ReadonlySet<string> = new Set([".png", ".woff2"]);

/** The built client under `root` as the server serves it, by URL path. */
export function staticFiles(root: string): Map<string, StaticFile> {
  return new Map(
    clientOutput(root).map(({ path, content, hash }) => {
      const extension = extname(path);
      const type = TYPES[extension];
      if (!type) throw new Error(`no content type is known for ${path}`);
      const gzip = !PACKED.has(extension);
      return [path, {
        type,
        immutable: path.startsWith("/assets/"),
        hash: Buffer.from(hash).toString("hex"),
        gzip,
        body: new Uint8Array(gzip ? gzipSync(content, { level: 9 }) : content),
      }];
    }),
  );
}

function source(root: string): string {
  const rows = [...staticFiles(root)].map(([path, { body, ...fields }]) => {
    const data = JSON.stringify(Buffer.from(body).toString("base64"));
    return `[${JSON.stringify(path)}, { ...${
      JSON.stringify(fields)
    }, body: Uint8Array.fromBase64(${data}) }]`;
  });
  return `export const bundle = new Map([${rows.join(",\n")}]);`;
}

export function bundle(): Plugin {
  let root = "";
  let building = false;
  return {
    name: "whisper:bundle",
    configResolved(config) {
      root = config.root;
      building = config.command === "build";
    },
    resolveId: (id) => id === BUNDLE ? `\0${BUNDLE}` : undefined,
    load(id) {
      if (id !== `\0${BUNDLE}`) return undefined;
      return building ? source(root) : "export const bundle = new Map();";
    },
  };
}
