import { deepEqual, equal, match } from "node:assert/strict";
import { connect } from "node:net";
import { securityHeaders } from "../lib/web/security_headers.ts";
import { startRelay } from "./harness/mod.ts";

const STRICT = Object.entries(securityHeaders({ tls: false }));

/** What the server says to bytes that no browser would send, as head lines and status. */
function raw(
  port: number,
  bytes: string,
): Promise<{ status: number; headers: Map<string, string> }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "localhost", () => socket.write(bytes));
    let text = "";
    socket.setEncoding("latin1");
    socket.on("error", reject);
    socket.on(
      "close",
      () => reject(new Error(`closed after ${JSON.stringify(text)}`)),
    );
    socket.on("data", (data: string) => {
      text += data;
      if (!text.includes("\r\n\r\n")) return;
      const [status, ...lines] = text.split("\r\n\r\n")[0].split("\r\n");
      const headers = new Map(lines.map((line) => {
        const colon = line.indexOf(":");
        return [
          line.slice(0, colon).toLowerCase(),
          line.slice(colon + 1).trim(),
        ] as const;
      }));
      resolve({ status: Number(status.split(" ")[1]), headers });
      socket.destroy();
    });
  });
}

const request = (line: string, ...headers: string[]) =>
  [line, "Host: localhost", ...headers, "", ""].join("\r\n");
const upgrade = (path: string, ...headers: string[]) =>
  request(
    `GET ${path} HTTP/1.1`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  );

const RESPONSES: readonly [what: string, bytes: string, status: number][] = [
  ["a page", request("GET / HTTP/1.1"), 200],
  ["the messenger", request("GET /chat HTTP/1.1"), 200],
  ["a page's headers alone", request("HEAD /chat HTTP/1.1"), 200],
  ["a file", request("GET /icon.svg HTTP/1.1"), 200],
  ["the service worker", request("GET /sw.js HTTP/1.1"), 200],
  ["the health check", request("GET /healthz HTTP/1.1"), 200],
  ["a path that does not exist", request("GET /nothing HTTP/1.1"), 404],
  ["the page for such a path, by its name", request("GET /_404 HTTP/1.1"), 404],
  [
    "a path that leaves the site",
    request("GET /../../etc/passwd HTTP/1.1"),
    404,
  ],
  [
    "a wrong method on a page",
    request("POST /chat HTTP/1.1", "Content-Length: 0"),
    405,
  ],
  ["a wrong method on a route", request("DELETE /healthz HTTP/1.1"), 405],
  ["a method nobody knows", request("PROPFIND / HTTP/1.1"), 405],
  ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["a host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
  ["a broken escape", request("GET /%zz HTTP/1.1"), 404],
  ["bytes that are not HTTP", "\x16\x03\x01\r\n\r\n", 400],
  ["a malformed header", request("GET / HTTP/1.1", "no colon here"), 400],
  [
    "headers without end",
    request("GET / HTTP/1.1", `X: ${"x".repeat(100_000)}`),
    431,
  ],
  [
    "an expectation nobody meets",
    request("GET / HTTP/1.1", "Expect: wonders"),
    417,
  ],
  ["a WebSocket anywhere else", upgrade("/"), 404],
  ["the relay without a WebSocket", request("GET /relay HTTP/1.1"), 404],
  [
    "the relay from a foreign page",
    upgrade("/relay", "Origin: https://elsewhere.example"),
    403,
  ],
  [
    "a WebSocket handshake without its key",
    request(
      "GET /relay HTTP/1.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
    ),
    400,
  ],
];

Deno.test("every response carries the strict headers, whatever it answers", async (t) => {
  const relay = await startRelay();
  try {
    for (const [what, bytes, expected] of RESPONSES) {
      await t.step(`${what}: ${expected}`, async () => {
        const { status, headers } = await raw(relay.port, bytes);
        equal(status, expected);
        deepEqual(STRICT.map(([name]) => [name, headers.get(name)]), STRICT);
        equal(headers.has("strict-transport-security"), false);
        equal(headers.has("server"), false);
        equal(headers.has("x-powered-by"), false);
      });
    }
  } finally {
    await relay.stop();
  }
});

Deno.test("strict is: scripts, styles, pictures and connections of this origin alone, text that never becomes code, no referrer, nobody's frame", () => {
  const { "permissions-policy": permissions, ...others } = Object.fromEntries(
    STRICT,
  );
  deepEqual(others, {
    "content-security-policy": [
      "default-src 'none'",
      ...["script", "style", "img", "font", "connect", "manifest", "worker"]
        .map((what) => `${what}-src 'self'`),
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types whisper",
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  // What a browser makes of it is for one to say: tests/browser/house_pages_test.ts.
  match(permissions, /\bgeolocation=\(\)/);
  match(permissions, /\bcamera=\(self\)/);
});

Deno.test("a site that people reach over https tells browsers to insist on it", async () => {
  const relay = await startRelay({
    args: ["--public-url", "https://whisper.example"],
  });
  try {
    const response = await fetch(relay.url);
    await response.body?.cancel();
    equal(
      response.headers.get("strict-transport-security"),
      "max-age=31536000",
    );
  } finally {
    await relay.stop();
  }
});
