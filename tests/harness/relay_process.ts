/** The built program as its own process, as a host runs it. */
import { PATIENCE } from "./browser.ts";

/** The built server; `deno task test` builds it first. */
export const PROGRAM =
  new URL("../../dist/server/main.mjs", import.meta.url).pathname;

/** Exactly the permissions the program needs, given a directory for its data. */
export function programArguments(
  program: string,
  dataDir: string,
  { mayRead = [], mayRun = [] }: RelayOptions = {},
): string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--no-npm",
    "--no-remote",
    "--cached-only",
    "--unstable-kv",
    "--allow-net",
    "--allow-env",
    "--allow-sys=umask,statfs",
    `--allow-read=${[program, dataDir, ...mayRead].join(",")}`,
    `--allow-write=${dataDir}`,
    `--allow-run=${["tor", ...mayRun].join(",")}`,
    program,
  ];
}

export interface RelayOptions {
  /** Kept when given; otherwise a fresh one that `stop` removes. */
  readonly dataDir?: string;
  /** A free one when not given. */
  readonly port?: number;
  /** More of the command line. */
  readonly args?: readonly string[];
  /** More that it may read than its data. */
  readonly mayRead?: readonly string[];
  /** Where else a tor may be that it may run. */
  readonly mayRun?: readonly string[];
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What its command line begins with: a program that becomes this one, elsewhere. */
  readonly within?: readonly string[];
}

export interface RelayProcess {
  /** `http://localhost:PORT` */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  /** Everything it printed so far. */
  output(): string;
  /** Waits until it has printed something like this, and gives the match; fails when it ends first, or does not. */
  prints(text: RegExp): Promise<RegExpExecArray>;
  /** Asks it to stop, waits, and removes a data directory that was its own. Fails on a bad exit code. */
  stop(): Promise<void>;
  /** Ends it without warning; the data stays. */
  kill9(): Promise<void>;
  /** After `kill9`: the same port and data again. */
  restart(): Promise<RelayProcess>;
}

/** Starts the built program and waits until it listens. */
export async function startRelay(
  options: RelayOptions = {},
): Promise<RelayProcess> {
  const own = options.dataDir === undefined;
  const dataDir = options.dataDir ??
    await Deno.makeTempDir({ prefix: "whisper-data-" });
  const [command, ...before] = [...options.within ?? [], Deno.execPath()];
  const child = new Deno.Command(command, {
    args: [
      ...before,
      ...programArguments(PROGRAM, dataDir, options),
      "--data",
      dataDir,
      "--port",
      String(options.port ?? 0),
      ...options.args ?? [],
    ],
    env: { ...options.env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = { text: "", grown: Promise.withResolvers<void>() };
  const prints = async (text: RegExp) => {
    for (;;) {
      const { grown } = output;
      const match = text.exec(output.text);
      if (match) return match;
      const late = setTimeout(
        () => grown.reject(new Error(`Not printed: ${text} in ${output.text}`)),
        PATIENCE,
      );
      await grown.promise.finally(() => clearTimeout(late));
    }
  };
  const started = Promise.withResolvers<string>();
  const readers = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output.text += text;
      output.grown.resolve();
      output.grown = Promise.withResolvers();
      const [, url] = /listening at (https?:\/\/\S+)\n/.exec(output.text) ?? [];
      if (url) started.resolve(url);
    }
  });
  let gone = false;
  child.status.then(() => gone = true);
  const ended = Promise.all([child.status, ...readers]).then(([status]) =>
    status
  );
  ended.then((status) => {
    const reason = new Error(
      `The server ended with ${status.code}: ${output.text}`,
    );
    started.reject(reason);
    output.grown.reject(reason);
    // Nobody may be waiting for it to print something.
    output.grown.promise.catch(() => {});
  });
  const url = await started.promise;
  const port = Number(new URL(url).port);
  return {
    url,
    port,
    dataDir,
    pid: child.pid,
    output: () => output.text,
    prints,
    stop: async () => {
      const byItself = gone;
      if (!byItself) child.kill("SIGTERM");
      const status = await ended;
      if (own) await Deno.remove(dataDir, { recursive: true });
      if (byItself) {
        throw new Error(
          `The server had ended by itself, with ${status.code} (${status.signal}): ${output.text}`,
        );
      }
      if (status.code !== 0) {
        throw new Error(
          `The server stopped with ${status.code}: ${output.text}`,
        );
      }
      if (output.text.includes("a fault of the program")) {
        throw new Error(`The server had a fault: ${output.text}`);
      }
    },
    kill9: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    restart: async () => {
      const next = await startRelay({ ...options, dataDir, port });
      return own
        ? { ...next, stop: () => next.stop().then(() => removeAll(dataDir)) }
        : next;
    },
  };
}

function removeAll(dir: string): Promise<void> {
  return Deno.remove(dir, { recursive: true });
}
