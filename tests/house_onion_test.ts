import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import { join } from "node:path";
import { decodeQR } from "qr/decode.js";
import { askGreeting, NoGreetingError } from "../lib/relay/mod.ts";
import { playPort } from "../lib/tor/testing/played_port.ts";
import { playTor } from "./harness/tor/played_tor.ts";
import {
  type RelayProcess,
  runProgram,
  startRelay,
  strangeLines,
} from "./harness/mod.ts";
import { openOnionKey } from "../server/tor/onion_directory.ts";

async function withData(use: (data: string) => Promise<void>): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "whisper-data-" });
  try {
    await use(data);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

/** `whisper onion` with these words, about a data directory. */
async function onion(data: string, ...args: string[]) {
  const { code, out, err } = await runProgram(
    ["onion", "--data", data, ...args],
    {},
    data,
  );
  return { code, lines: out.trimEnd().split("\n"), err };
}

/** The address that the service of this data directory has, or will have. */
async function addressOf(data: string): Promise<string> {
  return (await openOnionKey(data)).address;
}

const health = async (relay: RelayProcess) =>
  await (await fetch(`${relay.url}/healthz`)).text();

/** The header that a page carries, at this port. */
async function onionLocation(port: number, path: string) {
  const response = await fetch(`http://localhost:${port}${path}`);
  await response.body?.cancel();
  return response.headers.get("onion-location");
}

/** What a telephone's camera reads on the terminal: each character is two points, one above the other. */
function readCode(output: string): string {
  const rows = output.split("\n").filter((line) => /^[█▀▄ ]{30,}$/.test(line))
    .flatMap((line) =>
      ["█▀", "█▄"].map((light) => [...line].map((each) => light.includes(each)))
    );
  const scale = 4;
  const [width, height] = [rows[0].length * scale, rows.length * scale];
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light = rows[Math.floor(y / scale)][Math.floor(x / scale)];
      data.fill(light ? 255 : 0, 4 * (y * width + x), 4 * (y * width + x) + 3);
    }
  }
  return decodeQR({ width, height, data });
}

const URL_IN_LOG = /can be reached by everybody: (http:\/\/\S+\.onion)\n/;

Deno.test("an onion service is told of when it can be reached, with an entrance of its own whose pages and relay are the onion's", () =>
  withData(async (data) => {
    const tor = playTor();
    tor.knows(await addressOf(data));
    const relay = await startRelay({
      dataDir: data,
      args: ["--tor", "--tor-control", tor.control],
      // Another name for the clear.
      env: { WHISPER_PUBLIC_URL: "http://localhost:1" },
    });
    try {
      const [, url] = await relay.prints(URL_IN_LOG);
      // The code ends in a line of lower halves.
      await relay.prints(/\n▀{30,}\n/);
      equal(readCode(relay.output()), url);
      equal(url, `http://${await addressOf(data)}`);
      equal(await health(relay), "ok\ntor: up\n");
      deepEqual(strangeLines(relay.output()), []);

      equal(await onionLocation(relay.port, "/chat?x=1"), `${url}/chat?x=1`);
      equal(await onionLocation(relay.port, "/nothing"), `${url}/nothing`);
      equal(await onionLocation(relay.port, "/icon.svg"), null);
      const [behind] = tor.ports;
      equal(await onionLocation(behind, "/chat"), null);

      const ask = (port: number, origin: string) =>
        askGreeting(`ws://localhost:${port}/relay`, {
          origin,
          patience: 5_000,
        });
      equal((await ask(behind, url)).url, url);
      equal(
        (await ask(relay.port, "http://localhost:1")).url,
        "http://localhost:1",
      );
      for (
        const foreign of ["http://localhost:1", `http://localhost:${behind}`]
      ) {
        await rejects(
          ask(behind, foreign),
          (error) => error instanceof NoGreetingError && error.status === 403,
        );
      }
    } finally {
      await relay.stop();
      tor.close();
    }
    const [added] = tor.heard.filter((line) => line.startsWith("ADD_ONION"));
    match(
      added,
      / PoWDefensesEnabled=1 PoWQueueRate=250 PoWQueueBurst=2500$/,
    );
    equal(/Detach|NonAnonymous|V3Auth/.test(added), false);
  }));

