import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  ensureProgram,
  type Machine,
  MissingProgram,
  type Program,
  PROGRAMS,
} from "./programs.ts";

const [CHROMIUM, CADDY] = PROGRAMS.map((program) => ({
  ...program,
  path: () => `/usr/bin/${program.package}`,
}));

/** A Debian with nothing on it, as root, without systemd; what it is told to do is noted. */
function debian(differences: Partial<Machine> = {}) {
  const files = new Set<string>();
  const done: string[] = [];
  const machine: Machine = {
    isDebianAsRoot: () => Promise.resolve(true),
    hasFile: (path) => Promise.resolve(files.has(path)),
    hasSystemd: () => Promise.resolve(false),
    hasVariable: () => false,
    run: (command, args) => {
      done.push([command, ...args].join(" "));
      if (args.includes("install")) files.add(`/usr/bin/${args.at(-1)}`);
      return Promise.resolve({ code: 0, said: "" });
    },
    announce: (line) => void done.push(line),
    ...differences,
  };
  return { machine, done, files };
}

/** The one line that says what is missing. */
async function refusal(
  program: Program,
  mayInstall: boolean,
  machine: Machine,
): Promise<string> {
  let line = "";
  await rejects(ensureProgram(program, mayInstall, machine), (error) => {
    equal(error instanceof MissingProgram, true);
    line = String(error);
    return true;
  });
  equal(line.includes("\n"), false);
  return line;
}

Deno.test("on Debian as root what is missing is announced in one line, then installed", async () => {
  const { machine, done } = debian();
  await ensureProgram(CHROMIUM, true, machine);
  deepEqual(done, [
    "Chromium is missing; installing it: apt-get install -y --no-install-recommends chromium",
    "apt-get -qq update",
    "apt-get -qq install -y --no-install-recommends chromium",
  ]);
});

Deno.test("nothing is done about a program that is there", async () => {
  const { machine, done, files } = debian();
  files.add("/usr/bin/caddy");
  await ensureProgram(CADDY, true, machine);
  deepEqual(done, []);
});

Deno.test("a service that came with the installation is stopped for good where systemd runs", async () => {
  const { machine, done } = debian({
    hasSystemd: () => Promise.resolve(true),
  });
  await ensureProgram(CADDY, true, machine);
  deepEqual(done.slice(1), [
    "apt-get -qq update",
    "apt-get -qq install -y --no-install-recommends caddy",
    "systemctl disable --now caddy",
  ]);
});

Deno.test("where it can't or may not be installed, one line says what to install, and nothing is done", async () => {
  const cases: [string, boolean, Partial<Machine>][] = [
    ["refused", false, {}],
    ["elsewhere", true, { isDebianAsRoot: () => Promise.resolve(false) }],
    ["named by a variable", true, { hasVariable: () => true }],
  ];
  for (const program of [CHROMIUM, CADDY]) {
    for (const [name, mayInstall, differences] of cases) {
      const { machine, done } = debian(differences);
      equal(
        await refusal(program, mayInstall, machine),
        `MissingProgram: ${program.name} is not at /usr/bin/${program.package}; install it (on Debian: ` +
          `apt-get install -y --no-install-recommends ${program.package}) or set ${program.variable} to its path.`,
        name,
      );
      deepEqual(done, []);
    }
  }
});

Deno.test("an installation that fails says why, in one line", async () => {
  const { machine } = debian({
    run: (_, args) =>
      Promise.resolve(
        args.includes("install")
          ? { code: 100, said: "Reading\nE: Unable to\nlocate\npackage\n" }
          : { code: 0, said: "" },
      ),
  });
  equal(
    await refusal(CADDY, true, machine),
    "MissingProgram: apt-get -qq install -y --no-install-recommends caddy failed: E: Unable to locate package",
  );
});

Deno.test("an installation that leaves nothing behind is not taken for one", async () => {
  const { machine } = debian({
    run: () => Promise.resolve({ code: 0, said: "" }),
  });
  equal(
    (await refusal(CHROMIUM, true, machine)).startsWith(
      "MissingProgram: Chromium is not at /usr/bin/chromium;",
    ),
    true,
  );
});

Deno.test("a program is needed by the tests that use it, by their place and name", () => {
  const needs = (file: string) =>
    PROGRAMS.filter((program) => program.neededBy(file)).map(({ name }) =>
      name
    );
  deepEqual(needs("tests/browser/house_caddy_test.ts"), ["Chromium", "Caddy"]);
  deepEqual(needs("tests/browser/two_people_test.ts"), ["Chromium"]);
  deepEqual(needs("lib/relay/relay_power_cut_test.ts"), ["strace"]);
  deepEqual(needs("lib/wire/frame_test.ts"), []);
});
