/** The built program, run to its end. */
import { join } from "node:path";
import { PROGRAM, programArguments } from "./relay_process.ts";

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs it with permission for one directory: `dir`, or an empty one, which is removed. */
export async function runProgram(
  args: readonly string[],
  env: Record<string, string> = {},
  dir?: string,
): Promise<Result> {
  const folder = dir ?? await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...programArguments(PROGRAM, folder), ...args],
      env: { WHISPER_DATA: join(folder, "data"), ...env },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  } finally {
    if (dir === undefined) await Deno.remove(folder, { recursive: true });
  }
}
