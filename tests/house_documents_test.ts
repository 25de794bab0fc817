import { deepEqual, equal, match } from "node:assert/strict";
import { stat } from "node:fs/promises";
import { PERMISSIONS } from "../server/permissions.ts";

const read = (path: string) => Deno.readTextFile(path);

/** Tests that `text` names as "`file`: name", wherever its lines break. */
function namedTests(text: string): { file: string; name: string }[] {
  const line = text.replace(/\s+/g, " ");
  // A name ends where the next one begins, with its column, or with the parenthesis it stands in.
  const pairs = line.matchAll(
    /`([^`]+_test\.tsx?)`: (.+?)(?=; `| \||\)[ ,.;]|$)/g,
  );
  return [...pairs].map(([, file, name]) => ({ file, name }));
}

/** Those of `tests` that no file has. */
async function missing(
  tests: readonly { file: string; name: string }[],
): Promise<string[]> {
  const found = await Promise.all(
    tests.map(async ({ file, name }) =>
      (await read(file).catch((error) => `${error}`)).includes(name)
    ),
  );
  return tests.filter((_, i) => !found[i]).map(({ file, name }) =>
    `${file}: ${name}`
  );
}

/** The rows of tables that have a column of proofs, each as it stands. */
function rowsWithProof(text: string): string[] {
  return text.split(/\n{2,}/).filter((block) =>
    /^\|[^\n]*\b(proof|proven by) +\|\n/.test(block)
  ).flatMap((table) => table.trimEnd().split("\n").slice(2));
}

for (
  const [document, least] of [
    ["README.md", 20],
    ["docs/threat-model.md", 10],
  ] as const
) {
  Deno.test(`whatever ${document} says is proven names a test that exists, by its file and name`, async () => {
    const text = await read(document);
    const rows = rowsWithProof(text);
    deepEqual(rows.filter((row) => namedTests(row).length === 0), []);
    equal(rows.length >= least, true, `${rows.length} rows`);
    const tests = namedTests(text);
    deepEqual(await missing(tests), []);
    // Not one is overlooked for how it is written.
    equal(tests.length, [...text.matchAll(/_test\.tsx?\b/g)].length);
  });
}

Deno.test("README, CI and image start the same Deno as is running here", async () => {
  for (const file of ["README.md", ".ci/run", "Dockerfile"]) {
    const versions = [
      ...(await read(file)).matchAll(
        /deno(?:@|:|:distroless-)(\d+\.\d+\.\d+)/g,
      ),
    ].map(([, v]) => v);
    deepEqual([...new Set(versions)], [Deno.version.deno], file);
  }
});

Deno.test("the image runs as nobody, with the program's permissions and no more", async () => {
  const dockerfile = await read("Dockerfile");
  match(dockerfile, /^USER 65532:65532$/m);
  match(dockerfile, /^VOLUME \/data$/m);
  match(dockerfile, /^HEALTHCHECK .*\/healthz/m);
  const [, entry] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  const flags: string[] = JSON.parse(entry).filter((word: string) =>
    /^--(allow|unstable|no-prompt)/.test(word)
  );
  deepEqual(
    flags.map((flag) => flag.replace(/(read|write)=.*/, "$1")).sort(),
    [...PERMISSIONS].sort(),
  );
});

Deno.test("the licence is the whole GNU Affero General Public License, version 3", async () => {
  const licence = await read("LICENSE");
  match(
    licence,
    /^GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3, 19 November 2007/,
  );
  for (let section = 0; section <= 17; section++) {
    match(licence, new RegExp(`^${section}\\. `, "m"));
  }
  match(licence, /END OF TERMS AND CONDITIONS/);
});

Deno.test("the permissions of deno task start are the program's", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  deepEqual(
    tasks.start.command.split(" ").slice(2, -1)
      .filter((flag: string) => flag !== "--quiet").sort(),
    [...PERMISSIONS].sort(),
  );
});

Deno.test({
  name: "systemd finds nothing wrong with the README's unit",
  ignore: !await stat("/usr/bin/systemd-analyze").then(() => true, () => false),
  async fn() {
    const [, unit] = /^```ini\n# \S+\/whisper\.service\n([\s\S]*?)^```$/m
      .exec(await read("README.md")) ?? [];
    // It wants the program where the unit says it is.
    const here = unit.replace("/usr/local/bin/whisper", Deno.execPath());
    equal(await complaints(here), "");
    match(
      await complaints(here.replace("ProtectHome", "ProtectHouse")),
      /whisper\.service:\d+: Unknown key/,
    );
  },
});

/** What systemd says of this unit; what it says of others on this machine does not matter. */
async function complaints(unit: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/whisper.service`;
    await Deno.writeTextFile(file, unit);
    const { stdout, stderr } = await new Deno.Command("systemd-analyze", {
      args: ["verify", "--man=no", file],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return (text(stdout) + text(stderr)).split("\n")
      .filter((line) => line.includes("whisper.service")).join("\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
