/** A process as strace shows it from outside: what it does to files, and what leaves on its sockets. */

/** `strace`, from the variable STRACE or where Debian has it. */
export function stracePath(): string {
  return Deno.env.get("STRACE") ?? "/usr/bin/strace";
}

/** What changes files or makes them last, and what may leave on a socket; "?": where the system has it. */
const CALLS = [
  ...["?open", "openat", "?openat2", "?creat"],
  ...["write", "writev", "pwrite64", "pwritev", "?pwritev2"],
  ...["truncate", "ftruncate", "fallocate", "copy_file_range", "sendfile"],
  ...["?rename", "?renameat", "renameat2", "?link", "linkat"],
  ...["?unlink", "unlinkat", "?mkdir", "mkdirat", "?rmdir"],
  ...["fsync", "fdatasync", "sync", "syncfs"],
  ...["sendto", "sendmsg"],
];

/** The command that has strace write what a program does to the file `trace`, to be put before the program's own. */
export function straced(trace: string): string[] {
  // Texts whole, and in hexadecimal digits: then no text can be taken for anything else.
  const texts = ["-xx", "-s", "10000000", "-y"];
  return [
    ...[stracePath(), "-f", "-qq", "--seccomp-bpf", ...texts],
    ...["-e", `trace=${CALLS.join(",")}`, "-e", "signal=none"],
    ...["-o", trace],
  ];
}

/** Why no process can be watched here; undefined when one can. */
export async function whyNoStrace(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "only Linux has strace";
  try {
    const [command, ...args] = straced("/dev/null");
    const { success, stderr } = await new Deno.Command(command, {
      args: [...args, "true"],
    }).output();
    if (success) return undefined;
    return new TextDecoder().decode(stderr).trim().split("\n")[0];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `${stracePath()} is missing`;
    }
    throw error;
  }
}

/** A system call that succeeded. Most are of no interest: so what it was told is read when it is asked for. */
export class Call {
  /** What its file descriptor is of, or the one that it made: a path, or what is no file. */
  readonly of: string | undefined;
  readonly #told: string;

  constructor(
    readonly name: string,
    told: string,
    readonly result: number,
    resultOf: string,
  ) {
    this.#told = told;
    const of = /<([^>]*)>/.exec(this.opens ? resultOf : told);
    this.of = of === null ? undefined : textOf(bytesOf(of[1]));
  }

  /** Whether it opens a file, or makes it. */
  get opens(): boolean {
    return this.name.startsWith("open") || this.name === "creat";
  }

  /** What is written, one after another. */
  get written(): Uint8Array[] {
    return [...this.#told.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)]
      .map(([, text]) => bytesOf(text));
  }

  /** Paths that it is told, one after another. */
  get paths(): string[] {
    return this.written.map(textOf);
  }

  /** Numbers, one after another. */
  get numbers(): number[] {
    return [...this.#plain.matchAll(/(?<!\w)-?\d+/g)].map(Number);
  }

  /** Whether it is told a word such as `O_CREAT`. */
  has(word: string): boolean {
    return this.#plain.split(/\W/).includes(word);
  }

  get #plain(): string {
    return this.#told.replaceAll(/"[^"]*"|<[^>]*>/g, "");
  }
}

/** In the order in which they happened. */
export type Moment = { readonly at: "begin" | "end"; readonly call: Call };

const LINE = /^\d+ +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))$/;
const UNFINISHED = / <unfinished \.\.\.>$/;
const ENDED = /^(.*)\) += (-?\d+)(.*)$/;

/** The begin and end of each call that succeeded. What began and never ended is left out. */
export function momentsOf(trace: string): Moment[] {
  const moments: (Moment | undefined)[] = [];
  /** By process: what has begun, and its place among the moments. */
  const begun = new Map<string, { text: string; place: number }>();
  for (const line of trace.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, name = match[3], first, , rest] = match;
    const process = line.slice(0, line.indexOf(" "));
    const before = begun.get(process);
    const text = rest === undefined ? first : (before?.text ?? "") + rest;
    const place = rest === undefined || before === undefined
      ? moments.push(undefined) - 1
      : before.place;
    if (UNFINISHED.test(text)) {
      begun.set(process, { text: text.replace(UNFINISHED, ""), place });
      continue;
    }
    begun.delete(process);
    const ended = ENDED.exec(text);
    if (ended === null || Number(ended[2]) < 0) continue;
    const call = new Call(name, ended[1], Number(ended[2]), ended[3]);
    moments[place] = { at: "begin", call };
    moments.push({ at: "end", call });
  }
  return moments.filter((moment) => moment !== undefined);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll("\\x", ""));
}
