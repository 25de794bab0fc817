/** The server with a site that has faults of every kind that nothing catches: `faulty_server.ts DATA`. */
import { run } from "../../server/run.ts";

const [data] = Deno.args;

const faults: Readonly<Record<string, () => void>> = {
  "/rejection": () => void Promise.reject(new RangeError("of somebody")),
  "/timer": () => {
    setTimeout(() => {
      throw new TypeError("of somebody");
    });
  },
  "/microtask": () =>
    queueMicrotask(() => {
      throw new SyntaxError("of somebody");
    }),
  "/no-error": () => void Promise.reject("of somebody"),
};

await run(["--data", data, "--port", "0"], () => ({
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    faults[pathname]?.();
    return new Response(pathname);
  },
}));
