/** Caddy in front of a relay, as the README says. */
import { join } from "node:path";

/** Debian's Caddy, or what CADDY names. */
export function caddyPath(): string {
  return Deno.env.get("CADDY") ?? "/usr/bin/caddy";
}

export interface Caddy {
  /** Certificate (PEM) of the authority that Caddy made for itself. */
  readonly authority: string;
  /** The certificate (PEM) in between, which Caddy sends along with the page's own. */
  readonly intermediate: string;
  /** Ends it, and removes all it kept. */
  stop(): Promise<void>;
}

/**
 * Starts Caddy with `caddyfile`, its authority and everything else in a directory of its own, and waits
 * until it serves at `port` of this machine. It neither asks a certificate authority nor makes the system trust its own.
 */
export async function startCaddy(
  caddyfile: string,
  port: number,
): Promise<Caddy> {
  const folder = await Deno.makeTempDir({ prefix: "whisper-caddy-" });
  const file = join(folder, "Caddyfile");
  await Deno.writeTextFile(file, caddyfile);
  const child = new Deno.Command(caddyPath(), {
    args: ["run", "--config", file, "--adapter", "caddyfile"],
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const serving = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (
      const text of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      log += text;
      // Before it has a certificate it listens, and refuses.
      if (/"msg":"certificate obtained successfully"/.test(log)) {
        serving.resolve();
      }
    }
  })();
  const ended = Promise.all([child.status, reading]).then(() =>
    Deno.remove(folder, { recursive: true })
  );
  ended.then(() => serving.reject(new Error(`Caddy ended: ${log}`)));
  await serving.promise;
  const certificate = (name: string) =>
    Deno.readTextFile(join(folder, `caddy/pki/authorities/local/${name}.crt`));
  const authority = await certificate("root");
  await untilGreeted(port, authority);
  return {
    authority,
    intermediate: await certificate("intermediate"),
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** It says that it has a certificate a moment before it shows it to who connects. */
async function untilGreeted(port: number, authority: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      const connection = await Deno.connectTls({
        hostname: "localhost",
        port,
        caCerts: [authority],
      });
      try {
        return void await connection.handshake();
      } finally {
        connection.close();
      }
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
