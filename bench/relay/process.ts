/** Processes of a benchmark: what they cost, and how they end. */

/** Ticks of the kernel's clock per second, the same on every Linux machine. */
const TICKS = 100;

/** Seconds of processor time that the process has used, all its threads together. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold anything: what counts comes after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The process of this name that descends from `ancestor`. */
export async function descendant(
  ancestor: number,
  name: string,
): Promise<number | undefined> {
  const parents = new Map<number, number>();
  const named: number[] = [];
  for await (const { name: entry } of Deno.readDir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
      const end = stat.lastIndexOf(")");
      parents.set(pid, Number(stat.slice(end + 2).split(" ")[1]));
      if (stat.slice(stat.indexOf("(") + 1, end) === name) named.push(pid);
    } catch (error) {
      // It has ended while this was read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return named.find((pid) => {
    let at: number | undefined = pid;
    while (at !== undefined && at !== ancestor) at = parents.get(at);
    return at === ancestor;
  });
}

/** A port that nobody listens on now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Resolves when somebody listens on the port. */
export async function listening(port: number): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (tries === 600 || !(error instanceof Deno.errors.ConnectionRefused)) {
        throw error;
      }
      await new Promise((resume) => setTimeout(resume, 50));
    }
  }
}
