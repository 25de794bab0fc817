/**
 * `deno task compile:offline`: one executable file out of the runtime that runs this and the built
 * program, for machines that can't download what `deno compile` needs. Started the first time it unpacks
 * both into the user's cache; from then on it starts them from there.
 */
import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PERMISSIONS } from "./permissions.ts";

/** The shell script in front; what follows its last line is the archive. */
function unpacker(id: string): string {
  const lines = [
    "#!/bin/sh",
    "# Whisper: the Deno runtime and the program, packed in one file.",
    "set -eu",
    `cache="\${XDG_CACHE_HOME:-\${HOME:-/tmp}/.cache}/whisper"`,
    `dir="$cache/${id}"`,
    `if [ ! -x "$dir/deno" ]; then`,
    `  mkdir -p "$cache"`,
    `  new=$(mktemp -d "$cache/unpacking.XXXXXX")`,
    `  trap 'rm -rf "$new"' EXIT`,
    `  tail -n +@FIRST@ "$0" | tar -xzf - -C "$new"`,
    `  [ -d "$dir" ] || mv "$new" "$dir"`,
    "fi",
    `exec "$dir/deno" run --quiet --no-config --no-lock --no-npm --no-remote --cached-only \\`,
    `  ${PERMISSIONS.join(" ")} "$dir/main.mjs" "$@"`,
    "",
  ];
  return lines.join("\n").replace("@FIRST@", String(lines.length));
}

/** Writes the executable of `program` (the built bundle) to `output`. Needs `tar`. */
export async function makeSingleFile(
  program: string,
  output: string,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "whisper-single-"));
  try {
    await copyFile(Deno.execPath(), join(folder, "deno"));
    await chmod(join(folder, "deno"), 0o755);
    await copyFile(program, join(folder, "main.mjs"));
    const archive = join(folder, "archive");
    const { success, stderr } = await new Deno.Command("tar", {
      args: ["-C", folder, "-czf", archive, "deno", "main.mjs"],
    }).output();
    if (!success) throw new Error(`tar: ${new TextDecoder().decode(stderr)}`);
    const packed = await readFile(archive);
    const id = createHash("sha256").update(packed).digest("hex").slice(0, 16);
    await mkdir(dirname(output), { recursive: true });
    await writeFile(
      output,
      Buffer.concat([Buffer.from(unpacker(id)), packed]),
      { mode: 0o755 },
    );
    await chmod(output, 0o755);
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const output = Deno.args[0] ?? "dist/whisper-offline";
  await makeSingleFile("dist/server/main.mjs", output);
  console.log(
    `${output}: ${((await Deno.stat(output)).size / 1e6).toFixed(0)} MB`,
  );
}
