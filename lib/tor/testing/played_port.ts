/** Something that listens where a control port should be, and says what a test tells it to. */
import type { HostAndPort } from "../control_port.ts";

export interface PlayedPort {
  readonly at: HostAndPort;
  /** The lines that were said to it. */
  readonly heard: readonly string[];
  /** Says something unasked, to all that are connected. */
  say(line: string): Promise<void>;
  close(): void;
}

/**
 * `answer` gives what is said to a line, without its end; undefined says nothing, null ends the connection.
 * `port`: a free one when 0.
 */
export function playPort(
  answer: (line: string) => string | undefined | null,
  port = 0,
): PlayedPort {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const heard: string[] = [];
  const connections: Deno.TcpConn[] = [];
  const serve = async (connection: Deno.TcpConn) => {
    let rest = "";
    for await (
      const text of connection.readable.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\r\n");
      rest = lines.pop()!;
      for (const line of lines) {
        heard.push(line);
        const said = answer(line);
        if (said === null) return connection.close();
        if (said !== undefined) {
          await connection.write(new TextEncoder().encode(`${said}\r\n`));
        }
      }
    }
  };
  (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      // Ended from either side, its reading fails: that is all the same here.
      serve(connection).catch(() => {});
    }
  })();
  return {
    at: { host: "127.0.0.1", port: listener.addr.port },
    heard,
    say: async (line) => {
      const bytes = new TextEncoder().encode(`${line}\r\n`);
      for (const connection of connections) await connection.write(bytes);
    },
    close: () => {
      listener.close();
      for (const connection of connections) {
        try {
          connection.close();
        } catch (error) {
          if (!(error instanceof Deno.errors.BadResource)) throw error;
        }
      }
    },
  };
}
