import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  ok,
  randomBytes,
  refused as refusal,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import {
  PROGRAM,
  programArguments,
  type Result,
  runProgram as run,
  startRelay,
} from "./harness/mod.ts";
import { VERSION } from "../server/version.ts";

/** The program refused with exit code 2 and exactly this line, and said nothing else. */
function refused({ code, out, err }: Result, line: RegExp): void {
  deepEqual([code, out, err.split("\n").length], [2, "", 2], err);
  match(err, line);
}

Deno.test("--help tells how to use it and starts nothing", async () => {
  const { code, out, err } = await run(["--help"]);
  deepEqual([code, err], [0, ""]);
  match(out, /^Whisper: .*\n\nUsage: /);
  const backup = await run(["backup", "--help"]);
  deepEqual([backup.code, backup.err], [0, ""]);
  match(backup.out, /^whisper backup: .*\n\nUsage: whisper backup --to FILE/);
});

Deno.test("--version says which it is and starts nothing", async () => {
  const { code, out, err } = await run(["--version"]);
  deepEqual([code, out, err], [0, `whisper ${VERSION}\n`, ""]);
});

Deno.test("a value that makes no sense gives one line and exit code 2", async () => {
  refused(
    await run(["--port", "many"]),
    /^whisper: --port is "many"; it must be a number from 0 to 65535\.\n$/,
  );
  refused(
    await run([], { WHISPER_PORT: "many" }),
    /^whisper: WHISPER_PORT is "many"/,
  );
  refused(
    await run(["--message-lifetime", "22d"]),
    /^whisper: --message-lifetime is "22d": messages wait at most 21 days\.\n$/,
  );
  refused(
    await run(["--host", "198.51.100.7"]),
    /^whisper: 198\.51\.100\.7 is not an address of this machine/,
  );
  refused(
    await run(["--host", "no-such-host.invalid"]),
    /^whisper: no-such-host\.invalid is not an address/,
  );
});

Deno.test("a taken port gives one line and exit code 2, and nothing is made", async () => {
  const relay = await startRelay();
  const folder = await Deno.makeTempDir();
  try {
    await run(["--port", String(relay.port)], {}, folder);
    deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    refused(
      await run(["--port", String(relay.port)]),
      new RegExp(
        `^whisper: Port ${relay.port} is taken; choose another with --port\\.\\n$`,
      ),
    );
  } finally {
    await relay.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a misspelt setting is told of, and the relay starts", async () => {
  const relay = await startRelay({ env: { WHISPER_PROT: "1" } });
  await relay.stop();
  match(
    relay.output(),
    /^whisper: WHISPER_PROT is no setting, and is ignored\.$/m,
  );
});

Deno.test("a data directory in use, or that can't be used, gives one line and exit code 2", async () => {
  const relay = await startRelay();
  try {
    await rejects(
      startRelay({ dataDir: relay.dataDir }),
      /ended with 2: whisper: Another Whisper is using/,
    );
  } finally {
    await relay.stop();
  }
  refused(
    await run(["--data", "/proc/nowhere", "--port", "0"]),
    /^whisper: The data directory .* can't be used/,
  );
});

Deno.test("a database that is none gives one line, exit code 2, and is left alone", async () => {
  const dataDir = await Deno.makeTempDir();
  const database = join(dataDir, "relay.sqlite3");
  try {
    await Deno.writeTextFile(database, "somebody's diary".repeat(1000));
    await rejects(
      startRelay({ dataDir }),
      /ended with 2: whisper: The database .* can't be opened: [^\n]*\n$/,
    );
    match(await Deno.readTextFile(database), /^somebody's diary/);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a limit given as an option holds, and the client is told of it", async () => {
  const relay = await startRelay({
    args: ["--messages-per-queue", "2", "--message-lifetime", "36h"],
  });
  try {
    const client = await RelayClient.overWebSocket(
      `${relay.url.replace("http", "ws")}/relay`,
    );
    const { messagesPerQueue, messageLifetime } = client.hello.limits;
    deepEqual([messagesPerQueue, messageLifetime], [2, 129_600]);
    const outbox = await client.bind(await client.createQueue(), "send");
    ok(await client.send(outbox, randomBytes(16)));
    ok(await client.send(outbox, randomBytes(16)));
    refusal(await client.send(outbox, randomBytes(16)), "full");
    await client.close();
  } finally {
    await relay.stop();
  }
});

Deno.test("the environment sets what the command line leaves open", async () => {
  const dataDir = await Deno.makeTempDir();
  const child = new Deno.Command(Deno.execPath(), {
    args: programArguments(PROGRAM, dataDir),
    env: {
      WHISPER_DATA: dataDir,
      WHISPER_PORT: "0",
      WHISPER_PUBLIC_URL: "https://whisper.example",
    },
    stdout: "piped",
  }).spawn();
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    let said = "";
    while (!said.includes("stops it")) {
      said += (await reader.read()).value ?? "";
    }
    match(said, /^Whisper is listening at http:\/\/localhost:\d+\n/);
    match(said, new RegExp(`^Its data is in ${dataDir}$`, "m"));
    match(
      said,
      /^People reach it at https:\/\/whisper\.example: pass that on\.$/m,
    );
    child.kill("SIGINT");
    equal((await child.status).code, 0);
    await reader.cancel();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("SIGTERM stops it in order: exit code 0, the port and the data free again", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    const first = await startRelay({ dataDir });
    const socket = new WebSocket(first.url.replace("http", "ws") + "/relay");
    const closed = new Promise<number>((resolve) => {
      socket.onclose = ({ code }) => resolve(code);
    });
    await new Promise((resolve) => {
      socket.onmessage = resolve;
    });
    await first.stop();
    equal(await closed, 1001);
    const second = await startRelay({ dataDir, port: first.port });
    await second.stop();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
