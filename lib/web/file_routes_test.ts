import { deepEqual, equal } from "node:assert/strict";
import { byPrecision, fileRoutes, pathOf } from "./file_routes.ts";

Deno.test("a file's place is its path", () => {
  equal(pathOf("/routes/index.tsx"), "/");
  equal(pathOf("/routes/chat.tsx"), "/chat");
  equal(pathOf("/routes/u/index.ts"), "/u");
  equal(pathOf("/routes/u/[name].ts"), "/u/:name");
  equal(pathOf("/routes/files/[...rest].ts"), "/files/*");
});

Deno.test("the closest path answers: fixed before parameters before wildcards", () => {
  deepEqual(["/*", "/u/:name", "/u/me"].sort(byPrecision), [
    "/u/me",
    "/u/:name",
    "/*",
  ]);
});

Deno.test("each method has its handler, and another one is answered 405 with those there are", async () => {
  const app = fileRoutes({
    "/routes/[...rest].ts": { handler: { GET: (c) => c.text("rest") } },
    "/routes/u/[name].ts": {
      handler: {
        GET: (c) => c.text(`hello ${c.req.param("name")}`),
        PUT: (c) => c.text("stored"),
      },
    },
  });
  const ask = async (path: string, method = "GET") => {
    const response = await app.request(path, { method });
    return [
      response.status,
      await response.text(),
      response.headers.get("allow"),
    ];
  };
  deepEqual(await ask("/u/ann"), [200, "hello ann", null]);
  deepEqual(await ask("/u/ann", "PUT"), [200, "stored", null]);
  deepEqual(await ask("/u/ann", "POST"), [
    405,
    "Method not allowed\n",
    "GET, PUT, HEAD",
  ]);
  deepEqual(await ask("/elsewhere"), [200, "rest", null]);
});

Deno.test("a middleware wraps everything in its folder, outer folders first", async () => {
  const seen: string[] = [];
  const note =
    (name: string) => async (_context: unknown, next: () => Promise<void>) => {
      seen.push(name);
      await next();
    };
  const app = fileRoutes(
    {
      "/routes/a/b.ts": { handler: { GET: (c) => c.text("b") } },
      "/routes/c.ts": { handler: { GET: (c) => c.text("c") } },
    },
    {
      "/routes/a/_middleware.ts": { handler: [note("a1"), note("a2")] },
      "/routes/_middleware.ts": { handler: note("all") },
    },
  );
  await app.request("/a/b");
  await app.request("/c");
  deepEqual(seen, ["all", "a1", "a2", "all"]);
});
