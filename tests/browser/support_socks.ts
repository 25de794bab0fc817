/** The server's side of SOCKS 5 (RFC 1928), as far as a browser needs it: connections to this machine by name. */

const VERSION = 5;
const CONNECT = 1;
const BY_NAME = 3;
const REPLY = { done: 0, notAllowed: 2, refused: 5 } as const;

/**
 * Hears whom the browser at `client` wants, and connects there. Gives undefined, and tells the browser,
 * when nobody listens, or when it is not this machine.
 */
export async function connectAsAsked(
  client: Deno.TcpConn,
): Promise<Deno.TcpConn | undefined> {
  const [, methods] = await readExactly(client, 2);
  await readExactly(client, methods);
  // No user, no password.
  await client.write(new Uint8Array([VERSION, 0]));
  const [version, command, , kind] = await readExactly(client, 4);
  if (version !== VERSION || command !== CONNECT || kind !== BY_NAME) {
    throw new Error(`SOCKS ${version}: ${command} by ${kind}`);
  }
  const [length] = await readExactly(client, 1);
  const name = new TextDecoder().decode(await readExactly(client, length));
  const [high, low] = await readExactly(client, 2);
  if (name !== "localhost") return await reply(client, REPLY.notAllowed);
  try {
    const port = high << 8 | low;
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    await reply(client, REPLY.done);
    return server;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) {
      return await reply(client, REPLY.refused);
    }
    throw error;
  }
}

async function reply(client: Deno.TcpConn, code: number): Promise<undefined> {
  // From 0.0.0.0:0, which no browser looks at.
  await client.write(new Uint8Array([VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]));
}

async function readExactly(
  from: Deno.TcpConn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await from.read(bytes.subarray(at));
    if (count === null) throw new Deno.errors.ConnectionReset("gone");
    at += count;
  }
  return bytes;
}
