/** Sees to the programs that some tests need beside Deno: they come with the system. */
import { caddyPath } from "../harness/caddy.ts";
import { ipPath } from "../harness/namespaces.ts";
import { torPath } from "../harness/tor/authority.ts";
import { chromiumPath } from "../harness/browser.ts";
import { firefoxPath } from "../harness/firefox.ts";
import { stracePath } from "../../lib/relay/testing/strace.ts";

export interface Program {
  readonly name: string;
  /** The variable that names one that lies elsewhere. */
  readonly variable: string;
  /** What Debian calls it. */
  readonly package: string;
  /** What the package starts, now and whenever the system does. */
  readonly service?: string;
  path(): string;
  /** Whether the test in this file needs it. */
  neededBy(file: string): boolean;
}

export const PROGRAMS: readonly Program[] = [
  {
    name: "Chromium",
    variable: "CHROMIUM",
    package: "chromium",
    path: chromiumPath,
    neededBy: (file) =>
      file.startsWith("tests/browser/") ||
      file.startsWith("tests/tor/browser_"),
  },
  {
    name: "Caddy",
    variable: "CADDY",
    package: "caddy",
    service: "caddy",
    path: caddyPath,
    neededBy: (file) => /(^|_)caddy_test\.ts$/.test(file.replace(/.*\//, "")),
  },
  {
    name: "Firefox",
    variable: "FIREFOX",
    package: "firefox-esr",
    path: firefoxPath,
    neededBy: (file) => /(^|_)firefox_test\.ts$/.test(file.replace(/.*\//, "")),
  },
  {
    name: "Tor",
    variable: "TOR",
    package: "tor",
    service: "tor",
    path: torPath,
    neededBy: (file) => file.startsWith("tests/tor/"),
  },
  {
    name: "iproute2",
    variable: "IPROUTE2",
    package: "iproute2",
    path: ipPath,
    neededBy: (file) => file.startsWith("tests/networks/"),
  },
  {
    name: "strace",
    variable: "STRACE",
    package: "strace",
    path: stracePath,
    neededBy: (file) => /(^|[/_])power_cut_test\.ts$/.test(file),
  },
];

/** What stands between this machine and these tests, and what to do about it. */
export class MissingProgram extends Error {
  override readonly name = "MissingProgram";
}

/** The machine that the tests run on. */
export interface Machine {
  /** Whether this is Debian, or made from it, and everything may be done here. */
  isDebianAsRoot(): Promise<boolean>;
  hasFile(path: string): Promise<boolean>;
  /** Whether systemd runs it. */
  hasSystemd(): Promise<boolean>;
  /** Whether the variable is set. */
  hasVariable(name: string): boolean;
  run(
    command: string,
    args: readonly string[],
  ): Promise<{ code: number; said: string }>;
  announce(line: string): void;
}

/**
 * Makes sure `program` is there: on Debian, as root, it is installed when missing, announced in one line.
 * A service that comes with it is stopped, and does not start with the system.
 * @throws {MissingProgram} when it is missing and can't or may not be installed.
 */
export async function ensureProgram(
  program: Program,
  mayInstall: boolean,
  machine: Machine = THIS_MACHINE,
): Promise<void> {
  const path = program.path();
  if (await machine.hasFile(path)) return;
  const install = ["install", "-y", "--no-install-recommends", program.package];
  const missing =
    `${program.name} is not at ${path}; install it (on Debian: apt-get ${
      install.join(" ")
    }) or set ${program.variable} to its path.`;
  if (
    !mayInstall || machine.hasVariable(program.variable) ||
    !await machine.isDebianAsRoot()
  ) throw new MissingProgram(missing);
  machine.announce(
    `${program.name} is missing; installing it: apt-get ${install.join(" ")}`,
  );
  const run = async (command: string, ...args: string[]) => {
    const { code, said } = await machine.run(command, args);
    if (code === 0) return;
    const end = said.trim().split("\n").slice(-3).join(" ");
    throw new MissingProgram(`${command} ${args.join(" ")} failed: ${end}`);
  };
  await run("apt-get", "-qq", "update");
  await run("apt-get", "-qq", ...install);
  if (program.service && await machine.hasSystemd()) {
    await run("systemctl", "disable", "--now", program.service);
  }
  if (!await machine.hasFile(path)) throw new MissingProgram(missing);
}

const THIS_MACHINE: Machine = {
  isDebianAsRoot: async () =>
    Deno.build.os === "linux" && Deno.uid() === 0 &&
    await exists("/usr/bin/apt-get"),
  hasFile: exists,
  // What sd_booted(3) looks for.
  hasSystemd: () => exists("/run/systemd/system"),
  hasVariable: (name) => Deno.env.has(name),
  run: async (command, args) => {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      env: { DEBIAN_FRONTEND: "noninteractive" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, said: text(stdout) + text(stderr) };
  },
  announce: (line) => console.log(line),
};

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
