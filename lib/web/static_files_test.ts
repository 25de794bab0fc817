import { deepEqual, equal } from "node:assert/strict";
import { Hono } from "hono";
import { gzipSync } from "node:zlib";
import { serveFile, type StaticFile } from "./static_files.ts";

const text = "a page ".repeat(100);
const files = new Map<string, StaticFile>([
  ["/page", {
    type: "text/html; charset=utf-8",
    immutable: false,
    hash: "5f",
    gzip: true,
    body: new Uint8Array(gzipSync(text)),
  }],
  ["/assets/a.png", {
    type: "image/png",
    immutable: true,
    hash: "6a",
    gzip: false,
    body: new Uint8Array([1, 2, 3]),
  }],
]);
const app = new Hono();
app.all("*", (context) => serveFile(files, context) ?? context.notFound());

Deno.test("a browser that takes gzip gets the bytes compressed at build time; another gets the text", async () => {
  const packed = await app.request("/page", {
    headers: { "accept-encoding": "gzip, br" },
  });
  equal(packed.headers.get("content-encoding"), "gzip");
  deepEqual(
    new Uint8Array(await packed.arrayBuffer()),
    files.get("/page")?.body,
  );
  for (const accepted of ["", "br", "gzip;q=0"]) {
    const plain = await app.request("/page", {
      headers: { "accept-encoding": accepted },
    });
    equal(plain.headers.get("content-encoding"), null);
    equal(plain.headers.get("vary"), "accept-encoding");
    equal(await plain.text(), text);
  }
});

Deno.test("a browser without gzip has a file unpacked once, not at every request", async () => {
  let reads = 0;
  const file: StaticFile = {
    type: "text/plain",
    immutable: true,
    hash: "7b",
    gzip: true,
    get body() {
      reads++;
      return new Uint8Array(gzipSync(text));
    },
  };
  const one = new Hono();
  one.all(
    "*",
    (context) =>
      serveFile(new Map([["/file", file]]), context) ?? context.notFound(),
  );
  for (let i = 0; i < 3; i++) {
    equal(await (await one.request("/file")).text(), text);
  }
  equal(reads, 1);
});

Deno.test("a file that has not changed is not sent again", async () => {
  const first = await app.request("/page");
  const again = await app.request("/page", {
    headers: { "if-none-match": first.headers.get("etag") ?? "" },
  });
  equal(again.status, 304);
  equal(await again.text(), "");
  const other = await app.request("/page", {
    headers: { "if-none-match": '"other"' },
  });
  equal(other.status, 200);
});

Deno.test("files named after their content are kept for good; everything else is asked for again", async () => {
  const cached = async (path: string) =>
    (await app.request(path)).headers.get("cache-control");
  equal(await cached("/assets/a.png"), "public, max-age=31536000, immutable");
  equal(await cached("/page"), "no-cache");
});

Deno.test("files are read, not written", async () => {
  const response = await app.request("/page", { method: "POST" });
  equal(response.status, 405);
  equal(response.headers.get("allow"), "GET, HEAD");
});
