/** `deno task compile`: one native executable, which needs Deno's download server once. */
import { PERMISSIONS } from "./permissions.ts";

/** Arguments of `deno compile` for the built program. */
export function compileArguments(output: string): string[] {
  return [
    "compile",
    "--no-config",
    "--no-check",
    ...PERMISSIONS,
    "--output",
    output,
    "dist/server/main.mjs",
  ];
}

if (import.meta.main) {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: compileArguments(Deno.args[0] ?? "dist/whisper"),
  }).spawn().status;
  if (code !== 0) {
    console.error(
      "Where Deno's download server can't be reached, deno task compile:offline makes an executable too.",
    );
  }
  Deno.exit(code);
}
