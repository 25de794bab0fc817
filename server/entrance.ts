/** One way in: a server that listens, with the pages, and with the relay once it is open. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { attachRelay, type ReachedBy, type Relay } from "../lib/relay/mod.ts";
import {
  createHttpServer,
  holdUpgrades,
  type HttpServerOptions,
  listen,
  rawResponse,
} from "./http_server.ts";

export type EntranceOptions = HttpServerOptions & {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Runs before it listens; other WebSockets than the relay's are then somebody's. */
  readonly attach?: (server: Server) => Promise<void>;
};

export interface Entrance {
  readonly port: number;
  /** Lets in who asks for the relay. */
  open(relay: Relay, way: {
    readonly reachedBy: ReachedBy;
    /** The origin people come by here. */
    readonly publicUrl: string;
  }): void;
  /** Tells clients, and lets nobody in any more; resolves when all are gone. */
  close(): Promise<void>;
}

const RELAY_PATH = "/relay";

/** Listens. Who asks for the relay waits until it is open. @throws {UsageError} when it can't listen there. */
export async function openEntrance(
  options: EntranceOptions,
): Promise<Entrance> {
  const { headers, attach } = options;
  const server = createHttpServer(options);
  await attach?.(server);
  const letUpgrades = holdUpgrades(server);
  const port = await listen(server, options.port, options.host);
  let detach = () => Promise.resolve();
  return {
    port,
    open: (relay, way) => {
      detach = attachRelay(server, relay, {
        ...way,
        path: RELAY_PATH,
        refuse: (socket, status) => socket.end(rawResponse(status, headers)),
      });
      if (!attach) refuseOtherUpgrades(server, headers);
      letUpgrades();
    },
    close: async () => {
      const closed = new Promise<void>((resolve) =>
        server.close(() => resolve())
      );
      await detach();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Only the relay speaks WebSocket; while developing, hot reload does too. */
function refuseOtherUpgrades(
  server: Server,
  headers: Readonly<Record<string, string>>,
): void {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    if (URL.parse(request.url ?? "", "http://relay")?.pathname === RELAY_PATH) {
      return;
    }
    socket.end(rawResponse(404, headers));
  });
}
