/** Our own code for a page in which no messenger runs. */
import { build } from "vite";
import type { Person } from "../tests/harness/mod.ts";

const bundles = new Map<string, Promise<string>>();

/**
 * Calls `call` in the person's page, as in `filling.fill(3)`, where `filling` is what the module
 * `entry` of this folder exports. The page is another one of the same origin, and stays there.
 */
export async function callIn(
  { page, context }: Person,
  url: string,
  { entry, name, call }: { entry: string; name: string; call: string },
): Promise<void> {
  await page.goto(`${url}/healthz`);
  let code = bundles.get(entry);
  if (!code) bundles.set(entry, code = bundle(entry, name));
  const session = await context.newCDPSession(page);
  const { exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: `${await code}; ${call}`,
    awaitPromise: true,
  });
  if (exceptionDetails) {
    throw new Error(
      exceptionDetails.exception?.description ?? exceptionDetails.text,
    );
  }
  await session.detach();
}

/** As a script, because the policy of the page lets no module of ours in. */
async function bundle(entry: string, name: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    root: new URL(".", import.meta.url).pathname,
    build: {
      write: false,
      target: "esnext",
      lib: { entry, formats: ["iife"], name, fileName: name },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!("output" in output)) {
    throw new Error("vite watched instead of building");
  }
  return output.output[0].code;
}
