/** `deno run -A lib/signal/testing/vectors/generate.ts` and `deno fmt` write vectors.json anew. The old ones stay true; there is no need to. */
import { makeVectors } from "./make.ts";

const path = new URL("./vectors.json", import.meta.url);
await Deno.writeTextFile(
  path,
  JSON.stringify(await makeVectors(), undefined, 2) + "\n",
);
