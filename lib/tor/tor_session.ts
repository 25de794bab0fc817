/** A Tor that takes our commands: one of our own, or one that runs anyhow. */
import { authenticate } from "./authenticate.ts";
import { ControlError } from "./control_error.ts";
import { ControlPort, type HostAndPort } from "./control_port.ts";
import { wordsOf } from "./control_words.ts";
import {
  startTor,
  type TorProgram,
  type TorProgramOptions,
} from "./tor_program.ts";

/** Which Tor. */
export type TorSource =
  | { readonly own: TorProgramOptions }
  | { readonly running: HostAndPort; readonly password?: string };

export interface TorSession {
  readonly control: ControlPort;
  readonly version: string;
  /** Where connections through Tor begin; undefined when this Tor has no such port. */
  readonly socks?: HostAndPort;
  /** Resolves when it is over, with why. */
  readonly ended: Promise<string>;
  /** Ends the connection, and a Tor of our own. */
  close(): Promise<void>;
}

/** The oldest that is used. */
const OLDEST = [0, 4, 8];

/** The first that can be told to defend a service of ours by proof of work. */
export const DEFENDING = [0, 4, 9, 2];

/** Until a Tor that was told to end has ended, ms. */
const END_MS = 500;

/** @throws {ControlError} */
export async function openTor(source: TorSource): Promise<TorSession> {
  if ("running" in source) {
    const control = await ControlPort.connect(source.running);
    return await begin(control, source.password);
  }
  const program = await startTor(source.own);
  try {
    const control = await ControlPort.connect(program.control);
    return await begin(control, undefined, program);
  } catch (error) {
    program.kill();
    throw error;
  }
}

async function begin(
  control: ControlPort,
  password?: string,
  program?: TorProgram,
): Promise<TorSession> {
  try {
    const version = await authenticate(control, password);
    if (isOlder(version)) {
      throw new ControlError(
        `tor ${version} is too old; ${OLDEST.join(".")} or later is needed`,
      );
    }
    // It ends when our connection does, should we be killed.
    if (program) await control.command("TAKEOWNERSHIP");
    return {
      control,
      version,
      socks: await socksOf(control),
      ended: program
        ? program.ended.then((code) => `tor ended with exit code ${code}`)
        : control.ended.then(() => "the control port closed the connection"),
      close: () => close(control, program),
    };
  } catch (error) {
    control.close();
    throw error;
  }
}

async function close(
  control: ControlPort,
  program: TorProgram | undefined,
): Promise<void> {
  // What was ours on it goes with the connection; a Tor of ours as well.
  control.close();
  if (!program) return;
  const late = setTimeout(() => program.kill(), END_MS);
  await program.ended;
  clearTimeout(late);
}

/** Whether a version is before another, the oldest that is used unless told otherwise; one that can't be read is not. */
export function isOlder(
  version: string,
  than: readonly number[] = OLDEST,
): boolean {
  const numbers = version.match(/^\d+(\.\d+)+/)?.[0].split(".").map(Number);
  if (!numbers) return false;
  const at = than.findIndex((least, i) => (numbers[i] ?? 0) !== least);
  return at >= 0 && (numbers[at] ?? 0) < than[at];
}

async function socksOf(control: ControlPort): Promise<HostAndPort | undefined> {
  const [line] = await control.command("GETINFO net/listeners/socks");
  const { plain, values } = wordsOf(line);
  for (const listener of [...values.values(), ...plain]) {
    const [, host, port] = /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(listener) ?? [];
    if (port) return { host, port: Number(port) };
  }
}

/** How far Tor is with connecting to its network, for people to read. */
export async function progressOf(control: ControlPort): Promise<string> {
  const [line] = await control.command("GETINFO status/bootstrap-phase");
  const { values } = wordsOf(line);
  return `${values.get("PROGRESS") ?? "?"} %, ${
    (values.get("SUMMARY") ?? "no word of what it does").toLowerCase()
  }`;
}