Deno.test("by a Tor that knows no proof of work the onion is published without, and that is said", () =>
  withData(async (data) => {
    const tor = playTor({ version: "0.4.8.21" });
    tor.knows(await addressOf(data));
    const relay = await startRelay({
      dataDir: data,
      args: ["--tor", "--tor-control", tor.control],
    });
    try {
      await relay.prints(URL_IN_LOG);
      match(
        relay.output(),
        /^tor: 0\.4\.8\.21 can't be told to defend the onion service by proof of work, 0\.4\.9\.2 can; it is published without$/m,
      );
      equal(await health(relay), "ok\ntor: up\n");
      deepEqual(strangeLines(relay.output()), []);
    } finally {
      await relay.stop();
      tor.close();
    }
  }));

Deno.test("a service over https tells its pages' visitors to insist on it, its onion does not", () =>
  withData(async (data) => {
    const tor = playTor();
    tor.knows(await addressOf(data));
    const relay = await startRelay({
      dataDir: data,
      args: [
        ...["--tor", "--tor-control", tor.control],
        ...["--public-url", "https://whisper.example"],
      ],
    });
    try {
      await relay.prints(URL_IN_LOG);
      const insists = async (port: number) => {
        const response = await fetch(`http://localhost:${port}/`);
        await response.body?.cancel();
        return response.headers.has("strict-transport-security");
      };
      deepEqual([await insists(relay.port), await insists(tor.ports[0])], [
        true,
        false,
      ]);
    } finally {
      await relay.stop();
      tor.close();
    }
  }));

Deno.test("a Tor that goes away takes nothing with it: the relay says so, and publishes again when it is back", () =>
  withData(async (data) => {
    const tor = playTor();
    tor.knows(await addressOf(data));
    const relay = await startRelay({
      dataDir: data,
      args: ["--tor", "--tor-control", tor.control],
    });
    try {
      const [, url] = await relay.prints(URL_IN_LOG);
      tor.close();
      await relay.prints(
        /^tor: the control port closed the connection; .*again$/m,
      );
      equal(await health(relay), "ok\ntor: failing\n");
      equal(await onionLocation(relay.port, "/"), null);
      // Known by no other name, it goes on being the onion's relay.
      const hello = await askGreeting(
        `${relay.url.replace("http", "ws")}/relay`,
        {
          patience: 5_000,
        },
      );
      equal(hello.url, url);
      const again = playTor({ port: tor.at.port });
      again.knows(await addressOf(data));
      await relay.prints(/^tor: the onion service can be reached again$/m);
      equal(await health(relay), "ok\ntor: up\n");
      equal(await onionLocation(relay.port, "/"), `${url}/`);
      equal(again.ports[0], tor.ports[0]);
      again.close();
      deepEqual(strangeLines(relay.output()), []);
    } finally {
      await relay.stop();
    }
  }));

