/** Machines of a network on this one: network namespaces that one switch joins, each beside it linked to this process. */
import { join } from "node:path";

/** `ip`, from the variable IPROUTE2 or where Debian has it. */
export function ipPath(): string {
  return Deno.env.get("IPROUTE2") ?? "/usr/sbin/ip";
}

export interface Namespace {
  /** By which the machines of the network know it; in this process it means nothing. */
  readonly host: string;
  /** Where this process reaches it, and by which address it then sees this process. */
  readonly reachedAt: string;
  readonly seenFrom: string;
  /** What a command line begins with to be run there. */
  readonly within: readonly string[];
  /** Pulls its plug out of the switch: what is sent is lost, and nobody is told. */
  unplug(): Promise<unknown>;
  plug(): Promise<unknown>;
  /** From now on nothing goes from it to `other`; what comes from there does arrive. */
  silence(other: Namespace): Promise<unknown>;
  unsilence(other: Namespace): Promise<unknown>;
}

/** Why there can be no namespaces here; undefined when there can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "only Linux has them";
  if (Deno.uid() !== 0) return "only root may make them";
  const name = nameOf("try");
  try {
    await ip("netns", "add", name);
    await ip("-n", name, "link", "add", "switch", "type", "bridge");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await remove(name);
  }
}

/** Gives `use` such a network, of one machine for each host name, and takes it down whatever happens. */
export async function withNamespaces(
  hosts: readonly string[],
  use: (machines: readonly Namespace[]) => Promise<void>,
): Promise<void> {
  await removeLeftOver();
  const theSwitch = nameOf("switch");
  const names = hosts.map((_, i) => nameOf(String(i)));
  try {
    await ip("netns", "add", theSwitch);
    await ip("-n", theSwitch, "link", "add", "switch", "type", "bridge");
    await ip("-n", theSwitch, "link", "set", "switch", "up");
    const machines: Namespace[] = [];
    for (const [i, host] of hosts.entries()) {
      const name = names[i];
      await writeHosts(name, hosts);
      machines.push(await joined(name, theSwitch, host, i));
    }
    await use(machines);
  } finally {
    // What runs in one is not ended by this; its links are.
    for (const name of [...names, theSwitch]) await remove(name);
  }
}

const PREFIX = "whisper-";
const nameOf = (what: string) => `${PREFIX}${Deno.pid}-${what}`;

/** Addresses that are nobody's on the internet (RFC 2544); their third byte is by chance. */
const NETWORK = "198.18";
const chance = crypto.getRandomValues(new Uint8Array(1))[0];

const onSwitch = (i: number) => `10.77.0.${i + 1}`;

async function joined(
  name: string,
  theSwitch: string,
  host: string,
  i: number,
): Promise<Namespace> {
  await ip("netns", "add", name);
  const inside = (...words: string[]) => ip("-n", name, ...words);
  const port = `port${i}`;
  await ip(
    ...["-n", theSwitch, "link", "add", port, "type", "veth"],
    ...["peer", "name", "eth0", "netns", name],
  );
  await ip("-n", theSwitch, "link", "set", port, "up", "master", "switch");
  await inside("addr", "add", `${onSwitch(i)}/24`, "dev", "eth0");
  await inside("link", "set", "eth0", "up");
  await inside("link", "set", "lo", "up");

  // 15 characters at most.
  const link = `w${Deno.pid % 1e7}-${i}`;
  const net = `${NETWORK}.${(chance + i) % 256}`;
  await ip(
    ...["link", "add", link, "type", "veth"],
    ...["peer", "name", "eth1", "netns", name],
  );
  await ip("addr", "add", `${net}.1/24`, "dev", link);
  await ip("link", "set", link, "up");
  await inside("addr", "add", `${net}.2/24`, "dev", "eth1");
  await inside("link", "set", "eth1", "up");

  const addressOf = (other: Namespace) =>
    onSwitch(Number(other.within.at(-1)?.split("-").at(-1)));
  return {
    host,
    reachedAt: `${net}.2`,
    seenFrom: `${net}.1`,
    within: [ipPath(), "netns", "exec", name],
    unplug: () => ip("-n", theSwitch, "link", "set", port, "nomaster"),
    plug: () => ip("-n", theSwitch, "link", "set", port, "master", "switch"),
    silence: (other) => inside("route", "add", "blackhole", addressOf(other)),
    unsilence: (other) => inside("route", "del", "blackhole", addressOf(other)),
  };
}

/** `ip netns exec` puts what lies here over the files of the same names. */
const filesOf = (name: string) => join("/etc/netns", name);

async function writeHosts(
  name: string,
  hosts: readonly string[],
): Promise<void> {
  await Deno.mkdir(filesOf(name), { recursive: true });
  await Deno.writeTextFile(
    join(filesOf(name), "hosts"),
    hosts.map((host, i) => `${onSwitch(i)} ${host}\n`).join(""),
  );
}

async function remove(name: string): Promise<void> {
  await ip("netns", "del", name).catch(() => {}); // it was not made
  await Deno.remove(filesOf(name), { recursive: true }).catch(ignoreMissing);
}

/** Those of a process that was killed before it could. */
async function removeLeftOver(): Promise<void> {
  const running = await Array.fromAsync(Deno.readDir("/proc"));
  const pids = new Set(running.map(({ name }) => name));
  for (const line of (await ip("netns", "list")).split("\n")) {
    const [name] = line.split(" ");
    if (!name.startsWith(PREFIX)) continue;
    if (!pids.has(name.split("-")[1])) await remove(name);
  }
}

/** What it says. */
async function ip(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(ipPath(), {
    args: words,
  }).output();
  if (code === 0) return new TextDecoder().decode(stdout);
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`ip ${words.join(" ")} failed: ${said}`);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
