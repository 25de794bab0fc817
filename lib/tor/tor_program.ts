/** The system's `tor` as a process of ours, with a data directory of its own, which ends when we do. */
import { join } from "node:path";
import { ControlError } from "./control_error.ts";
import type { HostAndPort } from "./control_port.ts";

export interface TorProgram {
  /** Where its control port is. */
  readonly control: HostAndPort;
  /** Resolves when it is over, with its exit code. */
  readonly ended: Promise<number>;
  /** Ends it at once. */
  kill(): void;
}

export interface TorProgramOptions {
  /** Its data directory; made when missing, for this user alone. */
  readonly directory: string;
  /** More lines for its configuration: bridges, and what a place needs. */
  readonly config?: string;
}

/** Until its control port is there, ms; it takes a twentieth of a second. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 20;

/** Where Tor writes the address of its control port. */
const PORT_FILE = "control-port";

/**
 * Starts it, and returns when its control port is there.
 * @throws {ControlError} when it is not installed, or ends at once; says why.
 */
export async function startTor(
  { directory, config = "" }: TorProgramOptions,
): Promise<TorProgram> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(directory, name);
  const portFile = at(PORT_FILE);
  await Deno.remove(portFile).catch(ignoreMissing);
  await Deno.writeTextFile(at("torrc"), configuration(directory, config), {
    mode: 0o600,
  });
  await Deno.writeTextFile(at("no-defaults"), "");
  const child = spawn([
    ...["--hush", "-f", at("torrc")],
    ...["--defaults-torrc", at("no-defaults")],
  ]);
  const complaints = complaintsOf(child.stdout);
  const program = (control: HostAndPort): TorProgram => ({
    control,
    ended: child.status.then(({ code }) => code),
    kill: () => kill(child),
  });
  let over = false;
  child.status.then(() => over = true);
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    if (over) throw new ControlError(`tor does not start: ${await complaints}`);
    const control = await readControlPort(directory);
    if (control) return program(control);
    await new Promise((resume) => setTimeout(resume, LOOK_MS));
  }
  kill(child);
  throw new ControlError("tor does not open its control port");
}

function configuration(directory: string, config: string): string {
  return [
    `DataDirectory ${quotedPath(directory)}`,
    "ControlPort auto",
    `ControlPortWriteToFile ${quotedPath(join(directory, PORT_FILE))}`,
    "CookieAuthentication 1",
    "SocksPort auto",
    // If we end before we have taken ownership over the control port.
    `__OwningControllerProcess ${Deno.pid}`,
    "ShutdownWaitLength 0",
    "Log warn stdout",
    config,
    "",
  ].join("\n");
}

/** As Tor's configuration reads it back. */
function quotedPath(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&")}"`;
}

function spawn(args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command("tor", {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new ControlError(
        "tor is not installed (on Debian: apt-get install tor)",
      );
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new ControlError(
        "tor has come to a place where this process may not run it: start the relay again",
      );
    }
    throw error;
  }
}

/** Reads all it says, to the end; what it complained about last. */
async function complaintsOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  let last = "it says nothing";
  let line = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (line + text).split("\n");
    line = lines.pop()!;
    for (const whole of lines) {
      const [, level, said] = /\[(warn|err)\] (.*)$/.exec(whole) ?? [];
      // The last line of level err says to look above.
      if (said && !(level === "err" && /see (warnings|above)/i.test(said))) {
        last = said;
      }
    }
  }
  return last;
}

/** The control port of the Tor whose data directory this is; undefined when there is none. */
export async function readControlPort(
  directory: string,
): Promise<HostAndPort | undefined> {
  const file = join(directory, PORT_FILE);
  const text = await Deno.readTextFile(file).catch((error) => {
    ignoreMissing(error);
    return "";
  });
  const [, port] = /^PORT=127\.0\.0\.1:(\d+)$/m.exec(text) ?? [];
  return port === undefined
    ? undefined
    : { host: "127.0.0.1", port: Number(port) };
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
