/** Serves the built client: files with fixed hashes, compressed once when the project was built. */
import type { Context } from "hono";
import { gunzipSync } from "node:zlib";
import { methodNotAllowed } from "./file_routes.ts";

export interface StaticFile {
  readonly type: string;
  /** Named after its content, so it never changes. */
  readonly immutable: boolean;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** `body` is compressed with gzip. */
  readonly gzip: boolean;
}

/** Text of compressed files that somebody asked for without gzip: unpacked once. */
const unpacked = new WeakMap<StaticFile, Uint8Array<ArrayBuffer>>();

/** Answers a request whose path names a file, with 304 and gzip where they apply; else undefined. */
export function serveFile(
  files: ReadonlyMap<string, StaticFile>,
  context: Context,
  path: string = context.req.path,
  status: 200 | 404 = 200,
): Response | undefined {
  const file = files.get(path);
  if (!file) return undefined;
  const { method } = context.req;
  if (method !== "GET" && method !== "HEAD") return methodNotAllowed(["GET"]);
  const headers = new Headers({
    "content-type": file.type,
    "cache-control": file.immutable
      ? "public, max-age=31536000, immutable"
      : "no-cache",
    etag: `"${file.hash}"`,
  });
  if (
    status === 200 &&
    context.req.header("if-none-match")?.includes(`"${file.hash}"`)
  ) {
    return new Response(null, { status: 304, headers });
  }
  if (!file.gzip) return new Response(file.body, { status, headers });
  headers.set("vary", "accept-encoding");
  if (
    !/\bgzip\b(?!\s*;\s*q=0(\.0*)?\b)/.test(
      context.req.header("accept-encoding") ?? "",
    )
  ) {
    return new Response(textOf(file), { status, headers });
  }
  headers.set("content-encoding", "gzip");
  return new Response(file.body, { status, headers });
}

function textOf(file: StaticFile): Uint8Array<ArrayBuffer> {
  const known = unpacked.get(file);
  if (known !== undefined) return known;
  const text = new Uint8Array(gunzipSync(file.body));
  unpacked.set(file, text);
  return text;
}
