import { equal, throws } from "node:assert/strict";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { barrelExports, importDirectly } from "./icons.ts";

const barrel = fileURLToPath(import.meta.resolve("lucide-preact"));
const exports = barrelExports(await Deno.readTextFile(barrel), dirname(barrel));
const icon = (name: string) => `"${dirname(barrel)}/icons/${name}.mjs"`;

Deno.test("each icon is imported from its own module, under the name it had, and no line moves", () => {
  equal(
    importDirectly(
      `import { X, CircleAlert as Wrong } from "lucide-preact";\nX;`,
      exports,
    ),
    `import { default as X } from ${icon("x")}; ` +
      `import { default as Wrong } from ${icon("circle-alert")};\nX;`,
  );
  equal(
    importDirectly(
      `import {\n  Check,\n} from "lucide-preact";\nCheck;`,
      exports,
    ),
    `import { default as Check } from ${icon("check")};\n\n\nCheck;`,
  );
});

Deno.test("what names no icon stays as it is", () => {
  for (
    const source of [
      `import type { LucideIcon } from "lucide-preact";`,
      `import { X } from "elsewhere";`,
    ]
  ) equal(importDirectly(source, exports), source);
});

Deno.test("an icon that does not exist ends the build", () => {
  throws(
    () => importDirectly(`import { Xx } from "lucide-preact";`, exports),
    /lucide-preact has no icon Xx/,
  );
});

Deno.test("the modules that the package's barrel names are there", async () => {
  equal(exports.size > 1000, true);
  for (const { module } of [...exports.values()].slice(0, 50)) {
    equal((await stat(module)).isFile(), true, module);
  }
});
