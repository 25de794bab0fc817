import { deepEqual, equal } from "node:assert/strict";
import { Hono } from "hono";
import { WebSocket as WsClient, WebSocketServer } from "ws";
import { createHttpServer, holdUpgrades, listen } from "./http_server.ts";

const HEADERS = {
  "content-security-policy": "default-src 'none'",
  "x-content-type-options": "nosniff",
};

/** What a server with this `fetch` answers to GET /. */
async function answer(
  fetchPage: (request: Request) => Response | Promise<Response>,
): Promise<Response> {
  const server = createHttpServer({ fetch: fetchPage, headers: HEADERS });
  try {
    const response = await fetch(
      `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}/`,
    );
    // Read before the server goes away.
    return new Response(await response.text(), response);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const carried = (response: Response) =>
  Object.keys(HEADERS).map((name) => response.headers.get(name));

Deno.test("an application that fails, or throws before it can answer, still carries the headers", async () => {
  const failing = new Hono().get("/", () => {
    throw new Error("inside a route");
  });
  failing.onError((_error, context) => context.text("sorry", 500));
  for (
    const page of [
      failing.fetch,
      () => Promise.reject(new Error("outside of any route")),
    ]
  ) {
    const response = await answer(page);
    equal(response.status, 500);
    deepEqual(carried(response), Object.values(HEADERS));
    equal((await response.text()).includes("route"), false);
  }
});

Deno.test("an application's own headers do not replace the strict ones, they come beside them", async () => {
  const response = await answer(() =>
    new Response("x", {
      headers: { "content-type": "text/plain", "x-own": "1" },
    })
  );
  deepEqual([...carried(response), response.headers.get("x-own")], [
    ...Object.values(HEADERS),
    "1",
  ]);
});

Deno.test("who asks for an upgrade before anybody attached is heard by who attaches then, and by nobody twice", async () => {
  const server = createHttpServer({
    fetch: () => new Response("no page"),
    headers: HEADERS,
  });
  const told: string[] = [];
  const asked = new Promise<void>((resolve) =>
    server.on("upgrade", () => {
      told.push("before");
      resolve();
    })
  );
  const letUpgrades = holdUpgrades(server);
  const port = await listen(server, 0, "127.0.0.1");
  const client = new WsClient(`ws://127.0.0.1:${port}/relay`);
  const opened = new Promise((resolve, reject) => {
    client.on("open", resolve);
    client.on("error", reject);
  });
  try {
    await asked;
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      told.push("after");
      sockets.handleUpgrade(request, socket, head, () => {});
    });
    letUpgrades();
    await opened;
    deepEqual(told, ["before", "after"]);
  } finally {
    client.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
