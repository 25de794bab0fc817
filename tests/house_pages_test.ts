import { deepEqual, equal, match } from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Manifest, ManifestChunk } from "vite";
import { startRelay } from "./harness/mod.ts";

const CLIENT = new URL("../dist/client/", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, CLIENT));
const PAGES = ["index.html", "chat.html", "_404.html"];

/** JS and CSS that a page needs to be shown and used, gzip, in bytes. */
const FIRST_LOAD = 96 * 1024;
/** The same with what reads and writes messages, which an open account fetches beside it: what was agreed on. */
const WITH_SESSIONS = 120 * 1024;
const SESSIONS = "lib/client/sessions.ts";
/**
 * What a person has to ask for first, a dialog, a menu, an edit, an invite, an account, a lock, a relay's password, a safety number or the export;
 * what nobody waits for: what tells names apart, the backup, the upkeep of prekeys, and the news of devices that come and go; and
 * the arithmetic of curves, which browsers have themselves.
 */
const ON_DEMAND =
  /(_noble|_undo|prekey_bundle|names)(\.ts$|-)|_dialog\.tsx$|^lib\/client\/(alarms_seen|invites|admission_proof|export|safety_code|forward\/mod|(backup|devices|pool)\/on_demand)\.ts$|^islands\/(welcome\/(create_account|log_in)|screens\/(failed|locked|removed|securing)|parts\/undo|messenger\/(verification_notice|contact_items|message_options|edit_bar|notices|device_notices|history_notices|device_left|parted|route_note|relay_password|relay_trouble|invitation_notices|standing_notice))\.tsx$|^islands\/lock\/(web_passkeys|worker_stretch)\.ts$/;

Deno.test("a page holds no inline script, style or handler, and names nobody else", async () => {
  for (const page of PAGES) {
    const html = await read(page);
    deepEqual(html.match(/<script(?![^>]*\bsrc="\/)[^>]*>/g), null, page);
    deepEqual(
      html.match(/<style\b|\sstyle\s*=|\son\w+\s*=|javascript:/gi),
      null,
      page,
    );
    deepEqual(
      html.match(/\b(?:src|href|action)="(?!\/(?!\/)|#)[^"]*"/g),
      null,
      page,
    );
    match(html, /<main id="needs-https"[^>]* hidden/);
  }
});

/** Bytes of files, compressed as the build compresses what the server sends. */
async function compressed(files: ReadonlySet<string>): Promise<number> {
  const sizes = await Promise.all(
    [...files].map(async (file) =>
      gzipSync(await Deno.readFile(new URL(file, CLIENT)), { level: 9 }).length
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

Deno.test("the first load of each page is at most 96 KB of JS and CSS, compressed, and at most 120 KB with what an open account fetches beside it, without what somebody asks for", async () => {
  const manifest: Manifest = JSON.parse(await read(".vite/manifest.json"));
  const entry = manifest["virtual:client"];
  if (!entry) throw new Error("the build has no entry");
  for (const page of PAGES) {
    const html = await read(page);
    const islands = [...html.matchAll(/data-path="\/([^"]+)"/g)].map((
      [, path],
    ) => path);
    const files = new Set<string>();
    const visit = (chunk: ManifestChunk, onDemand: readonly string[]) => {
      if (files.has(chunk.file)) return;
      files.add(chunk.file);
      for (const file of chunk.css ?? []) files.add(file);
      const atOnce = onDemand.filter((name) =>
        !ON_DEMAND.test(name) && name !== SESSIONS
      );
      for (const name of [...chunk.imports ?? [], ...atOnce]) {
        visit(manifest[name], manifest[name].dynamicImports ?? []);
      }
    };
    // The entry can load every island; a page loads its own.
    visit(entry, islands);
    for (
      const [, file] of html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)
    ) files.add(file);
    const first = await compressed(files);
    console.log(
      `${page}: ${(first / 1024).toFixed(1)} KB in ${files.size} files`,
    );
    equal(first <= FIRST_LOAD, true, `${page} takes ${first} bytes`);
    if (islands.length > 0) {
      visit(manifest[SESSIONS], []);
      const open = await compressed(files);
      console.log(
        `  ${(open / 1024).toFixed(1)} KB with what an open account fetches`,
      );
      equal(open > first && open <= WITH_SESSIONS, true, `${open} bytes`);
    }
    equal(islands.every((path) => files.has(manifest[path].file)), true);
  }
});

Deno.test("the manifest of hashes names every file served, and each is served as it says", async () => {
  const relay = await startRelay();
  try {
    const { version, sha256 }: {
      version: string;
      sha256: Record<string, string>;
    } = JSON.parse(await read("build.json"));
    match(version, /^[0-9a-f]{16}$/);
    for (const path of ["/", "/chat", "/sw.js", "/icon.svg"]) {
      equal(path in sha256, true, path);
    }
    for (const [path, hash] of Object.entries(sha256)) {
      const response = await fetch(relay.url + path);
      equal(response.status, path === "/_404" ? 404 : 200, path);
      equal(
        createHash("sha256").update(await response.bytes()).digest("hex"),
        hash,
        path,
      );
    }
  } finally {
    await relay.stop();
  }
});

Deno.test("the web app manifest has what installing asks for, and its icons exist in the sizes it says", async () => {
  const manifest = JSON.parse(await read("manifest.webmanifest"));
  equal(manifest.display, "standalone");
  equal(manifest.start_url, "/chat");
  const sizes: string[] = [];
  for (const icon of manifest.icons) {
    sizes.push(`${icon.sizes} ${icon.purpose ?? "any"}`);
    if (icon.type !== "image/png") continue;
    const png = new DataView(
      (await Deno.readFile(new URL(icon.src.slice(1), CLIENT))).buffer,
    );
    equal(`${png.getUint32(16)}x${png.getUint32(20)}`, icon.sizes);
  }
  deepEqual(sizes, [
    "any any",
    "192x192 any",
    "512x512 any",
    "512x512 maskable",
  ]);
});