Deno.test("whatever is wrong with Tor, the relay goes on: one clear line, and the health says so", async (t) => {
  const old = playTor({ version: "0.4.7.16" });
  const password = playPort((line) =>
    line.startsWith("PROTOCOLINFO")
      ? '250-AUTH METHODS=HASHEDPASSWORD\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK'
      : "515 Authentication failed"
  );
  const refusing = playPort((line) =>
    /^(ADD_ONION|SETEVENTS)/.test(line)
      ? "512 Invalid 'PoWDefensesEnabled' argument"
      : '250-AUTH METHODS=NULL\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK'
  );
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(
    join(folder, "tor"),
    "#!/bin/sh\necho 'Nov 26 08:00:00.000 [warn] Failed to bind one of the listener ports.'\n" +
      "echo 'Nov 26 08:00:00.000 [err] Reading config failed--see warnings above.'\nexit 1\n",
    { mode: 0o755 },
  );
  const at = ({ at }: { at: { host: string; port: number } }) =>
    `${at.host}:${at.port}`;
  const cases: [
    what: string,
    args: string[],
    env: Record<string, string>,
    line: RegExp,
  ][] = [
    [
      "missing",
      [],
      { PATH: "/nowhere" },
      /tor is not installed \(on Debian: apt-get install tor\)/,
    ],
    [
      "ending at once",
      [],
      { PATH: folder },
      /tor does not start: Failed to bind one of the listener ports\.;/,
    ],
    [
      "refusing",
      ["--tor-control", "127.0.0.1:1"],
      {},
      /the control port refuses connections;/,
    ],
    [
      "too old",
      ["--tor-control", at(old)],
      {},
      /tor 0\.4\.7\.16 is too old; 0\.4\.8 or later is needed;/,
    ],
    [
      "locked",
      ["--tor-control", at(password)],
      {},
      /wants a password: see --tor-password-file;/,
    ],
    [
      "without the feature",
      ["--tor-control", at(refusing)],
      {},
      /was refused: 512 Invalid 'PoWDefensesEnabled' argument;/,
    ],
  ];
  try {
    for (const [what, args, env, line] of cases) {
      await t.step(what, async () => {
        const relay = await startRelay({ args: ["--tor", ...args], env });
        try {
          const [said] = await relay.prints(/^tor: .*\n/m);
          match(said, line);
          equal(await health(relay), "ok\ntor: failing\n");
          equal(await onionLocation(relay.port, "/"), null);
          deepEqual(strangeLines(relay.output()), []);
        } finally {
          await relay.stop();
        }
      });
    }
  } finally {
    for (const port of [old, password, refusing]) port.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("who asks for the address of what never was an onion service is told so, and no key is made", () =>
  withData(async (data) => {
    for (const args of [[], ["--everybody"], ["--revoke", "anna"]]) {
      const { code, err } = await onion(data, ...args);
      equal(code, 2);
      match(err, /was an onion service yet: start it with --tor, or close it/);
    }
    deepEqual(await Array.fromAsync(Deno.readDir(data)), []);
  }));

Deno.test("the service's key is made once, for this user alone; one that others can read is not used", () =>
  withData(async (data) => {
    await onion(data, "--authorise", "anna");
    const { lines: [address] } = await onion(data);
    await onion(data, "--authorise", "bo");
    equal((await onion(data)).lines[0], address);
    const file = join(data, "onion", "key");
    equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    await Deno.chmod(file, 0o640);
    match((await onion(data)).err, /is open to other users: chmod 600 /);
    await Deno.writeTextFile(file, "nothing");
    await Deno.chmod(file, 0o600);
    match((await onion(data)).err, /is no key of an onion service/);
  }));

Deno.test("a closed circle: keys are handed out and taken back by name, and the last one taken back opens it to nobody", () =>
  withData(async (data) => {
    await addressOf(data);
    deepEqual((await onion(data)).lines.slice(1), ["Everybody is let in."]);
    const anna = await onion(data, "--authorise", "anna");
    match(anna.lines[1], /^[a-z2-7]{52}$/);
    const file = join(data, "onion", "clients", "anna.auth");
    match(await Deno.readTextFile(file), /^descriptor:x25519:[a-z2-7]{52}\n$/);
    equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    const everything = await Array.fromAsync(
      files(data),
      (path) => Deno.readTextFile(path),
    );
    equal(everything.join("").includes(anna.lines[1]), false, "kept nowhere");
    const bo = await onion(data, "--authorise", "bo");
    notEqual(bo.lines[1], anna.lines[1]);
    match((await onion(data)).lines[1], /^Let in, with a key: anna, bo\.$/);
    const twice = await onion(data, "--authorise", "bo");
    deepEqual([twice.code, twice.err], [
      2,
      "whisper: bo has a key already; --revoke bo first.\n",
    ]);
    match((await onion(data, "--revoke", "cleo")).err, /Nobody has a key/);
    match((await onion(data, "--authorise", "../x")).err, /must be up to 32/);
    match(
      (await onion(data, "--authorise", "x", "--revoke", "y")).err,
      /are both given/,
    );
    await onion(data, "--revoke", "anna");
    deepEqual(
      (await onion(data, "--revoke", "bo")).lines[0],
      "Nobody is let in.",
    );

    const tor = playTor();
    tor.knows(await addressOf(data));
    const relay = await startRelay({
      dataDir: data,
      args: ["--tor", "--tor-control", tor.control],
    });
    await relay.prints(/can be reached by nobody: /);
    equal(await onionLocation(relay.port, "/"), null, "nobody is told of it");
    await relay.stop();
    tor.close();
    const [added] = tor.heard.filter((line) => line.startsWith("ADD_ONION"));
    match(added, / Flags=V3Auth .* ClientAuthV3=[a-z2-7]{52} /);

    deepEqual(
      (await onion(data, "--everybody")).lines[0],
      "Everybody is let in.",
    );
  }));

Deno.test("the doctor says of Tor and the onion service what is well, what is not, and what to do", () =>
  withData(async (data) => {
    const examine = async (path: string, ...args: string[]) => {
      const { out } = await runProgram(
        ["doctor", "--data", data, "--tor", ...args],
        { PATH: path },
        data,
      );
      return out.split("\n").filter((line) =>
        /^\w+ +(tor|onion service):/.test(line)
      ).join("\n");
    };
    const tor = playTor();
    const folder = join(data, "bin");
    await Deno.mkdir(folder);
    const install = (version: string) =>
      Deno.writeTextFile(
        join(folder, "tor"),
        `#!/bin/sh\necho 'Tor version ${version}.'\n`,
        { mode: 0o755 },
      );
    match(await examine("/nowhere"), /^failed +tor: it is not installed/);
    await install("0.4.7.16");
    match(await examine(folder), /^failed +tor: 0\.4\.7\.16 is too old/);
    await install("0.4.8.9");
    match(
      await examine(folder),
      /^warning +tor: 0\.4\.8\.9 is installed, but can't defend .*: install 0\.4\.9\.2 or later\.$/m,
    );
    await install("0.4.9.11");
    match(
      await examine(folder),
      /^ok +tor: 0\.4\.9\.11 is installed\.\nok +onion service: it has no key yet/,
    );
    match(
      await examine("", "--tor-control", "127.0.0.1:1"),
      /^failed +tor: the control port refuses connections\./,
    );
    const address = await addressOf(data);
    tor.knows(address);
    const control = ["--tor-control", tor.control];
    match(
      await examine("", ...control),
      /^ok +tor: 0\.4\.9\.11 lets the relay in\.\nok .*, everybody is let in; no relay runs that publishes it\.$/,
    );
    const relay = await startRelay({
      dataDir: data,
      args: ["--tor", ...control],
    });
    await relay.prints(URL_IN_LOG);
    const at = ["--port", String(relay.port)];
    match(
      await examine("", ...control, ...at),
      new RegExp(
        `http://${address}, everybody is let in; the relay says that it can be reached\\.$`,
      ),
    );
    tor.close();
    await relay.prints(/^tor: /m);
    match(
      await examine("", ...control, ...at),
      /^warning +onion service: .* is failing: see its log\.$/m,
    );
    await relay.stop();
    const without = await startRelay({ dataDir: data });
    match(
      await examine("", ...control, "--port", String(without.port)),
      /^failed +onion service: .* started without it: add --tor\.$/m,
    );
    await without.stop();
    await Deno.chmod(join(data, "onion", "key"), 0o644);
    match(await examine(""), /^failed +onion service: .* chmod 600 /m);
  }));

async function* files(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* files(path);
    else yield path;
  }
}
