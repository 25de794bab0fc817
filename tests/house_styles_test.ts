/** What style sheets must not do, because each message would pay for it. */
import { deepEqual } from "node:assert/strict";

async function* styleSheets(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const at = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* styleSheets(at);
    else if (name.endsWith(".css")) yield at;
  }
}

Deno.test("no style asks what an element holds: with :has() each message costs more the longer the conversation", async () => {
  const asking: string[] = [];
  for (const folder of ["../islands/", "../routes/"]) {
    for await (const sheet of styleSheets(new URL(folder, import.meta.url))) {
      const text = await Deno.readTextFile(sheet);
      if (text.includes(":has(")) asking.push(sheet.pathname);
    }
  }
  deepEqual(asking, []);
});
