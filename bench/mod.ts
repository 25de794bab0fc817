/**
 * `deno task bench [name…]`: every benchmark of this folder, one after another, each in its own process.
 * A file that is a program of its own (`import.meta.main`) is run; one that declares `Deno.bench` is
 * handed to `deno bench`; anything else is part of those.
 */

async function command(path: string): Promise<string | undefined> {
  const source = await Deno.readTextFile(path);
  if (/^Deno\.bench\(/m.test(source)) return "bench";
  return /\bimport\.meta\.main\b/.test(source) ? "run" : undefined;
}

const folder = new URL("./", import.meta.url).pathname;
const names = (await Array.fromAsync(Deno.readDir(folder)))
  .map((entry) => entry.name)
  .filter((name) => name.endsWith(".ts") && name !== "mod.ts")
  .filter((name) =>
    Deno.args.length === 0 || Deno.args.includes(name.slice(0, -3))
  )
  .sort();

let failed = false;
let measured = 0;
for (const name of names) {
  const verb = await command(folder + name);
  if (!verb) continue;
  measured++;
  console.log(`\n── ${name.slice(0, -3)} ──`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [verb, "--allow-all", "--no-check", folder + name],
  }).spawn().status;
  failed ||= !success;
}
if (measured === 0) {
  console.error(`There is no benchmark named ${Deno.args.join(" or ")}.`);
}
Deno.exit(failed || measured === 0 ? 1 : 0);
