/** The socket that listens: node:http or node:https, the strict headers on everything that leaves it. */
import type { Buffer } from "node:buffer";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Certificate } from "./certificate.ts";
import { UsageError } from "./usage_error.ts";

export interface HttpServerOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: Certificate;
  /** Sees a request first, and hands it on with `next`; for the development server. */
  readonly before?: (
    request: IncomingMessage,
    response: ServerResponse,
    next: () => void,
  ) => void;
}

/** A server that answers with `fetch`, not yet listening. Upgrades are for whoever attaches to it. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { fetch, headers, tls, before } = options;
  const answer = getRequestListener(fetch, { overrideGlobalObjects: false });
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(headers)) {
      response.setHeader(name, value);
    }
    if (before) before(request, response, () => void answer(request, response));
    else void answer(request, response);
  };
  // A missing Host header is answered 400 by the listener, with the headers on it.
  const server = tls
    ? createTlsServer({ ...tls, requireHostHeader: false }, listener)
    : createServer({ requireHostHeader: false }, listener);
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  server.on(
    "checkExpectation",
    (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(417, { ...headers, "content-length": 0 }).end();
    },
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else socket.end(rawResponse(STATUS[error.code ?? ""] ?? 400, headers));
  });
  return server;
}

/** What node's parser refuses a request for, other than being malformed. */
const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** A whole response for a socket that is not, or no longer, handled as HTTP. Closes the connection. */
export function rawResponse(
  status: number,
  headers: Readonly<Record<string, string>>,
): string {
  const text = `${STATUS_CODES[status]}\n`;
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "content-type: text/plain; charset=utf-8",
    "cache-control: no-store",
    "connection: close",
    `content-length: ${text.length}`,
    "",
    text,
  ].join("\r\n");
}

/**
 * Keeps who asks for an upgrade waiting until the function it gives is called, and then tells whoever
 * attached in between: while nobody is attached, node answers an upgrade as if it were none.
 */
export function holdUpgrades(server: Server): () => void {
  const waiting: [IncomingMessage, Duplex, Buffer<ArrayBuffer>][] = [];
  const hold = (...upgrade: (typeof waiting)[number]) => {
    const [, socket] = upgrade;
    // Nobody else listens for it yet, and unheard it would end the process.
    socket.on("error", () => socket.destroy());
    waiting.push(upgrade);
  };
  const before = new Set([...server.listeners("upgrade"), hold]);
  server.on("upgrade", hold);
  return () => {
    server.off("upgrade", hold);
    const attached = server.listeners("upgrade")
      .filter((listener) => !before.has(listener));
    for (const upgrade of waiting) {
      for (const listener of attached) listener.apply(server, upgrade);
    }
  };
}

/**
 * Starts listening and gives the port; `option` is the one that chose it.
 * @throws {UsageError} when the port is taken, or the host is not one of this machine's.
 */
export function listen(
  server: Server,
  port: number,
  host: string,
  option = "--port",
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once(
      "error",
      (error: NodeJS.ErrnoException) =>
        reject(listenError(error, port, host, option)),
    );
    server.listen(port, host, () => {
      const address = server.address();
      // A TCP server's address is an object; a string would be a pipe.
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

/** Whether `listen` could. @throws {UsageError} as `listen` */
export async function ensureCanListen(
  port: number,
  host: string,
): Promise<void> {
  const server = createServer();
  await listen(server, port, host);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

function listenError(
  error: NodeJS.ErrnoException,
  port: number,
  host: string,
  option: string,
): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new UsageError(
        `Port ${port} is taken; choose another with ${option}.`,
      );
    case "EACCES":
    case "EPERM":
      return new UsageError(
        `This user may not listen on port ${port}; choose one above 1023 with ${option}.`,
      );
    case "EADDRNOTAVAIL":
    // Deno's word for an address of another machine.
    case "EINVAL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new UsageError(
        `${host} is not an address of this machine; choose another with --host.`,
      );
    default:
      return error;
  }
}
