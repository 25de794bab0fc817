import { deepEqual, equal, match } from "node:assert/strict";
import { PERMISSIONS } from "../server/permissions.ts";

const read = (path: string) => Deno.readTextFile(path);

Deno.test("every row of the README's table of claims names a test that exists, by its file and name", async () => {
  const readme = await read("README.md");
  const table = readme.slice(readme.indexOf("\n## Claims"));
  const rows = [...table.matchAll(/^\|(.+)\|(.+)\|$/gm)].slice(2);
  const missing: string[] = [];
  for (const [, claim, proof] of rows) {
    const tests = [...proof.matchAll(/`([^`]+_test\.tsx?)`: ([^;|]+)/g)];
    if (tests.length === 0) missing.push(`${claim.trim()}: no test`);
    for (const [, file, name] of tests) {
      const source = await read(file).catch((error) => `${error}`);
      if (!source.includes(name.trim())) {
        missing.push(`${file}: ${name.trim()}`);
      }
    }
  }
  deepEqual(missing, []);
  equal(rows.length > 10, true);
});

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
    tasks.start.command.split(" ").slice(2, -1).sort(),
    [...PERMISSIONS].sort(),
  );
});
