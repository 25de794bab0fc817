import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import { securityHeaders } from "../lib/web/security_headers.ts";
import { startRelay } from "./harness/mod.ts";

/** A certificate for localhost, its key, and the authority that signed it, made for this test alone. */
const FIXTURES = new URL("./fixtures/tls/", import.meta.url);

/** A data directory that also holds the certificate's files, given to `use` and removed. */
async function withFiles(
  use: (dataDir: string, file: (name: string) => string) => Promise<void>,
): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  try {
    for (const name of ["localhost.pem", "localhost.key.pem"]) {
      await Deno.copyFile(new URL(name, FIXTURES), join(dataDir, name));
    }
    await use(dataDir, (name) => join(dataDir, name));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

Deno.test("with a certificate it serves pages and relay over TLS, and tells browsers to insist on it", () =>
  withFiles(async (dataDir, file) => {
    const relay = await startRelay({
      dataDir,
      args: [
        "--tls-cert",
        file("localhost.pem"),
        "--tls-key",
        file("localhost.key.pem"),
      ],
    });
    const client = Deno.createHttpClient({
      caCerts: [await Deno.readTextFile(new URL("authority.pem", FIXTURES))],
    });
    // Deno's option, for fetch and for WebSocket; the DOM's types do not know it.
    const trusting = { client } as RequestInit;
    try {
      match(relay.url, /^https:\/\/localhost:\d+$/);
      const response = await fetch(`${relay.url}/chat`, trusting);
      match(await response.text(), /^<!doctype html>/);
      const strict = Object.entries(securityHeaders({ tls: true }));
      deepEqual(
        strict.map(([name]) => [name, response.headers.get(name)]),
        strict,
      );
      const socket = new WebSocket(
        `${relay.url.replace("https", "wss")}/relay`,
        trusting as unknown as string[],
      );
      socket.binaryType = "arraybuffer";
      const { data } = await new Promise<MessageEvent<ArrayBuffer>>(
        (resolve, reject) => {
          socket.onmessage = resolve;
          socket.onerror = () => reject(new Error("the socket failed"));
        },
      );
      equal(data.byteLength, 512);
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.close();
      await closed;
    } finally {
      client.close();
      await relay.stop();
    }
  }));

Deno.test("a certificate that can't be used gives one line that names the file, and exit code 2", () =>
  withFiles(async (dataDir, file) => {
    const cert = file("localhost.pem");
    const key = file("localhost.key.pem");
    const start = (tlsCert: string, tlsKey: string) =>
      startRelay({
        dataDir,
        args: ["--tls-cert", tlsCert, "--tls-key", tlsKey],
      });
    await rejects(
      start(file("none.pem"), key),
      /with 2: whisper: The file \S+none\.pem of --tls-cert can't be read\.\n$/,
    );
    await rejects(
      start(key, key),
      /with 2: whisper: The file \S+ of --tls-cert is not a certificate in PEM\.\n$/,
    );
    await rejects(
      start(cert, cert),
      /with 2: whisper: The file \S+ of --tls-key is not a private key in PEM\.\n$/,
    );
    await Deno.writeTextFile(
      file("other.key.pem"),
      "-----BEGIN PRIVATE KEY-----\n" +
        (await otherKey()).toBase64() +
        "\n-----END PRIVATE KEY-----\n",
    );
    await rejects(
      start(cert, file("other.key.pem")),
      /with 2: whisper: The key in \S+ is not the one of the certificate/,
    );
  }));

async function otherKey(): Promise<Uint8Array> {
  const pair = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign"],
  );
  return new Uint8Array(
    await crypto.subtle.exportKey("pkcs8", pair.privateKey),
  );
}
