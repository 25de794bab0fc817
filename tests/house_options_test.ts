import { deepEqual, equal } from "node:assert/strict";
import { LIMIT_OPTIONS } from "../server/limit_options.ts";
import {
  environmentName,
  SERVE_FLAGS,
  SERVE_OPTIONS,
} from "../server/options.ts";

/** Rows of README's tables whose first cell begins with an option, cell by cell. */
async function rowsOfReadme(): Promise<string[][]> {
  const readme = await Deno.readTextFile("README.md");
  return [...readme.matchAll(/^\| `--.*$/gm)].map(([row]) =>
    row.split("|").slice(1, -1).map((cell) => cell.trim().replace(/\s+/g, " "))
  );
}

Deno.test("README tells every option of serve, its variable, its default, what it does and why", async () => {
  const expected = [
    ...Object.entries(SERVE_OPTIONS).map((
      [name, { value, fallback, what }],
    ) => [
      `\`--${name} ${value}\``,
      `\`${environmentName(name)}\``,
      fallback,
      what,
    ]),
    ...Object.entries(SERVE_FLAGS).map(([name, { fallback, what }]) => [
      `\`--${name}\``,
      `\`${environmentName(name)}\``,
      fallback,
      what,
    ]),
    ...[...LIMIT_OPTIONS].map(([name, { value, fallback, what, why }]) => [
      `\`--${name} ${value}\``,
      fallback,
      what,
      why,
    ]),
  ];
  deepEqual(await rowsOfReadme(), expected);
  equal(expected.length > 25, true);
});
