/** Faults of the program itself, which nobody foresaw: they are told, and outlived. */

/** Calls that are told of a fault. */
const MOST_CALLS = 5;

/**
 * From now on a fault that nothing caught ends what met it, and not the server: everybody else's
 * connections go on. Nothing depends on what was broken off, since a message is only called taken when
 * it is on disk. `log` is told what kind of error it was and where, never its message: that could name
 * what it was about.
 */
export function outliveFaults(log: (line: string) => void): void {
  const tell = (event: Event, fault: unknown) => {
    event.preventDefault();
    log(`whisper: a fault of the program, which goes on: ${described(fault)}`);
  };
  addEventListener("unhandledrejection", (event) => tell(event, event.reason));
  addEventListener("error", (event) => tell(event, event.error));
}

function described(fault: unknown): string {
  if (!(fault instanceof Error)) return typeof fault;
  const calls = (fault.stack ?? "").split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MOST_CALLS)
    .map((line) => line.trim());
  return [fault.name, ...calls].join(" ");
}
