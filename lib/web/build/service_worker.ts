/**
 * Build step, after the pages exist: the service worker with the list of what it keeps, and the
 * manifest of hashes by which anyone can compare what a server serves with what was published.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transformWithOxc } from "vite";
import { clientOutput, NOT_FOUND } from "./client_output.ts";

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Writes `dist/client/sw.js` and `dist/client/build.json`. */
export async function buildServiceWorker(root: string): Promise<void> {
  const source = join(root, "lib/web/service_worker.ts");
  const { code } = await transformWithOxc(
    await readFile(source, "utf8"),
    source,
  );
  const files = clientOutput(root).filter(({ path }) => path !== NOT_FOUND);
  const list = JSON.stringify(
    Object.fromEntries(
      files.map(({ path, hash }) => [path, `sha256-${base64(hash)}`]),
    ),
  );
  const version = createHash("sha256").update(list).update(code).digest("hex")
    .slice(0, 16);
  const worker = `const FILES = ${list};\nconst VERSION = ${
    JSON.stringify(version)
  };\n${code}`;
  await writeFile(join(root, "dist/client/sw.js"), worker);
  const hashes = Object.fromEntries(
    clientOutput(root).map(({ path, hash }) => [path, hex(hash)]),
  );
  await writeFile(
    join(root, "dist/client/build.json"),
    JSON.stringify({ version, sha256: hashes }, undefined, 1) + "\n",
  );
}
