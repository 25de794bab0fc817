/** What another process has in its memory, and whom it is connected with. Linux alone, and root, are let see it. */
import { Buffer } from "node:buffer";

/** Read at a time, and so much of it again with the next: a needle may lie on the border. */
const CHUNK = 4 << 20;
const OVERLAP = 1 << 10;

/** Why the memory of this process can't be looked into here; undefined when it can. */
export async function whyNoMemory(pid: number): Promise<string | undefined> {
  try {
    (await Deno.open(`/proc/${pid}/mem`)).close();
    await Deno.readTextFile(`/proc/${pid}/smaps`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Which of the needles (by name, each of 4 to 1,000 bytes) are somewhere in the memory that the process writes to. */
export async function foundInMemory(
  pid: number,
  needles: ReadonlyMap<string, Uint8Array>,
): Promise<Set<string>> {
  const find = finder(needles);
  using memory = await Deno.open(`/proc/${pid}/mem`);
  const buffer = new Uint8Array(OVERLAP + CHUNK);
  for (const { from, to } of await writtenRegions(pid)) {
    let kept = 0;
    await memory.seek(from, Deno.SeekMode.Start);
    for (let at = from; at < to;) {
      const want = Math.min(CHUNK, to - at);
      const read = await memory.read(buffer.subarray(kept, kept + want))
        // It was given back to the system meanwhile.
        .catch(() => null);
      if (read === null) break;
      at += read;
      const end = kept + read;
      find.in(buffer.subarray(0, end));
      kept = Math.min(OVERLAP, end);
      buffer.copyWithin(0, end - kept, end);
    }
  }
  return find.found;
}

/** Looks for all of them in one go: what a needle does not begin with is passed over, by its first two bytes. */
function finder(needles: ReadonlyMap<string, Uint8Array>) {
  const found = new Set<string>();
  const pair = (bytes: Uint8Array, at: number) =>
    bytes[at] | bytes[at + 1] << 8;
  const begins = new Uint8Array(1 << 16);
  const byPair = new Map<number, [name: string, needle: Uint8Array][]>();
  for (const entry of needles) {
    const begin = pair(entry[1], 0);
    begins[begin] = 1;
    byPair.set(begin, [...byPair.get(begin) ?? [], entry]);
  }
  const isAt = (bytes: Uint8Array, at: number, needle: Uint8Array) => {
    for (let i = 0; i < needle.length; i++) {
      if (bytes[at + i] !== needle[i]) return false;
    }
    return true;
  };
  return {
    found,
    in: (bytes: Uint8Array) => {
      for (let at = 0; at + 1 < bytes.length; at++) {
        if (begins[pair(bytes, at)] === 0) continue;
        for (const [name, needle] of byPair.get(pair(bytes, at)) ?? []) {
          if (isAt(bytes, at, needle)) found.add(name);
        }
      }
    },
  };
}

/** Where it may write, and has: what is only read is the program. */
async function writtenRegions(
  pid: number,
): Promise<{ from: number; to: number }[]> {
  const regions: { from: number; to: number }[] = [];
  let last: { from: number; to: number } | undefined;
  for (
    const line of (await Deno.readTextFile(`/proc/${pid}/smaps`)).split("\n")
  ) {
    const [, from, to, flags] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) /.exec(line) ??
        [];
    if (flags !== undefined) {
      last = flags.startsWith("rw")
        ? { from: parseInt(from, 16), to: parseInt(to, 16) }
        : undefined;
    } else if (last && /^Rss: +[1-9]/.test(line)) regions.push(last);
  }
  return regions;
}

/** The IPv4 addresses at the other ends of the TCP connections of its network. */
export async function connectedWith(pid: number): Promise<Set<string>> {
  return new Set((await tcpRows(pid)).map(({ address }) => address));
}

/** The TCP sockets of the network that the process is in (proc(5)). */
async function tcpRows(pid: number) {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((table) =>
      Deno.readTextFile(`/proc/${pid}/net/${table}`)
    ),
  );
  return tables.flatMap((table) => table.split("\n").slice(1, -1)).map(
    (row) => {
      const [, local, remote, state, , , , , , inode] = row.trim().split(/\s+/);
      const [host, port] = remote.split(":");
      return {
        local: parseInt(local.split(":")[1], 16),
        // Of either kind of address the last four bytes, which come the lowest first.
        address: [...Buffer.from(host.slice(-8), "hex")].reverse().join("."),
        remote: parseInt(port, 16),
        state,
        inode,
      };
    },
  );
}

/** The ports that the process itself has connected to, of connections that stand. */
export async function outgoingPorts(pid: number): Promise<Set<number>> {
  const { outgoing } = await connectionsOf(pid);
  return new Set(outgoing.map(({ remote }) => remote));
}

/** The processes of this machine that have connected to this one, of connections that stand; 0 for one that is elsewhere. */
export async function callersOf(pid: number): Promise<Set<number>> {
  const { incoming, rows } = await connectionsOf(pid);
  const ends = incoming.map(({ local, remote }) =>
    rows.find((row) => row.local === remote && row.remote === local)?.inode
  );
  const processes = (await Array.fromAsync(Deno.readDir("/proc")))
    .map(({ name }) => Number(name)).filter(Boolean);
  const owners = new Map<string, number>();
  for (const process of processes) {
    for (const inode of await socketsOf(process)) owners.set(inode, process);
  }
  return new Set(ends.map((inode) => owners.get(inode ?? "") ?? 0));
}

/** Its TCP connections that stand, and those of all of its network. */
async function connectionsOf(pid: number) {
  const sockets = await socketsOf(pid);
  const rows = await tcpRows(pid);
  const own = rows.filter(({ inode }) => sockets.has(inode));
  const listening = new Set(
    own.filter(({ state }) => state === "0A").map(({ local }) => local),
  );
  const standing = own.filter(({ state }) => state === "01");
  return {
    incoming: standing.filter(({ local }) => listening.has(local)),
    outgoing: standing.filter(({ local }) => !listening.has(local)),
    rows,
  };
}

/** The sockets that a process has open, by their inodes; none of one that has ended. */
async function socketsOf(pid: number): Promise<Set<string>> {
  const sockets = new Set<string>();
  const folder = `/proc/${pid}/fd`;
  const files = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name } of files) {
    const target = await Deno.readLink(`${folder}/${name}`)
      .catch(() => ""); // it was closed meanwhile
    const [, inode] = /^socket:\[(\d+)\]$/.exec(target) ?? [];
    if (inode) sockets.add(inode);
  }
  return sockets;
}
