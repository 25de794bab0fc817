/** What a power failure may take of what a process left, by what strace saw of it. */
import { dirname } from "node:path";
import { momentsOf } from "../../lib/relay/testing/strace.ts";

/**
 * What the process left below `root`, which was empty, without making it last: names in a folder that was not synced
 * since they were made, and files that were not synced since they were written, also when they were renamed before.
 */
export function unsynced(trace: string, root: string): string[] {
  const there = new Set<string>();
  /** Names, and files with what is in them, that a power failure may take. */
  const names = new Set<string>();
  const files = new Set<string>();
  const tooLate: string[] = [];
  const isBelow = (path: string | undefined): path is string =>
    path !== undefined && path.startsWith(`${root}/`);
  const make = (path: string) => {
    if (!isBelow(path) || there.has(path)) return;
    there.add(path);
    names.add(path);
  };
  const forget = (path: string) => {
    for (const set of [there, names, files]) {
      for (const one of [...set]) {
        if (one === path || one.startsWith(`${path}/`)) set.delete(one);
      }
    }
  };
  const rename = (from: string, to: string) => {
    if (files.has(from)) tooLate.push(from);
    forget(to);
    for (const one of [...there]) {
      if (one !== from && !one.startsWith(`${from}/`)) continue;
      const moved = to + one.slice(from.length);
      for (const set of [there, names, files]) {
        if (set.delete(one)) set.add(moved);
      }
    }
    if (isBelow(to)) names.add(to);
  };
  for (const { at, call } of momentsOf(trace)) {
    if (at === "begin") continue;
    const { name, of, paths } = call;
    if (call.opens && call.has("O_CREAT") && of !== undefined) make(of);
    else if (name.startsWith("mkdir")) make(paths[0]);
    else if (name.startsWith("unlink") || name === "rmdir") forget(paths[0]);
    else if (name.startsWith("rename")) rename(paths[0], paths[1]);
    else if (name.startsWith("write") || name.startsWith("pwrite")) {
      if (isBelow(of)) files.add(of);
    } else if (name === "fsync" || name === "fdatasync") {
      files.delete(of ?? "");
      for (const made of [...names]) {
        if (dirname(made) === of) names.delete(made);
      }
    }
  }
  return [...names, ...files, ...tooLate].sort();
}
