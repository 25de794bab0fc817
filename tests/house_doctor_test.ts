import { deepEqual, equal, match } from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { copyFixture } from "../lib/relay/testing/format_fixture.ts";
import { type Options, parseCommandLine } from "../server/command_line.ts";
import { examine } from "../server/doctor/mod.ts";
import {
  PROGRAM,
  programArguments,
  type RelayProcess,
  runProgram,
  startRelay,
} from "./harness/mod.ts";

/** What `doctor` with these words would look at. */
function optionsOf(args: readonly string[]): Options {
  const command = parseCommandLine(["doctor", ...args], () => undefined);
  if (command.name !== "doctor") throw new Error(command.name);
  return command.options;
}

/** What it says of one check, level first. */
async function says(
  check: string,
  args: readonly string[],
  now?: () => number,
): Promise<string> {
  const found = await examine(optionsOf(args), now);
  return found.filter((finding) => finding.check === check)
    .map(({ level, text }) => `${level} ${text}`).join(" | ");
}

async function withFolder(
  use: (data: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "whisper-doctor-" });
  const data = join(folder, "data");
  await Deno.mkdir(data, { mode: 0o700 });
  try {
    await use(data, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function withRelay(
  use: (relay: RelayProcess) => Promise<void>,
  ...args: string[]
): Promise<void> {
  const relay = await startRelay({ args });
  try {
    await use(relay);
  } finally {
    await relay.stop();
  }
}

/** Another program with a port of its own. */
async function withProgram(
  answer: RequestListener,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    // A server that listens on a port has such an address.
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

/** Where nothing listens. */
function freePort(): string {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  return String(port);
}

Deno.test("of a relay that runs as it should, every line is ok and the exit code 0", () =>
  withRelay(async (relay) => {
    const { code, out, err } = await runProgram(
      [
        ...["doctor", "--data", relay.dataDir, "--port", String(relay.port)],
        ...["--public-url", relay.url, "--stored-bytes", "1MiB"],
      ],
      {},
      relay.dataDir,
    );
    deepEqual([code, err], [0, ""], out);
    const lines = out.trimEnd().split("\n");
    for (const line of lines) match(line, /^ok {7}[a-zA-Z ]+: \S.*\.$/);
    deepEqual(lines.map((line) => line.slice(9).split(":")[0]), [
      "versions",
      "data directory",
      "database",
      "running",
      "disk",
      "clock",
      "open files",
      "certificate",
      "password",
      "tor",
      "port",
      "public URL",
    ]);
    match(out, /^ok +port: this relay listens on \d+\.$/m);
    match(out, /^ok +public URL: this relay answers at http:\S+, WebSocket/m);
    // It left nothing behind.
    const left = await Array.fromAsync(Deno.readDir(relay.dataDir));
    deepEqual(left.filter(({ name }) => name.startsWith("doctor-")), []);
  }));

Deno.test("one failure is exit code 1, a warning alone is not", () =>
  withFolder(async (data, folder) => {
    const port = freePort();
    const args = ["doctor", "--data", data, "--port", port];
    const unreachable = [
      "--public-url",
      `http://localhost:${freePort()}`,
    ];
    const warned = await runProgram([...args, ...unreachable], {}, folder);
    match(warned.out, /^warning +public URL: .*Start the relay/m);
    equal(warned.code, 0, warned.out);
    await Deno.chmod(data, 0o755);
    const failed = await runProgram(args, {}, folder);
    match(failed.out, /^failed +data directory: .*chmod 700 /m);
    equal(failed.code, 1);
  }));

Deno.test("of the data directory it says what is wrong, and what to do", () =>
  withFolder(async (data, folder) => {
    const at = (path: string) => says("data directory", ["--data", path]);
    match(await at(data), /^ok .* is this user's alone/);
    match(await at(join(folder, "new")), /^ok .* does not exist yet/);
    await Deno.writeTextFile(join(folder, "file"), "");
    match(await at(join(folder, "file")), /^failed .* is not a directory/);
    match(await at(join(folder, "file", "x")), /^failed .* can't be looked at/);
    match(await at("/proc/self"), /^failed .* can't be written by this user/);
    await Deno.chmod(data, 0o750);
    match(await at(data), /^failed .* \(mode 750\): chmod 700 /);
  }));

Deno.test({
  name:
    "somebody else's data directory is a failure, though root could write it",
  ignore: Deno.uid() !== 0, // only root can give one away
  fn: () =>
    withFolder(async (data) => {
      await Deno.chown(data, 12_345, 12_345);
      match(
        await says("data directory", ["--data", data]),
        /^failed .* belongs to user 12345, and this is user 0: chown -R 0 /,
      );
    }),
});

Deno.test("of the database it says whether it is private, whole, and of which format", () =>
  withFolder(async (data) => {
    const file = join(data, "relay.sqlite3");
    const said = () => says("database", ["--data", data]);
    match(await said(), /^ok there is none yet/);
    await copyFixture(1, file);
    await Deno.chmod(file, 0o644);
    match(await said(), /^failed .* open to other users: chmod 600 /);
    await Deno.chmod(file, 0o600);
    match(await said(), /^warning it is of format 1; serve brings it to \d+\./);

    const kv = await Deno.openKv(file);
    await kv.set(["format"], Uint8Array.of(0, 0, 0, 99));
    kv.close();
    match(await said(), /^failed it is of format 99, .* install the newer/);

    const bytes = await Deno.readFile(file);
    // The middle of the database: its first page still says that it is one.
    bytes.fill(0xa5, 4_096, 24_576);
    await Deno.writeFile(file, bytes);
    match(await said(), /^failed .* is damaged .*: restore a backup/);
    await Deno.writeTextFile(file, "a diary");
    match(await said(), /^failed .* is damaged .*: restore a backup/);
  }));

Deno.test("it tells whether a relay uses the data", () =>
  withRelay(async ({ dataDir, port }) => {
    const args = ["--data", dataDir, "--port", `${port}`];
    match(await says("running", args), /^ok a relay uses this data now/);
    await withFolder(async (data) =>
      match(
        await says("running", ["--data", data]),
        /^ok no relay uses this data/,
      )
    );
  }));

Deno.test("a disk that is full before the limit is reached is a warning; long before, a failure", () =>
  withFolder(async (data) => {
    const said = (size: number) =>
      says("disk", ["--data", data, "--stored-bytes", String(size)]);
    match(await said(1_000_000), /^ok [\d,]+ MB are free/);
    const [, free] = /^ok ([\d,]+) MB/.exec(await said(1_000_000)) ?? [];
    const bytes = Number(free.replaceAll(",", "")) * 1e6;
    match(await said(bytes * 2), /^warning .* set --stored-bytes to less than/);
    match(await said(bytes * 20), /^failed .* set --stored-bytes to less than/);
  }));

Deno.test("a clock that is before what was written, before this program, or not the public URL's is a failure", () =>
  withFolder(async (data) => {
    const said = (now?: () => number, ...more: string[]) =>
      says("clock", ["--data", data, ...more], now);
    match(await said(), /^ok /);
    match(
      await said(() => Date.UTC(2020, 0, 1)),
      /^failed it says 2020-01-01T.* before this program was made: set it/,
    );
    const file = join(data, "relay.sqlite3");
    await copyFixture(1, file);
    await Deno.utime(file, Date.now() / 1_000, Date.now() / 1_000 + 3_600);
    match(await said(), /^failed .* the database was written later than that/);
    await Deno.utime(file, Date.now() / 1_000, Date.now() / 1_000);
    const dated = (late: number, use: (port: number) => Promise<void>) =>
      withProgram((_request, response) =>
        response.writeHead(200, {
          date: new Date(Date.now() - late).toUTCString(),
        }).end("ok\n"), use);
    await dated(3_600_000, async (port) =>
      match(
        await said(undefined, "--public-url", `http://localhost:${port}`),
        /^failed .* and the public URL's clock .* on both machines/,
      ));
    await dated(0, async (port) =>
      match(
        await said(undefined, "--public-url", `http://localhost:${port}`),
        /^ok .* as at the public URL/,
      ));
  }));

Deno.test("fewer open files than connections is a failure that says how many", () =>
  withFolder(async (data, folder) => {
    const said = async (files: number) => {
      const { stdout } = await new Deno.Command("/bin/sh", {
        args: [
          ...["-c", `ulimit -n ${files}; exec "$0" "$@"`, Deno.execPath()],
          ...[...programArguments(PROGRAM, folder), "doctor"],
          ...["--data", data, "--port", "0", "--connections", "400"],
        ],
      }).output();
      const out = new TextDecoder().decode(stdout);
      return /^.*open files: .*$/m.exec(out)?.[0] ?? out;
    };
    match(
      await said(300),
      /^failed +open files: only 2\d\d files .* --connections allows 400: ulimit -n \d+ /,
    );
    match(await said(600), /^ok +open files: 400 connections fit/);
  }));

Deno.test("a certificate that is unreadable, another key's, another name's, or over is a failure; soon over, a warning", () =>
  withFolder(async (data) => {
    const fixture = (name: string) =>
      new URL(`./fixtures/tls/${name}`, import.meta.url).pathname;
    const said = (
      cert: string,
      key: string,
      url = "https://localhost",
      now?: () => number,
    ) =>
      says("certificate", [
        ...["--data", data, "--tls-cert", fixture(cert)],
        ...["--tls-key", fixture(key), "--public-url", url],
      ], now);
    const [cert, key] = ["localhost.pem", "localhost.key.pem"];
    match(
      await said(cert, key),
      /^ok .* fits its key and is valid for \d+ days/,
    );
    match(
      await said("none.pem", key),
      /^failed The file \S+ of --tls-cert can't/,
    );
    match(
      await said("authority.pem", key),
      /^failed The key in \S+ is not the/,
    );
    match(
      await said(cert, key, "https://whisper.example"),
      /^failed .* is not for whisper\.example but for DNS:localhost/,
    );
    const over = Date.parse("2126-10-30T12:39:11Z");
    const day = 86_400_000;
    match(
      await said(cert, key, undefined, () => over + day),
      /^failed .* expired on .*: renew it/,
    );
    match(
      await said(cert, key, undefined, () => over - 9.5 * day),
      /^warning .* expires in 9 days: renew it/,
    );
    match(
      await said(cert, key, undefined, () => Date.UTC(2020, 0, 1)),
      /^failed .* is valid only from /,
    );
  }));

Deno.test("a password that is short or others can read is a warning, one that can't be read a failure, and none of them is told", () =>
  withFolder(async (data, folder) => {
    const said = (...args: string[]) =>
      says("password", ["--data", data, ...args]);
    match(await said(), /^ok none: whoever reaches the relay may use it/);
    equal(
      await said("--access", "a horse, a battery"),
      "ok the relay is private.",
    );
    const short = await said("--access", "sesame");
    match(short, /^warning it is short: take one of 12 characters or more/);
    equal(short.includes("sesame"), false);
    const file = join(folder, "password");
    match(await said("--access-file", file), /^failed The file \S+ of --acc/);
    await Deno.writeTextFile(file, "a horse, a battery\n", { mode: 0o644 });
    await Deno.chmod(file, 0o644);
    match(
      await said("--access-file", file),
      /^warning others on this machine can read \S+: chmod 600 \S+\.$/,
    );
    await Deno.chmod(file, 0o600);
    equal(await said("--access-file", file), "ok the relay is private.");
  }));

Deno.test("a port of another program, of another relay, or of no address here is a failure that says so", () =>
  withFolder(async (data) => {
    const said = (...args: string[]) => says("port", args);
    const free = freePort();
    match(await said("--data", data, "--port", free), /^ok \d+ is free/);
    await withProgram(
      (_request, response) => response.end("hello"),
      async (port) =>
        match(
          await said("--data", data, "--port", `${port}`),
          /^failed another program listens on /,
        ),
    );
    match(
      await said("--data", data, "--host", "198.51.100.7"),
      /^failed 198\.51\.100\.7 is not an address of this machine/,
    );
    await withRelay(async (relay) => {
      match(
        await said("--data", data, "--port", `${relay.port}`),
        /^failed another relay listens on /,
      );
      match(
        await said("--data", relay.dataDir, "--port", free),
        /^failed the relay that uses this data does not listen on /,
      );
    });
  }));

Deno.test("a certificate by an authority that browsers don't know is what keeps people away, and is said to", () =>
  withFolder(async (dataDir) => {
    for (const name of ["localhost.pem", "localhost.key.pem"]) {
      const file = new URL(`./fixtures/tls/${name}`, import.meta.url);
      await Deno.copyFile(file, join(dataDir, name));
    }
    const tls = [
      ...["--tls-cert", join(dataDir, "localhost.pem")],
      ...["--tls-key", join(dataDir, "localhost.key.pem")],
    ];
    const relay = await startRelay({ dataDir, args: tls });
    try {
      const own = ["--data", dataDir, "--port", `${relay.port}`, ...tls];
      match(
        await says("public URL", [...own, "--public-url", relay.url]),
        /^failed \S+ can't be reached: .*certificate: .*See .* certificate, /,
      );
    } finally {
      await relay.stop();
    }
  }));

Deno.test("a public URL that is not this relay's, or only half of it, is a failure that says which half", () =>
  withRelay(async (relay) => {
    const own = ["--data", relay.dataDir, "--port", String(relay.port)];
    const said = (url: string, args: readonly string[] = own) =>
      says("public URL", [...args, "--public-url", url]);
    match(await said(relay.url), /^ok this relay answers at /);
    match(await says("public URL", own), /^ok none given: this machine alone/);
    match(
      await said(`http://localhost:${freePort()}`),
      /^failed \S+ can't be reached: .*refused.* proxy, firewall/,
    );
    // What a proxy does that knows nothing of WebSockets.
    await withProgram(
      (_request, response) => response.end("ok\n"),
      async (port) =>
        match(
          await said(`http://localhost:${port}`),
          /^failed .* not as a WebSocket at \/relay .* pass Upgrade on/,
        ),
    );
    await withProgram(
      (_request, response) => response.writeHead(503).end("failing\n"),
      async (port) =>
        match(
          await said(`http://localhost:${port}`),
          /^failed the relay at \S+ says that it is failing: see its log/,
        ),
    );
    match(
      await said(`http://127.0.0.1:${relay.port}`),
      /^warning browsers refuse .* \| failed the relay there takes http:\/\/localhost:\d+ for its URL/,
    );
    await withRelay(async (other) => {
      match(await said(other.url), /^failed another relay answers at /);
    });
    await withRelay(
      async (other) =>
        match(
          await said(other.url, ["--data", other.dataDir]),
          /^failed the relay there takes \S+ for somebody else's: start it with --public-url /,
        ),
      "--public-url",
      "https://whisper.example",
    );
  }));

Deno.test("nobody but the public URL is asked anything, wherever it points", () =>
  withFolder(async (data) => {
    let asked = 0;
    await withProgram(
      (_request, response) => {
        asked++;
        response.end();
      },
      (elsewhere) =>
        withProgram((_request, response) =>
          response.writeHead(302, {
            location: `http://localhost:${elsewhere}/`,
          }).end(), async (port) => {
          const url = `http://localhost:${port}`;
          match(
            await says("public URL", ["--data", data, "--public-url", url]),
            /^failed .* not as a WebSocket/,
          );
        }),
    );
    equal(asked, 0);
  }));
