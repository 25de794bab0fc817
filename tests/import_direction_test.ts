import { deepEqual, equal } from "node:assert/strict";
import { dirname, join, relative } from "node:path";

/** Part of the project → what its files may import besides themselves. Tests may import more. */
const MAY_IMPORT: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  "lib/signal": [/^@noble\//, "pbf"],
  "lib/wire": [/^@noble\//],
  "lib/relay": ["lib/wire", /^@noble\//, "ws", /^node:/],
  "lib/tor": [/^@noble\//, "socks", /^node:/],
  "lib/client": [
    "lib/signal",
    "lib/wire",
    /^@noble\//,
    "pbf",
    "idb",
    "@preact/signals-core",
  ],
  "lib/web": ["hono", /^preact/, "@preact/signals-core", "node:zlib"],
  "lib/web/build": ["lib/web", "vite", /^node:/],
  "islands": [
    "lib/client",
    // Workers compute what takes long.
    /^@noble\//,
    "lib/web/service_worker_client.ts",
    "lib/web/trusted_types.ts",
    /^preact/,
    "@preact/signals",
    "@preact/signals-core",
    "lucide-preact",
    /^qr\//,
    "uqr",
  ],
  "routes": ["islands", "lib/relay", "lib/tor", "lib/web", "hono", /^preact/],
  "server": [
    "routes",
    "lib/relay",
    "lib/tor",
    "lib/web",
    "hono",
    "@hono/node-server",
    "uqr",
    "vite",
    /^node:/,
    /^virtual:/,
  ],
  "main.ts": ["server", "lib/web", /^virtual:/],
};

const PARTS = Object.keys(MAY_IMPORT).sort((a, b) => b.length - a.length);
const within = (file: string, part: string) =>
  file === part || file.startsWith(`${part}/`);
const partOf = (file: string) => PARTS.find((part) => within(file, part));
/** Tests, and what only tests use. */
const isTest = (file: string) =>
  /_test\.tsx?$|(^|\/)(testing\/|test_|testing_)/.test(file);

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(entry.name) && !isTest(path)) yield path;
  }
}

/** What a source imports, statically, dynamically or in types: file paths, or names of packages. */
function importsOf(file: string, source: string): string[] {
  const code = source.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const patterns = [
    /\b(?:import|export)\b[^"'`;()]*?\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*\(?\s*["']([^"']+)["']/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, specifier]) => specifier)
  )
    .map((specifier) =>
      specifier.startsWith(".")
        ? relative(".", join(dirname(file), specifier))
        : specifier
    )
    // Vite's paths from the project's root, and its queries.
    .map((specifier) => specifier.replace(/^\//, "").replace(/\?.*$/, ""));
}

function allowed(part: string, target: string): boolean {
  if (within(target, part)) {
    // A nested part (lib/web/build) is not inside the one around it.
    return partOf(target) === part;
  }
  return MAY_IMPORT[part].some((rule) =>
    typeof rule === "string"
      ? rule === target || within(target, rule)
      : rule.test(target)
  );
}

Deno.test("imports point one way: islands → client → signal and wire; routes → relay → wire", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for (const part of PARTS) {
    const files = part.endsWith(".ts")
      ? [part]
      : await Array.fromAsync(sources(part));
    for (const file of files) {
      if (partOf(file) !== part) continue;
      for (const target of importsOf(file, await Deno.readTextFile(file))) {
        seen++;
        if (!allowed(part, target)) wrong.push(`${file} imports ${target}`);
      }
    }
  }
  deepEqual(wrong, []);
  equal(seen > 100, true);
});

Deno.test("the rule notices what points the wrong way", () => {
  const judge = (file: string, source: string) =>
    importsOf(file, source).map((target) =>
      allowed(partOf(file) ?? "", target)
    );
  deepEqual(judge("lib/signal/x.ts", 'import { a } from "../client/mod.ts";'), [
    false,
  ]);
  deepEqual(judge("lib/signal/x.ts", 'import type { a } from "idb";'), [false]);
  deepEqual(judge("lib/signal/x.ts", 'import { PbfReader } from "pbf";'), [
    true,
  ]);
  deepEqual(judge("lib/signal/spqr/x.ts", 'import "../keys.ts";'), [true]);
  deepEqual(
    judge(
      "lib/client/a/b.ts",
      'const x = await import("../../../islands/chat.tsx");',
    ),
    [false],
  );
  deepEqual(judge("lib/relay/x.ts", 'export * from "../signal/mod.ts";'), [
    false,
  ]);
  deepEqual(
    judge(
      "lib/web/x.ts",
      'import { clientOutput } from "./build/client_output.ts";',
    ),
    [false],
  );
  deepEqual(
    judge(
      "islands/chat/mod.tsx",
      'import {\n  openBrowserMessenger,\n} from "../../lib/client/browser.ts";',
    ),
    [true],
  );
  deepEqual(
    judge("islands/chat.tsx", 'import { Relay } from "../lib/relay/mod.ts";'),
    [false],
  );
  deepEqual(
    judge("islands/chat.tsx", 'import Page from "../routes/chat.tsx";'),
    [false],
  );
});
