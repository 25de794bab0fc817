import { WebSocket } from "ws";
import { decodeFrame, type Hello, MAX_FRAME, parseHello } from "../wire/mod.ts";
import { CLOSE } from "./socket.ts";

/** Why there was no greeting. */
export class NoGreetingError extends Error {
  override readonly name = "NoGreetingError";

  /** `status`: of the answer, when it was HTTP instead of a WebSocket. */
  constructor(message: string, readonly status?: number) {
    super(message);
  }
}

/**
 * Connects as a page of `origin` (none: as a program) to the relay at a ws: or wss: address, and returns
 * what it greets with; its signature holds. Gives up after `patience` ms.
 * @throws {NoGreetingError}
 */
export function askGreeting(
  url: string,
  { origin, patience }: { origin?: string; patience: number },
): Promise<Hello> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      origin,
      handshakeTimeout: patience,
      maxPayload: MAX_FRAME,
      perMessageDeflate: false,
    });
    const timer = setTimeout(
      () => fail("nothing was said for too long"),
      patience,
    );
    const fail = (message: string, status?: number) => {
      clearTimeout(timer);
      socket.terminate();
      reject(new NoGreetingError(message, status));
    };
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      fail(`it answered ${response.statusCode}`, response.statusCode);
    });
    socket.on("error", ({ message }) => fail(message));
    socket.on("close", () => fail("it closed the connection"));
    socket.once("message", (data, isBinary) => {
      clearTimeout(timer);
      const bytes = isBinary && data instanceof Uint8Array
        ? data
        : new Uint8Array();
      parse(bytes).then(resolve, () => fail("it does not speak the protocol"))
        .finally(() => socket.close(CLOSE.goingAway));
    });
  });
}

async function parse(frame: Uint8Array): Promise<Hello> {
  const [first] = decodeFrame(frame);
  if (first?.type !== "HELLO") throw new Error("no HELLO");
  return await parseHello(first.body);
}
