/**
 * Build step, after the pages exist: the service worker with the list of what it keeps, and the
 * manifest of hashes by which anyone can compare what a server serves with what was published.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";
import { clientOutput, NOT_FOUND } from "./client_output.ts";

const SOURCE = fileURLToPath(new URL("../service_worker.ts", import.meta.url));

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Writes `sw.js` and `build.json` into `dist/client` under `root`. */
export async function buildServiceWorker(root: string): Promise<void> {
  const { code } = await transformWithOxc(
    await readFile(SOURCE, "utf8"),
    SOURCE,
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
