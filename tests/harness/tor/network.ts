/** A whole Tor network on this machine's loopback address: four authorities, which are its relays too. */
import { dirname, join } from "node:path";
import { type Authority, authorityLine, torPath } from "./authority.ts";

export interface TorNetwork {
  /** A file with the lines that make any tor a part of this network: what `--tor-config` takes. */
  readonly configFile: string;
  stop(): Promise<void>;
}

/** With three there would be no third hop. */
const AUTHORITIES = 4;
const PATIENCE_MS = 60_000;
const LOOK_MS = 200;

/** Where the network is that the tests of a run share. */
const SHARED = "TEST_TOR_NETWORK";

/** The network of this run, or one just for the caller, up and with a consensus. `stop` ends the latter. */
export async function torNetwork(): Promise<TorNetwork> {
  const configFile = Deno.env.get(SHARED);
  return configFile
    ? { configFile, stop: () => Promise.resolve() }
    : await startTorNetwork();
}

/** Starts one to share, and gives what tells tests of it: their environment. */
export async function startSharedTorNetwork(): Promise<
  { readonly env: Record<string, string>; stop(): Promise<void> }
> {
  const { configFile, stop } = await startTorNetwork();
  // The relay starts whatever tor is found first.
  const path = `${dirname(torPath())}:${Deno.env.get("PATH") ?? ""}`;
  return { env: { [SHARED]: configFile, PATH: path }, stop };
}

async function startTorNetwork(): Promise<TorNetwork> {
  const folder = await Deno.makeTempDir({ prefix: "whisper-tor-" });
  const children: Deno.ChildProcess[] = [];
  const stop = async () => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.status));
    await Deno.remove(folder, { recursive: true });
  };
  try {
    const ports = freePorts(AUTHORITIES * 2);
    const authorities = Array.from(
      { length: AUTHORITIES },
      (_, i): Authority => ({
        name: `auth${i}`,
        directory: join(folder, `auth${i}`),
        orPort: ports[2 * i],
        dirPort: ports[2 * i + 1],
      }),
    );
    const lines = await Promise.all(authorities.map(authorityLine));
    const shared = [
      "TestingTorNetwork 1",
      ...lines,
      "PathsNeededToBuildCircuits 0.67",
      "TestingDirAuthVoteExit *",
      "TestingDirAuthVoteHSDir *",
      "TestingDirAuthVoteGuard *",
      "TestingMinExitFlagThreshold 0",
      "V3AuthNIntervalsValid 2",
      // Tests look at what a Tor has in its memory, whoever runs them.
      "DisableDebuggerAttachment 0",
      "",
    ].join("\n");
    for (const authority of authorities) {
      children.push(await startAuthority(authority, shared));
    }
    await consensus(authorities);
    const configFile = join(folder, "config");
    await Deno.writeTextFile(configFile, shared);
    return { configFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAuthority(
  { name, directory, orPort, dirPort }: Authority,
  shared: string,
): Promise<Deno.ChildProcess> {
  const at = (file: string) => join(directory, file);
  await Deno.writeTextFile(at("empty"), "");
  await Deno.writeTextFile(
    at("torrc"),
    [
      shared,
      `DataDirectory ${directory}`,
      `Nickname ${name}`,
      `ContactInfo ${name}@test.invalid`,
      "Address 127.0.0.1",
      `ORPort 127.0.0.1:${orPort}`,
      `DirPort 127.0.0.1:${dirPort}`,
      "SocksPort 0",
      "AssumeReachable 1",
      // Out to relays on this machine: clients believe in exits to everywhere only.
      "ExitRelay 1",
      "ExitPolicyRejectPrivate 0",
      "ExitPolicy accept *:1024-65535, reject *:*",
      "AuthoritativeDirectory 1",
      "V3AuthoritativeDirectory 1",
      // Seconds: a first consensus after nine, then one every ten.
      "TestingV3AuthInitialVotingInterval 5",
      "TestingV3AuthInitialVoteDelay 2",
      "TestingV3AuthInitialDistDelay 2",
      "V3AuthVotingInterval 10",
      "V3AuthVoteDelay 2",
      "V3AuthDistDelay 2",
      "TestingAuthDirTimeToLearnReachability 0",
      "ShutdownWaitLength 0",
      // It ends with us, should we be killed.
      `__OwningControllerProcess ${Deno.pid}`,
    ].join("\n"),
  );
  return new Deno.Command(torPath(), {
    args: [
      ...["--quiet", "-f", at("torrc")],
      ...["--defaults-torrc", at("empty")],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Waits until every authority says of every one that it runs and keeps descriptors: earlier, clients come late. */
async function consensus(authorities: readonly Authority[]): Promise<void> {
  const agreed = async ({ dirPort }: Authority) => {
    try {
      const response = await fetch(
        `http://127.0.0.1:${dirPort}/tor/status-vote/current/consensus-microdesc`,
        { headers: { "accept-encoding": "identity" } },
      );
      const text = await response.text();
      const flags = text.match(/^s .*$/gm) ?? [];
      return flags.filter((line) => /\bRunning\b/.test(line))
        .filter((line) => /\bHSDir\b/.test(line)).length === AUTHORITIES;
    } catch (error) {
      // It does not listen yet.
      if (!(error instanceof TypeError)) throw error;
      return false;
    }
  };
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    if ((await Promise.all(authorities.map(agreed))).every(Boolean)) return;
    await new Promise((resume) => setTimeout(resume, LOOK_MS));
  }
  throw new Error("The Tor network did not come up");
}

/** Ports that were free a moment ago. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  return listeners.map((listener) => {
    const { port } = listener.addr;
    listener.close();
    return port;
  });
}
